//! Why a token was not accepted: because it is no good, or because nobody can tell.

use super::TokenError;

/// Why a token was not accepted. Neither lets anybody in; only the first is the caller's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The token is no good, and will not become so. Answer 401.
    #[error("{0}")]
    Refused(#[from] TokenError),
    /// What is needed to decide is missing. Answer 503: the same token may be accepted later.
    #[error("{0}")]
    Undecided(#[from] Undecided),
}

/// What is missing to decide about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The token names a key that is not known, and the issuer could not be asked for its keys.
    #[error("the keys of the issuer could not be fetched")]
    KeysUnavailable,
    /// The issuer has been out of reach for longer than its keys may be used.
    #[error("the keys of the issuer are too old")]
    KeysTooOld,
    /// The feed of revocations has been silent for too long, or does not tell of the token's organization.
    #[error("it is not known whether the token has been revoked")]
    FeedLost,
}
