//! The keys of access tokens, which can be replaced while the service runs.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::token::{KeyRing, Signer, Verifier};

/// What signs access tokens now, and what checks them. Clones share it.
#[derive(Clone)]
pub struct TokenKeys {
    signer: Arc<ArcSwap<Signer>>,
    verifier: Verifier,
}

impl TokenKeys {
    /// Keys that count from the start.
    pub fn new(signer: Signer, verifier: Verifier) -> Self {
        Self { signer: Arc::new(ArcSwap::from_pointee(signer)), verifier }
    }

    /// What signs now.
    pub fn signer(&self) -> Arc<Signer> {
        self.signer.load_full()
    }

    /// What checks.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Puts other keys in the place of these: first those that check, so that no token is made that would be refused.
    pub fn replace(&self, signer: Signer, keys: KeyRing) {
        self.verifier.replace_keys(keys);
        self.signer.store(Arc::new(signer));
    }
}
