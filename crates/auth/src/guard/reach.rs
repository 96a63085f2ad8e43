//! How far a caller sees who asks about tokens: one organization, or all of them.

use std::marker::PhantomData;

use sme_pulse_domain::ids::OrgId;

use super::{Requires, authenticate::reached, incoming::Incoming};
use crate::{AccessError, Principal};

/// Whose tokens a caller may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Those of the caller's organization.
    Organization(Principal),
    /// Everybody's: a service of the operator's, by its name.
    Installation(String),
}

impl Reach {
    /// The only organization that the caller sees; `None` for all.
    pub fn only(&self) -> Option<OrgId> {
        match self {
            Self::Organization(principal) => Some(principal.org_id()),
            Self::Installation(_) => None,
        }
    }
}

/// A caller, allowed `P` within an organization or everywhere.
#[derive(Debug)]
pub struct Observer<P, E> {
    reach: Reach,
    required: PhantomData<fn() -> (P, E)>,
}

impl<P, E> Observer<P, E> {
    /// How far the caller sees.
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }
}

impl<P: Requires, E> Observer<P, E> {
    /// Whoever calls, as far as they are allowed `P`.
    pub(super) async fn of(req: &impl Incoming) -> Result<Self, AccessError> {
        Ok(Self { reach: reached(req, P::PERMISSION).await?, required: PhantomData })
    }
}
