//! The vocabulary in which the migrations describe tables. How each engine spells it is the business of `dialect`.

/// The four schemas; SQLite knows none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    Core,
    Finance,
    Analytics,
    Auth,
}

impl Schema {
    pub(crate) const ALL: [Self; 4] = [Self::Core, Self::Finance, Self::Analytics, Self::Auth];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Finance => "finance",
            Self::Analytics => "analytics",
            Self::Auth => "auth",
        }
    }
}

/// A table and everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: Schema,
    pub(crate) name: &'static str,
    pub(crate) parts: &'static [Part],
}

/// A column, a constraint or an index. Column lists are written `a, b`; the names of constraints and indexes follow
/// from the table and the columns (`uq_users_email`), those of checks from the table and a word (`ck_users_email`).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// `id`, given by the database and never reused.
    Id,
    /// `org_id`, the owner of the row.
    Org,
    /// `status`, active or inactive.
    Active,
    /// A column that names a user; not indexed.
    Who(&'static str),
    /// A time that defaults to the present.
    Now(&'static str),
    /// A column with its type and what follows it: `NOT NULL DEFAULT 0`.
    Column(&'static str, Kind, &'static str),
    PrimaryKey(&'static str),
    Unique(&'static str),
    /// Unique among the rows that meet a condition. The second field ends the name.
    UniqueWhere(&'static str, &'static str, &'static str),
    Index(&'static str),
    /// Columns, schema and table they refer to, columns there, and what a deletion there does.
    Refers(&'static str, Schema, &'static str, &'static str, OnDelete),
    /// The word of its name, and what must not be false.
    Check(&'static str, &'static str),
    /// A check whose whole name is fixed.
    NamedCheck(&'static str, &'static str),
    /// A check that the engines spell differently: word, PostgreSQL, SQLite.
    CheckPerEngine(&'static str, &'static str, &'static str),
}

/// What happens to a row when the one it refers to is deleted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OnDelete {
    Restrict,
    Cascade,
}

impl OnDelete {
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
        }
    }
}

/// The types of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// At most so many characters.
    Varchar(u16),
    /// Exactly so many characters.
    Char(u16),
    Text,
    Integer,
    BigInt,
    /// Minor units.
    Money,
    Timestamp,
    Date,
    Uuid,
    Json,
}
