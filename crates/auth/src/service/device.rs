//! Device tokens: which users have signed in on a device before. Such a token opens nothing; it only counts the guesses
//! made with it apart from everybody else's. It is made of a random id, a time, a list of users and a MAC, so that no
//! table of devices is needed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sme_pulse_domain::ids::UserId;

use super::{
    AuthService,
    keys::{KEY_BYTES, MacKey},
};

/// What every device token begins with.
const PREFIX: &str = "spd_";
/// The form of what follows.
const VERSION: u8 = 1;
/// Bytes of the version, the device's id and the time of issue.
const HEAD_BYTES: usize = 1 + 16 + 8;
/// Bytes of a user's id and of the times of their last log-in and of the last one with a second factor.
const USER_BYTES: usize = 8 + 8 + 8;
/// How many users a device remembers, the newest first: a cash desk has few.
const USERS: usize = 8;
/// Longest text of a token, with room to spare. Longer ones are not even decoded.
const MAX_TEXT: usize = 400;
/// How long a token is believed without being renewed; browsers keep no cookie for longer.
const LIFETIME: TimeDelta = TimeDelta::days(400);

/// A device's random id. It says nothing about the device.
pub(super) type DeviceId = [u8; 16];
/// All devices on which somebody last signed in with a password that is not the account's any more. They share one
/// counter: who has collected many while they knew an earlier password gains nothing by it.
const OUTDATED: DeviceId = [0; 16];

/// A user of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KnownUser {
    id: UserId,
    /// When they last signed in on it, in microseconds since 1970.
    at: i64,
    /// When they last showed a second factor on it, likewise; 0 for never.
    factor_at: i64,
}

/// What made a device known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownOn {
    /// The password, or the link of a mail.
    Password,
    /// A second factor as well.
    Factor,
}

/// What a genuine device token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeviceToken {
    id: DeviceId,
    issued_at: i64,
    users: Vec<KnownUser>,
}

impl DeviceToken {
    /// The text for the client.
    fn seal(&self, key: &MacKey) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.id);
        bytes.extend(self.issued_at.to_be_bytes());
        for user in &self.users {
            bytes.extend(user.id.get().to_be_bytes());
            bytes.extend(user.at.to_be_bytes());
            bytes.extend(user.factor_at.to_be_bytes());
        }
        bytes.extend(key.tag(&bytes));
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a token; `None` for everything that this service did not write, in exactly this spelling, or too long ago.
    fn open(text: &str, key: &MacKey, now: DateTime<Utc>) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (content, tag) = bytes.split_at_checked(bytes.len().checked_sub(KEY_BYTES)?)?;
        if !key.is_genuine(content, tag) {
            return None;
        }
        let (head, users) = content.split_at_checked(HEAD_BYTES)?;
        let (version, rest) = head.split_first()?;
        let (id, issued_at) = rest.split_first_chunk::<16>()?;
        let issued_at = i64::from_be_bytes(issued_at.try_into().ok()?);
        let fresh = now.timestamp().saturating_sub(issued_at) < LIFETIME.num_seconds();
        if *version != VERSION || !fresh {
            return None;
        }
        let (users, _) = users.as_chunks::<USER_BYTES>();
        Some(Self { id: *id, issued_at, users: users.iter().filter_map(KnownUser::read).collect() })
    }

    /// The same device after this user has signed in on it.
    fn remember(&mut self, user: UserId, shown: ShownOn, now: DateTime<Utc>) {
        let before = self.users.iter().find(|known| known.id == user).map_or(0, |known| known.factor_at);
        let at = now.timestamp_micros();
        let factor_at = if shown == ShownOn::Factor { at } else { before };
        self.users.retain(|known| known.id != user);
        self.users.insert(0, KnownUser { id: user, at, factor_at });
        self.users.truncate(USERS);
        self.issued_at = now.timestamp();
    }
}

/// Whether the owner has logged in there since the password was last changed.
pub(super) fn is_current(device: DeviceId) -> bool {
    device != OUTDATED
}

impl KnownUser {
    fn read(bytes: &[u8; USER_BYTES]) -> Option<Self> {
        let ([id, at, factor_at], _) = bytes.as_chunks::<8>() else { return None };
        let number = |bytes: &[u8; 8]| i64::from_be_bytes(*bytes);
        Some(Self { id: UserId::new(number(id)), at: number(at), factor_at: number(factor_at) })
    }
}

impl AuthService {
    /// A device token for a user who has just proved who they are with the link of a mail, to be kept by the client and
    /// sent with its next log-in. If the client already presented a genuine one, it stays the same device for everybody
    /// else who uses it.
    pub fn known_device(&self, user: UserId, presented: Option<&str>) -> String {
        self.remembered(user, ShownOn::Password, presented)
    }

    /// Whether this is a device token of this service, for whomever it is.
    pub fn is_device_token(&self, text: &str) -> bool {
        self.opened(Some(text)).is_some()
    }

    /// The same with what was shown.
    pub(super) fn remembered(&self, user: UserId, shown: ShownOn, presented: Option<&str>) -> String {
        let now = self.parts.clock.now();
        let mut device = self.opened(presented).unwrap_or_else(|| {
            let mut id = DeviceId::default();
            self.parts.rng.fill(&mut id);
            DeviceToken { id, issued_at: 0, users: Vec::new() }
        });
        device.remember(user, shown, now);
        device.seal(&self.keys.device_token)
    }

    /// The device, if this user has signed in on it before: for guesses at the password. Whatever else is presented
    /// counts as nothing.
    pub(super) fn device_of(
        &self,
        user: UserId,
        password_changed_at: Option<DateTime<Utc>>,
        presented: Option<&str>,
    ) -> Option<DeviceId> {
        let (device, known) = self.known_on(user, presented)?;
        let outdated = password_changed_at.is_some_and(|changed| known.at < changed.timestamp_micros());
        Some(if outdated { OUTDATED } else { device })
    }

    /// The device, if this user has shown the second factor on it that they have now: for guesses at its codes. Devices
    /// known by the password alone count as strangers, or whoever has the password could make any number of them.
    pub(super) fn device_of_factor(
        &self,
        user: UserId,
        confirmed_at: Option<DateTime<Utc>>,
        presented: Option<&str>,
    ) -> Option<DeviceId> {
        let (device, known) = self.known_on(user, presented)?;
        let shown = confirmed_at.is_some_and(|confirmed| known.factor_at >= confirmed.timestamp_micros());
        shown.then_some(device)
    }

    fn known_on(&self, user: UserId, presented: Option<&str>) -> Option<(DeviceId, KnownUser)> {
        let device = self.opened(presented)?;
        let known = device.users.iter().find(|known| known.id == user)?;
        Some((device.id, *known))
    }

    fn opened(&self, text: Option<&str>) -> Option<DeviceToken> {
        DeviceToken::open(text?, &self.keys.device_token, self.parts.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Purpose, ServiceKeys};
    use super::*;

    fn key() -> MacKey {
        ServiceKeys::new(b"secret", None).mac(Purpose::DeviceToken)
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_763_626_530, 0).unwrap()
    }

    fn device(users: impl IntoIterator<Item = i64>) -> DeviceToken {
        let mut device = DeviceToken { id: [7; 16], issued_at: 0, users: Vec::new() };
        users.into_iter().for_each(|user| device.remember(UserId::new(user), ShownOn::Password, now()));
        device
    }

    #[test]
    fn a_token_is_read_back_and_every_changed_character_is_refused() {
        let token = device([1, 2]);
        let text = token.seal(&key());
        assert_eq!(DeviceToken::open(&text, &key(), now()), Some(token));
        for place in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(DeviceToken::open(&changed, &key(), now()), None, "{place}");
        }
        let long = format!("spd_{}", "A".repeat(1_000_000));
        for odd in ["", "spd_", "spd_AAAA", "spd_é", "a.b.c", &format!("{text}="), &format!("{text}A"), &long] {
            assert_eq!(DeviceToken::open(odd, &key(), now()), None);
        }
    }

    #[test]
    fn a_device_remembers_the_newest_eight_users_once_each() {
        let users: Vec<i64> = device([1, 2, 3, 1, 4, 5, 6, 7, 8, 9]).users.iter().map(|user| user.id.get()).collect();
        assert_eq!(users, [9, 8, 7, 6, 5, 4, 1, 3]);
        let text = device(1..100).seal(&key());
        assert!(text.len() < MAX_TEXT, "{}", text.len());
        assert_eq!(DeviceToken::open(&text, &key(), now()).unwrap().users.len(), USERS);
    }

    #[test]
    fn a_token_is_believed_for_four_hundred_days_and_by_its_own_key_alone() {
        let text = device([1]).seal(&key());
        assert!(DeviceToken::open(&text, &key(), now() + LIFETIME - TimeDelta::seconds(1)).is_some());
        assert!(DeviceToken::open(&text, &key(), now() + LIFETIME).is_none());
        let other = ServiceKeys::new(b"secret", None).mac(Purpose::RefreshToken);
        assert!(DeviceToken::open(&text, &other, now()).is_none());
    }
}
