//! The signed form of a part of the stream: a JWS in compact form (RFC 7515) whose `typ` is `revocations+jwt`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sme_pulse_domain::ids::{OrgId, SessionId, UserId};
use uuid::Uuid;

use super::{Revocation, Revoked};
use crate::token::{KeyId, KeyRing, TokenError, message::Kind};
#[cfg(feature = "sign")]
use crate::token::{Signer, SigningError};

/// Longest accepted message in bytes: about 100,000 revocations.
pub const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// All revocations after one number up to another, as the issuer knew them at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    /// Who says so: `iss` of the tokens concerned.
    pub issuer: String,
    /// The only organization whose revocations are told, besides those of keys; `None` for all.
    pub only: Option<OrgId>,
    /// The number up to which the reader is expected to know everything; 0 in a snapshot.
    pub after: u64,
    /// The number of the newest revocation there is.
    pub seq: u64,
    /// When it was signed, in seconds since 1970.
    pub at: i64,
    /// For how many seconds from then on the revocations must be remembered: longer than any token lives.
    pub keep: u32,
    /// The revocations, in order of their numbers.
    pub entries: Vec<Revocation>,
}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// More than [`MAX_MESSAGE_BYTES`].
    #[error("the message is too long")]
    TooLong,
    /// Not signed by a key that counts.
    #[error("the message is not genuine: {0}")]
    NotGenuine(#[from] TokenError),
    /// Another issuer's.
    #[error("the message is from another issuer")]
    WrongIssuer,
    /// Genuine, and not in the form of a message, or its numbers contradict each other.
    #[error("the message is not well formed")]
    Malformed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    iss: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<i64>,
    after: u64,
    seq: u64,
    iat: i64,
    keep: u32,
    entries: Vec<Entry<'a>>,
}

/// `kind` is always there, so that a reader that does not know a kind fails instead of guessing.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Entry<'a> {
    Session { seq: u64, sid: Uuid },
    User { seq: u64, user_id: i64 },
    Member { seq: u64, user_id: i64, org_id: i64 },
    Organization { seq: u64, org_id: i64 },
    Key { seq: u64, kid: Cow<'a, str> },
}

impl Revocations {
    /// Signs it.
    #[cfg(feature = "sign")]
    pub fn seal(&self, signer: &Signer) -> Result<String, SigningError> {
        let body = Body {
            iss: Cow::Borrowed(&self.issuer),
            only: self.only.map(OrgId::get),
            after: self.after,
            seq: self.seq,
            iat: self.at,
            keep: self.keep,
            entries: self.entries.iter().map(Entry::of).collect(),
        };
        signer.sign_revocations(&serde_json::to_vec(&body).map_err(|_| SigningError)?)
    }

    /// Reads a message that one of the keys has signed and that counts at `now` (seconds since 1970). Whether it is news or a replay
    /// only its reader can tell.
    pub fn open(text: &str, keys: &KeyRing, issuer: &str, now: i64) -> Result<Self, MessageError> {
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong);
        }
        let opened = keys.open(text, Kind::Revocations)?;
        if !opened.key.counts_at(now) {
            return Err(MessageError::NotGenuine(TokenError::UnknownKey));
        }
        let body: Body<'_> = serde_json::from_slice(&opened.payload).map_err(|_| MessageError::Malformed)?;
        if body.iss != issuer {
            return Err(MessageError::WrongIssuer);
        }
        let mut last = body.after;
        let mut entries = Vec::with_capacity(body.entries.len());
        for entry in body.entries {
            let entry = entry.read().filter(|entry| entry.seq > last).ok_or(MessageError::Malformed)?;
            last = entry.seq;
            entries.push(entry);
        }
        if last > body.seq || body.only.is_some_and(|org| org <= 0) {
            return Err(MessageError::Malformed);
        }
        let Body { iss, only, after, seq, iat: at, keep, .. } = body;
        Ok(Self { issuer: iss.into_owned(), only: only.map(OrgId::new), after, seq, at, keep, entries })
    }
}

#[cfg(feature = "sign")]
impl<'a> Entry<'a> {
    fn of(Revocation { seq, what }: &'a Revocation) -> Self {
        let seq = *seq;
        match what {
            Revoked::Session(id) => Self::Session { seq, sid: id.get() },
            Revoked::User(user) => Self::User { seq, user_id: user.get() },
            Revoked::Member(user, org) => Self::Member { seq, user_id: user.get(), org_id: org.get() },
            Revoked::Organization(org) => Self::Organization { seq, org_id: org.get() },
            Revoked::Key(id) => Self::Key { seq, kid: Cow::Borrowed(id.as_str()) },
        }
    }
}

impl Entry<'_> {
    fn read(self) -> Option<Revocation> {
        let positive = |number: i64| (number > 0).then_some(number);
        let user = |number| positive(number).map(UserId::new);
        let org = |number| positive(number).map(OrgId::new);
        let (seq, what) = match self {
            Self::Session { seq, sid } => (seq, Some(Revoked::Session(SessionId::new(sid)))),
            Self::User { seq, user_id } => (seq, user(user_id).map(Revoked::User)),
            Self::Member { seq, user_id, org_id } => {
                (seq, user(user_id).zip(org(org_id)).map(|(user, org)| Revoked::Member(user, org)))
            }
            Self::Organization { seq, org_id } => (seq, org(org_id).map(Revoked::Organization)),
            Self::Key { seq, kid } => (seq, KeyId::parse(&kid).map(Revoked::Key)),
        };
        what.map(|what| Revocation { seq, what })
    }
}

#[cfg(all(test, feature = "sign"))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::token::{Algorithm, VerifyingKey};

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn signer() -> Signer {
        Signer::new(SECRET, Algorithm::Hs256, "issuer", "audience")
    }

    fn keys() -> KeyRing {
        KeyRing::new([VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap()]).unwrap()
    }

    fn message() -> Revocations {
        let all = [
            Revoked::Session(SessionId::new(Uuid::from_u128(7))),
            Revoked::User(UserId::new(1)),
            Revoked::Member(UserId::new(1), OrgId::new(2)),
            Revoked::Organization(OrgId::new(3)),
            Revoked::Key(KeyId::parse("key-1").unwrap()),
        ];
        let entries = all.into_iter().zip(10..).map(|(what, seq)| Revocation { seq, what }).collect();
        Revocations { issuer: "issuer".into(), only: None, after: 9, seq: 20, at: 1_000, keep: 60, entries }
    }

    fn signed(body: &str) -> Result<Revocations, MessageError> {
        Revocations::open(&signer().sign_revocations(body.as_bytes()).unwrap(), &keys(), "issuer", 0)
    }

    #[test]
    fn what_is_sealed_can_be_opened() {
        for only in [None, Some(OrgId::new(2))] {
            let message = Revocations { only, ..message() };
            assert_eq!(Revocations::open(&message.seal(&signer()).unwrap(), &keys(), "issuer", 0), Ok(message));
        }
    }

    #[test]
    fn another_issuers_or_another_keys_message_is_refused() {
        let text = message().seal(&signer()).unwrap();
        assert_eq!(Revocations::open(&text, &keys(), "other", 0), Err(MessageError::WrongIssuer));
        assert!(matches!(Revocations::open(&text, &KeyRing::default(), "issuer", 0), Err(MessageError::NotGenuine(_))));
    }

    #[test]
    fn an_access_token_is_no_message_and_a_message_no_access_token() {
        let verifier = crate::token::Verifier::with_keys(keys());
        assert_eq!(verifier.decode(&message().seal(&signer()).unwrap()), Err(TokenError::BadHeader));
        let token = signer().sign_as_token(b"{}").unwrap();
        assert_eq!(
            Revocations::open(&token, &keys(), "issuer", 0),
            Err(MessageError::NotGenuine(TokenError::BadHeader))
        );
    }

    #[test]
    fn numbers_that_contradict_each_other_and_unknown_members_are_refused() {
        let body = |after: u64, seq: u64, entries: &str| {
            format!(r#"{{"iss":"issuer","after":{after},"seq":{seq},"iat":1,"keep":1,"entries":[{entries}]}}"#)
        };
        let user = |seq: u64, id: i64| format!(r#"{{"seq":{seq},"kind":"user","user_id":{id}}}"#);
        assert!(signed(&body(0, 2, &format!("{},{}", user(1, 1), user(2, 1)))).is_ok());
        for (case, text) in [
            ("an entry of before", body(1, 2, &user(1, 1))),
            ("out of order", body(0, 2, &format!("{},{}", user(2, 1), user(1, 1)))),
            ("twice", body(0, 2, &format!("{},{}", user(1, 1), user(1, 2)))),
            ("later than the newest", body(0, 1, &user(2, 1))),
            ("before itself", body(3, 2, "")),
            ("no id", body(0, 2, &user(1, 0))),
            ("an unknown kind", body(0, 2, r#"{"seq":1,"kind":"planet"}"#)),
            ("an unknown member", body(0, 2, "").replacen('{', r#"{"x":1,"#, 1)),
            ("no object", "[]".to_owned()),
            ("a repeated member", body(0, 2, "").replacen('{', r#"{"seq":9,"#, 1)),
        ] {
            assert_eq!(signed(&text), Err(MessageError::Malformed), "{case}");
        }
    }
}
