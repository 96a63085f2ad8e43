//! From a request to the caller behind its token.

use std::{pin::Pin, sync::Arc};

use actix_web::{HttpRequest, web::Data};
use sme_pulse_domain::permission::Permission;

use super::{Reach, bearer::bearer};
use crate::{AccessError, Principal, token::Verifier};

/// The future of [`Authenticate::authenticate`].
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Principal, AccessError>> + Send + 'a>>;

/// The future of [`Authenticate::reach`].
pub type Reaching<'a> = Pin<Box<dyn Future<Output = Result<Reach, AccessError>> + Send + 'a>>;

/// Turns a token into the caller behind it. Register it with [`authenticator`].
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

/// What the guards look for in the application's data: `App::new().app_data(authenticator(verifier))`. Make it once and clone it into
/// every worker.
pub fn authenticator(authenticate: impl Authenticate + 'static) -> Data<dyn Authenticate> {
    let shared: Arc<dyn Authenticate> = Arc::new(authenticate);
    Data::from(shared)
}

/// Who calls is what the token says: [`Principal::claimed`].
impl Authenticate for Verifier {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move { Ok(Principal::claimed(&self.verify_fresh(token).await?)) })
    }
}

pub(super) async fn authenticated(req: &HttpRequest) -> Result<Principal, AccessError> {
    let authenticator = req.app_data::<Data<dyn Authenticate>>().cloned().ok_or(AccessError::Misconfigured)?;
    let token = bearer(req)?;
    authenticator.authenticate(token).await
}
