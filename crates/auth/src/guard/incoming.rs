//! What the guards read of a request, whatever framework has taken it in.

use std::sync::Arc;

use super::Authenticate;

/// A request, as far as the guards look at it.
pub(super) trait Incoming {
    /// What the service has registered.
    fn authenticator(&self) -> Option<Arc<dyn Authenticate>>;

    /// The values of all its `Authorization` headers.
    fn authorization(&self) -> impl Iterator<Item = &[u8]>;
}
