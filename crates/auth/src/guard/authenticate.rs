//! From a request to the caller behind its token.

use std::{pin::Pin, sync::Arc};

use sme_pulse_domain::permission::Permission;

use super::{Reach, bearer::bearer, incoming::Incoming};
use crate::{AccessError, Principal, token::Verifier};

/// The future of [`Authenticate::authenticate`].
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Principal, AccessError>> + Send + 'a>>;

/// The future of [`Authenticate::reach`].
pub type Reaching<'a> = Pin<Box<dyn Future<Output = Result<Reach, AccessError>> + Send + 'a>>;

/// Turns a token into the caller behind it. Register it with `authenticator`: that of this module for actix-web, that of `axum` for axum.
pub trait Authenticate: Send + Sync {
    /// Checks signature, claims and the server's own state.
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a>;

    /// The same for who asks about tokens, and must be allowed this.
    fn reach<'a>(&'a self, token: &'a str, permission: Permission) -> Reaching<'a> {
        Box::pin(async move { reach_of(self.authenticate(token).await?, permission) })
    }
}

/// The organization of a caller who must be allowed this.
pub(crate) fn reach_of(principal: Principal, permission: Permission) -> Result<Reach, AccessError> {
    if !principal.may(permission) {
        return Err(AccessError::Forbidden { user: principal.user_id(), org: principal.org_id() });
    }
    Ok(Reach::Organization(principal))
}

/// Who calls is what the token says: [`Principal::claimed`].
impl Authenticate for Verifier {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move { Ok(Principal::claimed(&self.verify_fresh(token).await?)) })
    }
}

/// Who calls.
pub(super) async fn authenticated(req: &impl Incoming) -> Result<Principal, AccessError> {
    let (authenticator, token) = credentials(req)?;
    authenticator.authenticate(token).await
}

/// How far the caller sees who must be allowed this.
pub(super) async fn reached(req: &impl Incoming, permission: Permission) -> Result<Reach, AccessError> {
    let (authenticator, token) = credentials(req)?;
    authenticator.reach(token, permission).await
}

/// Who decides, and about what. A wiring mistake comes first: it is not the client's.
fn credentials(req: &impl Incoming) -> Result<(Arc<dyn Authenticate>, &str), AccessError> {
    let authenticator = req.authenticator().ok_or(AccessError::Misconfigured)?;
    Ok((authenticator, bearer(req)?))
}
