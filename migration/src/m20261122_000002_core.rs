//! `core`: organizations, roles, users and who holds which role.

use crate::change::NewTables;
use crate::table::Kind::{BigInt, Text, Timestamp, Varchar};
use crate::table::OnDelete::{Cascade, Restrict};
use crate::table::Part::{Active, CheckPerEngine, Column, Id, Index, Now, Org, PrimaryKey, Refers, Unique};
use crate::table::Schema::Core;
use crate::table::Table;

pub(crate) const CHANGE: NewTables =
    NewTables { name: "m20261122_000002_core", tables: &[ORGANIZATIONS, ROLES, USERS, USER_ROLES] };

const ORGANIZATIONS: Table = Table {
    schema: Core,
    name: "organizations",
    parts: &[
        Id,
        Column("name", Varchar(255), "NOT NULL"),
        Column("tax_code", Varchar(50), ""),
        Column("address", Text, ""),
        Column("phone", Varchar(50), ""),
        Column("email", Varchar(255), ""),
        Active,
        Now("created_at"),
        Now("updated_at"),
        Unique("tax_code"),
    ],
};

const ROLES: Table = Table {
    schema: Core,
    name: "roles",
    parts: &[
        Id,
        Column("code", Varchar(50), "NOT NULL"),
        Column("name", Varchar(100), "NOT NULL"),
        Column("description", Text, ""),
        Now("created_at"),
        Now("updated_at"),
        Unique("code"),
    ],
};

const USERS: Table = Table {
    schema: Core,
    name: "users",
    parts: &[
        Id,
        Org,
        Column("email", Varchar(255), "NOT NULL"),
        Column("password_hash", Varchar(255), "NOT NULL"),
        Column("full_name", Varchar(255), ""),
        Active,
        Column("last_login_at", Timestamp, ""),
        Column("password_changed_at", Timestamp, ""),
        Now("created_at"),
        Now("updated_at"),
        Unique("email"),
        // In the C collation only A to Z are folded, which is what SQLite's lower does.
        CheckPerEngine("email", "email = lower(email COLLATE \"C\")", "email = lower(email)"),
        Index("org_id, created_at, id"),
    ],
};

const USER_ROLES: Table = Table {
    schema: Core,
    name: "user_roles",
    parts: &[
        Column("user_id", BigInt, "NOT NULL"),
        Org,
        Column("role_id", BigInt, "NOT NULL"),
        Now("created_at"),
        Now("updated_at"),
        PrimaryKey("user_id, org_id, role_id"),
        Refers("user_id", Core, "users", "id", Cascade),
        Refers("role_id", Core, "roles", "id", Restrict),
        Index("org_id, role_id"),
        Index("role_id"),
    ],
};
