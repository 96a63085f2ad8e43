//! One newtype per identifier, so that an organization's id can never be passed for a user's.

use std::fmt;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a database key. Any integer is accepted: an id without a row is simply not found.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The database key.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id!(
    /// Key of `core.users`.
    UserId
);
row_id!(
    /// Key of `core.organizations`: the tenant.
    OrgId
);
row_id!(
    /// Key of `finance.customers` or `finance.suppliers`; which of them, the place says.
    PartnerId
);
row_id!(
    /// Key of `finance.accounts`.
    AccountId
);
row_id!(
    /// Key of `auth.invitations`.
    InvitationId
);
row_id!(
    /// Key of `auth.api_keys`.
    ApiKeyId
);

/// Key of `auth.sessions`: one log-in on one device. It is not a secret; the token's signature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(uuid::Uuid);

impl SessionId {
    /// Wraps a UUID read from a token or a row.
    pub const fn new(id: uuid::Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    pub const fn get(self) -> uuid::Uuid {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
