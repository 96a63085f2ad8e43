//! A plan as SQL with comments. Run by hand, it does what `up` does.

use std::collections::BTreeMap;
use std::fmt;

use sea_orm_migration::sea_orm::sea_query::{PostgresQueryBuilder, SqliteQueryBuilder};
use sea_orm_migration::sea_orm::{DbBackend, Schema};
use sea_orm_migration::seaql_migrations;

use super::{Plan, PlannedChange, TableLock};
use crate::dialect::Dialect;
use crate::exclusive::{PREPARE, alone};
use crate::m20261122_000007_change_notices::TELL_ALL;
use crate::runtime_role::GRANT;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return self.nothing(f);
        }
        let (engine, begin) = match self.dialect {
            Dialect::Postgres => ("PostgreSQL", "BEGIN"),
            Dialect::Sqlite => ("SQLite", "BEGIN IMMEDIATE"),
        };
        writeln!(f, "-- What `sme-pulse migrate` would send to {engine}: {}.", counted(self.changes.len()))?;
        writeln!(f, "-- Nothing was changed. Run by hand, this does the same.")?;
        self.locks(f)?;
        writeln!(f, "\n{begin};")?;
        if self.dialect == Dialect::Postgres {
            for statement in PREPARE {
                writeln!(f, "{statement};")?;
            }
            writeln!(f, "{};", alone())?;
        }
        if self.begins {
            writeln!(f, "{};", self.list())?;
        }
        for change in &self.changes {
            self.change(f, change)?;
        }
        if self.dialect == Dialect::Postgres {
            writeln!(f, "\n-- Servers forget what they remember.\n{TELL_ALL};")?;
        }
        writeln!(f, "COMMIT;")?;
        if self.dialect == Dialect::Postgres {
            writeln!(f, "\n-- Then the role that serves requests gets what it needs, if it exists:")?;
            for line in GRANT.lines().filter(|line| !line.is_empty()) {
                writeln!(f, "--   {line}")?;
            }
        }
        Ok(())
    }
}

impl Plan {
    fn nothing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "-- Nothing is pending.")?;
        if !self.unknown.is_empty() {
            writeln!(f, "-- The schema is newer than this program: {}.", self.unknown.join(", "))?;
        }
        Ok(())
    }

    fn locks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dialect == Dialect::Sqlite {
            writeln!(
                f,
                "-- Locks: the one write lock of the file, from BEGIN to COMMIT. Readers go on, writers wait."
            )?;
            return Ok(());
        }
        let mut strongest: BTreeMap<&str, &TableLock> = BTreeMap::new();
        for lock in self.changes.iter().flat_map(|change| &change.locks) {
            let known = strongest.entry(&lock.table).or_insert(lock);
            if lock.strength() > known.strength() {
                *known = lock;
            }
        }
        if strongest.is_empty() {
            return writeln!(f, "-- Locks on tables that are there now: none.");
        }
        writeln!(f, "-- Locks on tables that are there now, the strongest of each, held until COMMIT:")?;
        for lock in strongest.values() {
            writeln!(f, "--   {} {}: {}", lock.table, lock.mode, lock.effect())?;
        }
        Ok(())
    }

    fn change(&self, f: &mut fmt::Formatter<'_>, change: &PlannedChange) -> fmt::Result {
        writeln!(f, "\n-- {}", change.name)?;
        for lock in &change.locks {
            writeln!(f, "-- takes {} on {}", lock.mode, lock.table)?;
        }
        for statement in &change.statements {
            writeln!(f, "{};", statement.trim_end_matches(';'))?;
        }
        let now = match self.dialect {
            Dialect::Postgres => "CAST(extract(epoch FROM now()) AS bigint)",
            Dialect::Sqlite => "CAST(strftime('%s', 'now') AS INTEGER)",
        };
        writeln!(f, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('{}', {now});", change.name)
    }

    /// The table of what was applied, as the migration library makes it.
    fn list(&self) -> String {
        match self.dialect {
            Dialect::Postgres => Schema::new(DbBackend::Postgres)
                .create_table_from_entity(seaql_migrations::Entity)
                .if_not_exists()
                .to_string(PostgresQueryBuilder),
            Dialect::Sqlite => Schema::new(DbBackend::Sqlite)
                .create_table_from_entity(seaql_migrations::Entity)
                .if_not_exists()
                .to_string(SqliteQueryBuilder),
        }
    }
}

fn counted(changes: usize) -> String {
    if changes == 1 { "one migration".to_owned() } else { format!("{changes} migrations") }
}
