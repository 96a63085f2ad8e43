//! `auth`: invitations into an organization.

use crate::change::NewTables;
use crate::table::Kind::{Char, Timestamp, Varchar};
use crate::table::Part::{Column, Id, Index, Now, Org, Unique, Who};
use crate::table::Schema::Auth;
use crate::table::Table;

pub(crate) const CHANGE: NewTables = NewTables { name: "m20261122_000013_invitations", tables: &[INVITATIONS] };

/// `roles` are codes with a space between. Sending one again puts another hash in the place of the first. One that was
/// accepted or revoked stays as history.
const INVITATIONS: Table = Table {
    schema: Auth,
    name: "invitations",
    parts: &[
        Id,
        Org,
        Column("email", Varchar(255), "NOT NULL"),
        Column("roles", Varchar(100), "NOT NULL"),
        Column("token_hash", Char(64), "NOT NULL"),
        Column("expires_at", Timestamp, "NOT NULL"),
        Column("accepted_at", Timestamp, ""),
        Column("revoked_at", Timestamp, ""),
        Who("invited_by"),
        Who("accepted_by"),
        Now("created_at"),
        Now("updated_at"),
        Unique("token_hash"),
        Index("org_id, created_at, id"),
        Index("org_id, email"),
    ],
};
