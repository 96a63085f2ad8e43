//! One error for the layer, made from SeaORM's in one place: what the layers above can act on, and nothing else.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

/// Why the storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or no connection was free in time.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// Another transaction was in the way (deadlock, serialization, busy file): trying again may help.
    #[error("the database is busy")]
    Busy(#[source] DbErr),
    /// A constraint refused the row.
    #[error("a database constraint refused the row ({0:?})")]
    Refused(Violation, #[source] DbErr),
    /// A stored row cannot be read as what it should be.
    #[error("a stored {0} cannot be read")]
    Unreadable(&'static str),
    /// Anything else.
    #[error("the database failed")]
    Failed(#[source] DbErr),
}

/// Which kind of constraint refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A unique index; the text names the index (PostgreSQL) or its columns (SQLite).
    Unique(String),
    /// A foreign key.
    Reference,
    /// A check, or a missing value.
    Check,
}

impl StoreError {
    /// Whether the same transaction may succeed when tried again.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// Whether a unique index over this column refused (both engines name the column: PostgreSQL in the index's
    /// name, SQLite in the message).
    pub fn is_duplicate_of(&self, column: &str) -> bool {
        matches!(self, Self::Refused(Violation::Unique(name), _) if name.contains(column))
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match classify(&error) {
            Class::Unavailable => Self::Unavailable(error),
            Class::Busy => Self::Busy(error),
            Class::Refused(violation) => Self::Refused(violation, error),
            Class::Other => Self::Failed(error),
        }
    }
}

enum Class {
    Unavailable,
    Busy,
    Refused(Violation),
    Other,
}

fn classify(error: &DbErr) -> Class {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => Class::Unavailable,
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => classify_driver(cause),
        _ => Class::Other,
    }
}

fn classify_driver(cause: &SqlxError) -> Class {
    match cause {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Class::Unavailable,
        SqlxError::Database(database) => {
            let code = database.code().unwrap_or_default();
            let name = || database.constraint().map_or_else(|| database.message().to_owned(), str::to_owned);
            classify_code(&code, name)
        }
        _ => Class::Other,
    }
}

/// SQLSTATE classes (PostgreSQL appendix A) and SQLite's extended result codes. The two never share a code: the
/// former have five characters, the latter at most four.
fn classify_code(code: &str, name: impl Fn() -> String) -> Class {
    match code {
        "23505" | "1555" | "2067" => Class::Refused(Violation::Unique(name())),
        // 1811: a trigger's abort, which is how SQLite reports ON DELETE RESTRICT.
        "23503" | "23001" | "787" | "1811" => Class::Refused(Violation::Reference),
        "23514" | "23502" | "22001" | "275" | "1299" => Class::Refused(Violation::Check),
        "40001" | "40P01" | "55P03" => Class::Busy,
        // Refused while connecting: no such database, wrong role or password, a database closed for maintenance. An
        // operator mends these, and requests work again by themselves.
        "3D000" | "28000" | "28P01" | "55000"
        // Disk full, out of memory, too many connections, shutting down, not yet accepting.
        | "53100" | "53200" | "53300" | "57P01" | "57P02" | "57P03" => Class::Unavailable,
        other if other.starts_with("08") => Class::Unavailable,
        other => classify_sqlite_code(other),
    }
}

/// The low byte of SQLite's extended codes is the kind of failure, the rest says where it happened.
fn classify_sqlite_code(code: &str) -> Class {
    // SQLSTATEs may consist of digits too.
    let extended = if code.len() < 5 { code.parse::<u16>().unwrap_or_default() } else { 0 };
    match extended & 0xff {
        // Busy, locked.
        5 | 6 => Class::Busy,
        // Disk I/O, disk full, cannot open.
        10 | 13 | 14 => Class::Unavailable,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(code: &str) -> &'static str {
        match classify_code(code, String::new) {
            Class::Unavailable => "unavailable",
            Class::Busy => "busy",
            Class::Refused(_) => "refused",
            Class::Other => "other",
        }
    }

    #[test]
    fn a_code_is_classified_wherever_the_failure_happened() {
        for code in ["5", "6", "261", "262", "517", "773", "40001", "40P01", "55P03"] {
            assert_eq!(word(code), "busy", "{code}");
        }
        for code in ["10", "266", "778", "1034", "8970", "13", "14", "526", "08006", "53100", "57P03"] {
            assert_eq!(word(code), "unavailable", "{code}");
        }
        for code in ["1555", "2067", "787", "1811", "275", "1299", "23505", "23503", "23514"] {
            assert_eq!(word(code), "refused", "{code}");
        }
        for code in ["", "1", "8", "11", "26", "42703", "22005", "0A000"] {
            assert_eq!(word(code), "other", "{code}");
        }
    }
}
