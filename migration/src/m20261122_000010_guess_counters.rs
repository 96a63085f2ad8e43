//! Wrong guesses at accounts. A key is a MAC, so no row tells whose it is, and addresses that nobody has look alike.

use crate::change::NewTables;
use crate::table::Kind::{Integer, Timestamp, Varchar};
use crate::table::Part::{Check, Column, Index};
use crate::table::Schema::Auth;
use crate::table::Table;

pub(crate) const CHANGE: NewTables = NewTables { name: "m20261122_000010_guess_counters", tables: &[GUESS_COUNTERS] };

/// `previous_at` is what `counted_at` was before the newest guess, for one that turns out not to count. The key is no
/// `char`: PostgreSQL would compare that with a text parameter without the index.
const GUESS_COUNTERS: Table = Table {
    schema: Auth,
    name: "guess_counters",
    parts: &[
        Column("key", Varchar(64), "NOT NULL PRIMARY KEY"),
        Column("failures", Integer, "NOT NULL"),
        Column("counted_at", Timestamp, "NOT NULL"),
        Column("previous_at", Timestamp, "NOT NULL"),
        Check("failures", "failures >= 0"),
        Index("counted_at"),
    ],
};
