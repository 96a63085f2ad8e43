//! What a service shows the issuer to be told of revocations.

use std::{fmt, sync::Arc};

use hyper::header::HeaderValue;

/// A bearer credential: an API key or the token of a service account. It is asked for with each connection, so that one that is
/// read from a file or a vault may change. It shows itself to nobody.
#[derive(Clone)]
pub struct Credential(Arc<dyn Fn() -> String + Send + Sync>);

impl Credential {
    /// One that does not change.
    pub fn fixed(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::from_fn(move || text.clone())
    }

    /// One that is read anew for each connection. The function must not block for long.
    pub fn from_fn(read: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// `None` for none at all, and for one that no header may hold.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let text = (self.0)();
        let text = Some(text.trim()).filter(|text| !text.is_empty())?;
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl From<&str> for Credential {
    fn from(text: &str) -> Self {
        Self::fixed(text)
    }
}

impl From<String> for Credential {
    fn from(text: String) -> Self {
        Self::fixed(text)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}
