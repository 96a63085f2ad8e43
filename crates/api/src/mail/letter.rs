//! From a mail of the service to a message as it travels (RFC 5322).

use std::{sync::Arc, time::SystemTime};

use lettre::{
    Address, Message,
    message::{
        Body, Mailbox,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use sme_pulse_auth::mail::{Mail, MailError};
use sme_pulse_domain::{clock::Clock, rng::Rng};

/// Tells programs that answer mails not to (RFC 3834 section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Longest line that is sent as it is (RFC 5322 section 2.1.1 allows 998).
const MAX_LINE: usize = 900;

/// Writes messages of one sender.
#[derive(Clone)]
pub(super) struct Letters {
    from: Mailbox,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Letters {
    pub(super) fn new(from: Mailbox, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { from, clock, rng }
    }

    /// The domain of the sender, by which the service introduces itself.
    pub(super) fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// An id for a message, unique and hard to guess.
    pub(super) fn id(&self) -> String {
        self.rng.uuid().to_string()
    }

    /// The message. An address that mail servers cannot take is a permanent failure.
    pub(super) fn write(&self, mail: &Mail) -> Result<Message, MailError> {
        let broken = |reason: &str| MailError { reason: reason.to_owned(), permanent: true };
        let to: Address = mail.to.as_str().parse().map_err(|_| broken("the address cannot be written to"))?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .date(SystemTime::from(self.clock.now()))
            .message_id(Some(format!("<{}@{}>", self.id(), self.domain())))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(body(&mail.text))
            .map_err(|_| broken("the message cannot be written"))
    }
}

/// A text of plain lines stays as it is, so that a link in it stands in one piece; any other is encoded.
fn body(text: &str) -> Body {
    let plain = |line: &str| line.len() <= MAX_LINE && line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if text.lines().all(plain) {
        let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
        return Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::new(text.to_owned())
}

#[cfg(test)]
mod tests {
    use sme_pulse_domain::{clock::SystemClock, email::Email};

    use super::*;
    use crate::random::SystemRng;

    fn written(to: &str, text: &str) -> Result<String, MailError> {
        let from = "SME Pulse <no-reply@example.com>".parse().unwrap();
        let letters = Letters::new(from, Arc::new(SystemClock::default()), Arc::new(SystemRng));
        let mail = Mail { to: Email::stored(to.to_owned()), subject: "Größe".to_owned(), text: text.to_owned() };
        letters.write(&mail).map(|message| String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_plain_text_and_the_link_in_it_stay_in_one_piece() {
        let link = format!("https://example.com/reset-password?token={}", "x".repeat(100));
        let message = written("ann@example.com", &format!("Hello,\n{link}\n")).unwrap();
        assert!(message.ends_with(&format!("\r\n\r\nHello,\r\n{link}\r\n")), "{message}");
        for header in
            ["To: ann@example.com", "Content-Type: text/plain; charset=utf-8", "Auto-Submitted: auto-generated"]
        {
            assert!(message.contains(&format!("{header}\r\n")), "{message}");
        }
        assert!(message.contains("Subject: =?utf-8?"), "{message}");
    }

    #[test]
    fn other_texts_are_encoded() {
        for text in ["Größe\n", &"x".repeat(2_000)] {
            let message = written("ann@example.com", text).unwrap();
            assert!(
                message.is_ascii() && !message.contains("7bit") && message.lines().all(|line| line.len() < 998),
                "{message}"
            );
        }
    }

    #[test]
    fn an_address_that_could_add_a_header_is_refused_for_good() {
        for to in ["a@example.com\r\nBcc: b@example.com", "a b@example.com", "nobody"] {
            assert!(written(to, "x").is_err_and(|error| error.permanent), "{to}");
        }
    }
}
