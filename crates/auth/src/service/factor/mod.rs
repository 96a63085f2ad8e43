//! The second factor: time-based codes and recovery codes, the log-ins that wait for one, and proving again who one is.
//!
//! | file | owns |
//! |---|---|
//! | `totp`, `code` | the forms of codes |
//! | `cipher` | secrets at rest |
//! | `check` | whether a code counts, and that it counts once |
//! | `waiting` | a log-in between its password and its code |
//! | `manage` | enrolling, confirming, renewing, removing |
//! | `step_up` | proving again who one is |

mod check;
mod cipher;
mod code;
mod manage;
mod step_up;
mod totp;
mod waiting;

use sme_pulse_domain::ids::UserId;
use sme_pulse_persistence::{AsStoreError, StoreError};
use zeroize::Zeroizing;

use crate::{AccessError, password::Overloaded, token::SigningError};

pub(super) use cipher::FactorCipher;
pub(super) use manage::has_factor;
pub use manage::{FactorStatus, RecoveryCodes};
pub use totp::Enrolment;
pub use waiting::{CodeAttempt, Completed, PendingLogIn};

/// How fresh a proof must be for what protects the account itself, in minutes.
pub const RECENT_MINUTES: u32 = 15;

/// What a signed-in user sends to prove who they are. There is no `Debug`: it holds secrets.
#[derive(Default)]
pub struct ShownProof {
    /// A code of the second factor or a recovery code; it counts first.
    pub code: Option<Zeroizing<String>>,
    /// The password.
    pub password: Option<Zeroizing<String>>,
}

/// Why a proof does not count. For the log only: clients see one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorRefusal {
    /// Nobody waits with this token: it is none, or expired, used, or has had all its attempts.
    UnknownToken,
    /// The user became inactive since the password was right.
    InactiveUser,
    /// The organization was suspended since the password was right.
    SuspendedOrganization,
    /// The user has no second factor, or not any more.
    NoFactor,
    /// What was sent has the form of no code.
    NoCode,
    /// The code is not the one of this time.
    WrongCode,
    /// The code, or one after it, was used before.
    UsedCode,
    /// The user has no such recovery code left.
    UnknownRecoveryCode,
    /// The stored secret cannot be decrypted; only recovery codes help until somebody repairs it.
    UnreadableSecret,
    /// The password is wrong.
    WrongPassword,
    /// The stored password hash cannot be read; somebody has to repair it.
    UnreadableHash,
}

/// Why something about the second factor, or a proof, failed.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The second half of a log-in is refused.
    #[error("log-in refused at the second factor")]
    LogInRefused {
        /// Whose log-in it is, if the token was genuine.
        user: Option<UserId>,
        /// Which check refused.
        refusal: FactorRefusal,
    },
    /// A signed-in user sent a code or password that does not count.
    #[error("the proof is wrong")]
    WrongProof {
        /// Who.
        user: UserId,
        /// Which check refused.
        refusal: FactorRefusal,
    },
    /// The user has a confirmed second factor already.
    #[error("the second factor is enabled already")]
    AlreadyEnabled,
    /// The user has no confirmed second factor.
    #[error("the second factor is not enabled")]
    NotEnabled,
    /// Nothing was enrolled that could be confirmed.
    #[error("no second factor is enrolled")]
    NotEnrolled,
    /// The account has a second factor, so its code is what proves.
    #[error("a code is needed")]
    CodeNeeded,
    /// The account has no second factor, so the password is what proves.
    #[error("the password is needed")]
    PasswordNeeded,
    /// The token belongs to no session, so there is nothing that could remember the proof.
    #[error("the token belongs to no session")]
    NoSession,
    /// So many codes or passwords were wrong that the next must wait; nothing was checked.
    #[error("proof slowed down")]
    Slowed {
        /// Whose.
        user: UserId,
        /// Whole seconds to wait.
        seconds: u64,
    },
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Too many passwords to compare at once.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A secret could not be encrypted, written or drawn.
    #[error("the second factor could not be made")]
    Unmakeable,
}

impl FactorError {
    /// Whether it counts against the budget of wrong proofs.
    pub const fn is_wrong_proof(&self) -> bool {
        matches!(self, Self::WrongProof { .. })
    }
}

impl AsStoreError for FactorError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl FactorRefusal {
    /// The words for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown, expired or used token",
            Self::InactiveUser => "inactive user",
            Self::SuspendedOrganization => "suspended organization",
            Self::NoFactor => "no second factor",
            Self::NoCode => "no code",
            Self::WrongCode => "wrong code",
            Self::UsedCode => "used code",
            Self::UnknownRecoveryCode => "unknown or used recovery code",
            Self::UnreadableSecret => "unreadable secret",
            Self::WrongPassword => "wrong password",
            Self::UnreadableHash => "unreadable password hash",
        }
    }
}
