//! `auth`: companies that have signed up and have not confirmed their address yet.

use crate::change::NewTables;
use crate::table::Kind::{Char, Timestamp, Varchar};
use crate::table::Part::{Column, Id, Index, Now, Unique};
use crate::table::Schema::Auth;
use crate::table::Table;

pub(crate) const CHANGE: NewTables = NewTables { name: "m20261122_000014_sign_ups", tables: &[SIGN_UPS] };

/// Everything that the organization and its first owner are made of once the link is opened. Until then there is
/// neither, so nothing refers to this, an address is not taken by who cannot read its mail, and what is never confirmed goes without
/// a trace. Several may wait for one address: none voids another.
const SIGN_UPS: Table = Table {
    schema: Auth,
    name: "sign_ups",
    parts: &[
        Id,
        Column("email", Varchar(255), "NOT NULL"),
        Column("full_name", Varchar(255), "NOT NULL"),
        Column("password_hash", Varchar(255), "NOT NULL"),
        Column("organization_name", Varchar(255), "NOT NULL"),
        Column("tax_code", Varchar(50), ""),
        Column("token_hash", Char(64), "NOT NULL"),
        Column("expires_at", Timestamp, "NOT NULL"),
        Now("created_at"),
        Now("updated_at"),
        Unique("token_hash"),
        Index("expires_at"),
    ],
};
