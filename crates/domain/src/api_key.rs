//! Keys for programs: an organization's, which act for the person who made them, and the operator's service accounts.

mod text;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    ids::{ApiKeyId, OrgId, UserId},
    permission::Permission,
    permission_set::PermissionSet,
    role::RoleSet,
};
pub use text::{HASH_DIGITS, KeyKind, KeyPrefix, KeyText, MalformedKey};

/// Longest name in characters.
pub const NAME: usize = 100;
/// Most keys of one organization that count at the same time.
pub const MOST_LIVE: u64 = 100;
/// Least and most days that a key is given; one that is given none lives until it is revoked.
pub const DAYS: (i64, i64) = (1, 365);

/// What people call a key: 1 to [`NAME`] characters without control characters, trimmed. Two keys may have one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(String);

/// Why a text is no name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyName {
    /// Nothing is left of it when it is trimmed, or more than [`NAME`] characters.
    #[error("A name has 1 to 100 characters")]
    Length,
    /// It would break a line of a list.
    #[error("A name must not contain control characters")]
    Control,
}

impl KeyName {
    /// Trims the text and checks what is left.
    pub fn parse(text: &str) -> Result<Self, BadKeyName> {
        let text = text.trim();
        if text.is_empty() || text.chars().nth(NAME).is_some() {
            return Err(BadKeyName::Length);
        }
        if text.chars().any(char::is_control) {
            return Err(BadKeyName::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// A name from a row.
    pub const fn stored(name: String) -> Self {
        Self(name)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A row of `auth.api_keys`, without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Key of the row.
    pub id: ApiKeyId,
    /// Whose rows it reaches.
    pub org: OrgId,
    /// What people call it.
    pub name: KeyName,
    /// What it begins with, by which it is found.
    pub prefix: KeyPrefix,
    /// What it was given; it allows no more than its creator may by then.
    pub permissions: PermissionSet,
    /// For whom it acts.
    pub created_by: UserId,
    /// From then on it is refused; `None` for one that lives until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Set once it has been revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A row of `auth.service_accounts`, without its hash: a program of the operator's, which belongs to no organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Key of the row.
    pub id: i64,
    /// What the operator calls it; no two have one name.
    pub name: KeyName,
    /// What its key begins with.
    pub prefix: KeyPrefix,
    /// What it may ask.
    pub permissions: PermissionSet,
    /// From then on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Set once it has been revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What has become of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// It counts, as far as its creator does.
    Active,
    /// It was revoked.
    Revoked,
    /// Its time is up.
    Expired,
}

impl KeyStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Revoked, Self::Expired];

    /// The word that clients see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// What has become of a key by `now`. It is over on the instant at which it expires.
    pub fn of(revoked_at: Option<DateTime<Utc>>, expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if expires_at.is_none_or(|end| now < end) {
            Self::Active
        } else {
            Self::Expired
        }
    }
}

impl ApiKey {
    /// What has become of it by `now`.
    pub fn status(&self, now: DateTime<Utc>) -> KeyStatus {
        KeyStatus::of(self.revoked_at, self.expires_at, now)
    }
}

impl ServiceAccount {
    /// What has become of it by `now`.
    pub fn status(&self, now: DateTime<Utc>) -> KeyStatus {
        KeyStatus::of(self.revoked_at, self.expires_at, now)
    }
}

/// When a key made at `now` and given so many days is over; `None` for one that is given none.
pub fn end(now: DateTime<Utc>, days: Option<i64>) -> Option<DateTime<Utc>> {
    days.map(|days| TimeDelta::try_days(days).and_then(|life| now.checked_add_signed(life)).unwrap_or(now))
}

/// Whether a key of an organization may have it at all. Never what makes accounts, opens the organization to others or
/// makes keys, since whoever holds a key could get with it what the key was not given; and never a person's own account.
/// There is no wildcard: a new permission is decided here.
pub const fn is_for_api_keys(permission: Permission) -> bool {
    match permission {
        Permission::UseOwnAccount
        | Permission::WriteUsers
        | Permission::ManageInvitations
        | Permission::ManageApiKeys => false,
        Permission::ReadUsers
        | Permission::ReadOrganization
        | Permission::WriteOrganization
        | Permission::ReadAuditTrail
        | Permission::ReadPartners
        | Permission::WritePartners
        | Permission::ReadAccounts
        | Permission::WriteAccounts
        | Permission::InspectTokens
        | Permission::RevokeTokens
        | Permission::FollowRevocations => true,
    }
}

/// All of those, in the order of the table.
pub const FOR_API_KEYS: [Permission; 11] = [
    Permission::ReadUsers,
    Permission::ReadOrganization,
    Permission::WriteOrganization,
    Permission::ReadAuditTrail,
    Permission::ReadPartners,
    Permission::WritePartners,
    Permission::ReadAccounts,
    Permission::WriteAccounts,
    Permission::InspectTokens,
    Permission::RevokeTokens,
    Permission::FollowRevocations,
];

/// What a service account of the operator's may have: what services ask that check tokens by themselves.
pub const FOR_SERVICE_ACCOUNTS: [Permission; 3] =
    [Permission::InspectTokens, Permission::RevokeTokens, Permission::FollowRevocations];

/// The first of these that somebody with these roles may not give to a key: one that no key has, or one they do not hold.
/// It is asked when the key is made, and [`allows`] again whenever it is used.
pub fn not_grantable(wanted: &[Permission], held: &RoleSet) -> Option<usize> {
    wanted.iter().position(|permission| !is_for_api_keys(*permission) || !permission.granted_to(held))
}

/// Whether a key with these permissions, made by somebody who holds these roles now, allows it.
pub fn allows(given: &PermissionSet, creator: &RoleSet, permission: Permission) -> bool {
    is_for_api_keys(permission) && given.contains(permission) && permission.granted_to(creator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_name_is_trimmed_and_has_one_to_100_characters_on_one_line() {
        assert_eq!(KeyName::parse("  Books – nightly \n").unwrap().as_str(), "Books – nightly");
        assert!(KeyName::parse(&"ß".repeat(100)).is_ok());
        for (text, error) in [
            ("", BadKeyName::Length),
            (" \t ", BadKeyName::Length),
            (&"ß".repeat(101), BadKeyName::Length),
            ("a\nb", BadKeyName::Control),
            ("a\0b", BadKeyName::Control),
            ("a\u{85}b", BadKeyName::Control),
        ] {
            assert_eq!(KeyName::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_key_is_over_on_the_instant_and_stays_revoked() {
        let status = |revoked, end| KeyStatus::of(revoked, end, at(1_000));
        assert_eq!(status(None, None), KeyStatus::Active);
        assert_eq!(
            (status(None, Some(at(1_001))), status(None, Some(at(1_000)))),
            (KeyStatus::Active, KeyStatus::Expired)
        );
        assert_eq!(status(Some(at(0)), Some(at(1))), KeyStatus::Revoked);
        assert_eq!((end(at(0), Some(1)), end(at(0), None)), (Some(at(86_400)), None));
        assert_eq!(end(at(0), Some(i64::MAX)), Some(at(0)), "what cannot be counted is over at once");
    }

    #[test]
    fn a_key_allows_what_it_was_given_and_its_creator_holds_now() {
        let role_sets = (0..16_u8).map(|bits| -> RoleSet {
            Role::ALL
                .into_iter()
                .enumerate()
                .filter(|(place, _)| bits & (1 << place) != 0)
                .map(|(_, role)| role)
                .collect()
        });
        for roles in role_sets {
            for permission in Permission::ALL {
                let alone: PermissionSet = [permission].into_iter().collect();
                let others: PermissionSet = Permission::ALL.into_iter().filter(|other| *other != permission).collect();
                let expected = permission.granted_to(&roles) && is_for_api_keys(permission);
                assert_eq!(allows(&alone, &roles, permission), expected, "{permission:?} {roles:?}");
                assert!(!allows(&others, &roles, permission), "{permission:?} {roles:?}");
                assert_eq!(not_grantable(&[permission], &roles), (!expected).then_some(0));
            }
        }
        let cashier: RoleSet = [Role::Cashier].into_iter().collect();
        let wanted = [Permission::ReadPartners, Permission::WritePartners];
        assert_eq!((not_grantable(&wanted, &cashier), not_grantable(&wanted[..1], &cashier)), (Some(1), None));
    }

    #[test]
    fn nobody_gives_a_key_the_own_account_other_peoples_accounts_or_keys() {
        let never: Vec<_> = Permission::ALL.into_iter().filter(|permission| !is_for_api_keys(*permission)).collect();
        assert_eq!(
            never.iter().map(|p| p.code()).collect::<Vec<_>>(),
            ["own_account", "write_users", "manage_invitations", "manage_api_keys"]
        );
    }
}
