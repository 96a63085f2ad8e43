//! Why keys were not changed, or cannot be used.

use sme_pulse_domain::signing_key::KeyState;
use sme_pulse_persistence::{AsStoreError, StoreError};

/// Why keys were not changed, or cannot be used. None of them tells a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// No key has this name.
    #[error("there is no key {0}")]
    Unknown(String),
    /// It does not sign or wait any more.
    #[error("the key {kid} is {state} already")]
    Over {
        /// Which.
        kid: String,
        /// What it is.
        state: KeyState,
    },
    /// It signs.
    #[error("tokens are signed with the key {0}; rotate to let the next one sign, or revoke it")]
    Signs(String),
    /// There is one that waits, of the same algorithm.
    #[error("the key {0} is the next one already")]
    NextExists(String),
    /// No key of the set signs yet.
    #[error(
        "no key signs yet: the next one does once BACKEND_ALGORITHM names its algorithm and a server has been started with it"
    )]
    NoCurrent,
    /// None waits.
    #[error("there is no next key; generate one first")]
    NoNext,
    /// Verifiers may not know it yet.
    #[error("the next key was published a moment ago; every verifier can know it in {seconds} s")]
    TooYoung {
        /// How long that takes.
        seconds: i64,
    },
    /// So many retired keys still verify that the key set would outgrow what verifiers take.
    #[error("too many keys still verify; wait until some have expired")]
    TooMany,
    /// Nothing would be left to sign with.
    #[error("nothing else could sign; let a key of the set sign first")]
    Last,
    /// A private half does not open.
    #[error(
        "the key {0} cannot be opened: BACKEND_ENCRYPTION_KEY, or BACKEND_SECRET_KEY without one, is not what it was sealed with"
    )]
    Sealed(String),
    /// The key set is not for such an algorithm.
    #[error("a shared secret is no key of the set")]
    WrongKind,
    /// Neither a key nor the shared secret may sign.
    #[error("the shared secret was revoked and no key signs in its place")]
    NothingSigns,
    /// A key could not be made.
    #[error("no key could be made")]
    NotMade,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AsStoreError for KeySetError {
    fn as_store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}
