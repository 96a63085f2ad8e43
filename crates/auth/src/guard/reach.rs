//! How far a caller sees who asks about tokens: one organization, or all of them.

use std::{marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use sme_pulse_domain::ids::OrgId;

use super::{Authenticate, Requires, bearer::bearer};
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

impl<P, E> FromRequest for Observer<P, E>
where
    P: Requires,
    E: From<AccessError> + Into<actix_web::Error> + 'static,
{
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Self, E>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let authenticator = req.app_data::<Data<dyn Authenticate>>().cloned().ok_or(AccessError::Misconfigured)?;
            let reach = authenticator.reach(bearer(&req)?, P::PERMISSION).await?;
            Ok(Self { reach, required: PhantomData })
        })
    }
}
