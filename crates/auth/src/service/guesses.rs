//! Guesses at what an account is protected with, counted per account before they are checked. Strangers share one
//! counter; a device on which the user has signed in before has one of its own, so that nobody else can slow it down.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Origin},
    clock::Clock,
    email::Email,
    guessing,
    hex::hex,
    user::User,
};
use sme_pulse_persistence::{GuessAdmission, Store, StoreError, retrying};

use super::{
    AuthParts,
    device::DeviceId,
    keys::{MacKey, Purpose},
};

/// What is guessed. Each is counted for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GuessScope {
    /// The password of an account, which is named by its address: one that nobody has is counted alike.
    Password,
    /// A code of a user's second factor.
    Code,
    /// The password of somebody who is signed in.
    OwnPassword,
    /// No guess, but counted like one: a link to set a forgotten password, each of which voids the one before it.
    ResetLink,
    /// Likewise: an organization's invitation to an address.
    InvitationLink,
    /// Likewise: a link to confirm an address, which anybody may sign up with, by the network they do it from.
    SignUpLink,
    /// All invitations to an address, whoever sends them.
    InvitationMailbox,
    /// All links to confirm an address, wherever they are asked for.
    SignUpMailbox,
    /// The password of a sign-up that waits for its confirmation.
    SignUpPassword,
}

/// Counters that an address has for the mails of all senders together: so many times more than one sender's.
const MAILBOX: u64 = 10;

impl GuessScope {
    /// Goes into the counter's name, so it must never change.
    const fn tag(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::Code => 2,
            Self::OwnPassword => 3,
            Self::ResetLink => 4,
            Self::InvitationLink => 5,
            Self::SignUpLink => 6,
            Self::InvitationMailbox => 7,
            Self::SignUpMailbox => 8,
            Self::SignUpPassword => 9,
        }
    }
}

/// A guess that was let through, and counted as wrong until somebody says otherwise.
#[must_use = "say what became of it"]
#[derive(Debug)]
pub(super) struct Guess {
    known_device: bool,
    at: DateTime<Utc>,
    /// `None` while nothing is counted at all.
    counted: Option<Counted>,
}

/// A mail that was let through.
#[must_use = "say when it comes to nothing"]
#[derive(Debug)]
pub(super) struct CountedMail([Guess; 2]);

#[derive(Debug)]
struct Counted {
    key: String,
    /// How many are counted with it.
    failures: i32,
}

/// Why a guess was not let through.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuessError {
    /// Too early, by so many seconds.
    #[error("too many guesses")]
    TooEarly(u64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts guesses, in the database for all replicas together.
#[derive(Clone)]
pub(super) struct GuessBook {
    store: Store,
    clock: Arc<dyn Clock>,
    names: MacKey,
    enabled: bool,
}

impl GuessBook {
    pub(super) fn new(parts: &AuthParts) -> Self {
        Self {
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            names: parts.keys.mac(Purpose::GuessCounter),
            enabled: parts.settings.slow_guesses,
        }
    }

    /// Counts a guess at what the subject (in its normal form) is protected with, or refuses it. To be called before
    /// anything is compared or hashed.
    pub(super) async fn admit(
        &self,
        scope: GuessScope,
        subject: &str,
        device: Option<DeviceId>,
    ) -> Result<Guess, GuessError> {
        let at = self.clock.now();
        let known_device = device.is_some();
        if !self.enabled {
            return Ok(Guess { known_device, at, counted: None });
        }
        let key = self.counter_name(scope, subject, device);
        match retrying(|| self.store.admit_guess(&key, at)).await? {
            GuessAdmission::Counted { failures } => {
                Ok(Guess { known_device, at, counted: Some(Counted { key, failures }) })
            }
            GuessAdmission::TooEarly { seconds } => Err(GuessError::TooEarly(seconds)),
        }
    }

    /// A right guess does not count. On a known device it clears the counter; the strangers' counter keeps what others
    /// have guessed, or every log-in of the owner would give them fresh guesses.
    pub(super) async fn right(&self, guess: &Guess) -> Result<(), StoreError> {
        match &guess.counted {
            Some(counted) if guess.known_device => retrying(|| self.store.forget_guesses(&counted.key)).await,
            _ => self.unchecked(guess).await,
        }
    }

    /// A guess that nobody checked does not count.
    pub(super) async fn unchecked(&self, guess: &Guess) -> Result<(), StoreError> {
        match &guess.counted {
            Some(counted) => retrying(|| self.store.take_back_guess(&counted.key, guess.at)).await,
            None => Ok(()),
        }
    }

    /// Counts a mail to an address, or refuses it. What one sender may send is counted for itself, so that nobody keeps
    /// the mails of another from an address; far above it there is an end for all senders together.
    pub(super) async fn admit_mail(
        &self,
        (own, all): (GuessScope, GuessScope),
        sender: &str,
        address: &Email,
    ) -> Result<CountedMail, GuessError> {
        let by_sender = self.admit(own, &format!("{sender} {}", address.as_str()), None).await?;
        match self.admit_to_mailbox(all, address).await {
            Ok(by_all) => Ok(CountedMail([by_sender, by_all])),
            Err(refused) => {
                self.unchecked(&by_sender).await?;
                Err(refused)
            }
        }
    }

    /// The first counter that takes it.
    async fn admit_to_mailbox(&self, scope: GuessScope, address: &Email) -> Result<Guess, GuessError> {
        let mut shortest = u64::MAX;
        for number in 0..MAILBOX {
            match self.admit(scope, &format!("{number} {}", address.as_str()), None).await {
                Err(GuessError::TooEarly(seconds)) => shortest = shortest.min(seconds),
                decided => return decided,
            }
        }
        Err(GuessError::TooEarly(shortest))
    }

    /// A mail that came to nothing does not count.
    pub(super) async fn unsent(&self, mail: &CountedMail) -> Result<(), StoreError> {
        for guess in &mail.0 {
            self.unchecked(guess).await?;
        }
        Ok(())
    }

    /// A MAC, so that neither addresses nor devices are stored. The fields cannot run into each other: the first has
    /// one length, the second names its own.
    fn counter_name(&self, scope: GuessScope, subject: &str, device: Option<DeviceId>) -> String {
        let mut name = vec![scope.tag()];
        name.extend(u64::try_from(subject.len()).unwrap_or(u64::MAX).to_be_bytes());
        name.extend(subject.as_bytes());
        name.extend(device.iter().flatten());
        hex(&self.names.tag(&name))
    }
}

impl Guess {
    /// The event to record with the refusal, when this guess is the one after which the next is slowed down.
    pub(super) fn slowing(&self, user: Option<&User>, origin: &Origin) -> Option<AuditEvent> {
        let first = guessing::FREE.saturating_add(1);
        self.counted.as_ref().is_some_and(|counted| counted.failures == first).then(|| match user {
            Some(user) => AuditEvent::about_user(Action::GuessingSlowed, (user.id, user.org), origin),
            None => AuditEvent::new(Action::GuessingSlowed, None, origin.clone()),
        })
    }
}
