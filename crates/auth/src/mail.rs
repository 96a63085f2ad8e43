//! Mails that the service sends: what one is, and the trait of whatever carries it. How it is carried is up to the
//! program that wires the service.

use std::{fmt, pin::Pin};

use sme_pulse_domain::email::Email;

/// A plain text to one address. `Debug` shows neither the whole address nor the text, which may hold a secret link.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The recipient.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// Plain text; lines end in `\n`.
    pub text: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("to", &self.to).field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why a mail was not taken. The reason is for the log: it must hold no address and nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MailError {
    /// What happened.
    pub reason: String,
    /// Whether trying again is of no use.
    pub permanent: bool,
}

/// The future of [`Mailer::send`].
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

/// Carries mails. It tries once; the service tries again.
pub trait Mailer: Send + Sync + 'static {
    /// Hands a mail over to whatever delivers it. May take seconds; nobody who is answered waits for it.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}

/// Drops every mail: for programs that have nobody to write to.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMailer;

impl Mailer for NoMailer {
    fn send<'a>(&'a self, _: &'a Mail) -> Sending<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}
