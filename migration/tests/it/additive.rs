//! Migrations add. What takes away, renames or tightens breaks the release before, which runs on the schema after.

use sme_pulse_migration::plan;
use sme_pulse_testing::{TestDatabase, on_both_databases};

/// A migration, what it may do all the same, and why: it contracts what no release in use needs any more.
const ALLOWED: &[(&str, &str, &str)] = &[];

/// What a statement does that an older program may not survive.
fn destroys(sql: &str) -> Option<&'static str> {
    let words: Vec<String> = sql
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found.iter().eq(wanted.iter()));
    let alters = has(&["ALTER", "TABLE"]);
    let plain: [(&[&str], &str); 8] = [
        (&["DROP", "TABLE"], "DROP TABLE"),
        (&["DROP", "SCHEMA"], "DROP SCHEMA"),
        (&["DROP", "VIEW"], "DROP VIEW"),
        (&["DROP", "FUNCTION"], "DROP FUNCTION"),
        (&["TRUNCATE", "TABLE"], "TRUNCATE TABLE"),
        (&["SET", "NOT", "NULL"], "SET NOT NULL"),
        (&["DROP", "DEFAULT"], "DROP DEFAULT"),
        (&["DROP", "COLUMN"], "DROP COLUMN"),
    ];
    if let Some((_, name)) = plain.iter().find(|(wanted, _)| has(wanted)) {
        return Some(name);
    }
    if alters && (has(&["RENAME", "TO"]) || has(&["RENAME", "COLUMN"])) {
        return Some("RENAME");
    }
    if alters && !has(&["ADD", "COLUMN"]) && words.iter().any(|word| word == "TYPE") {
        return Some("ALTER TYPE");
    }
    if has(&["ADD", "COLUMN"]) && has(&["NOT", "NULL"]) && !has(&["DEFAULT"]) {
        return Some("ADD COLUMN NOT NULL");
    }
    None
}

on_both_databases! {
    async fn no_migration_takes_away_or_tightens_what_the_release_before_uses(db: TestDatabase) {
        let changes = plan(&db.connect().await).await.unwrap().changes;
        assert!(changes.iter().any(|change| !change.statements.is_empty()));
        for change in changes {
            // The bodies of functions and triggers come apart as well, which does no harm.
            for sql in change.statements.iter().flat_map(|text| text.split(';')) {
                let Some(what) = destroys(sql) else { continue };
                let allowed = ALLOWED.iter().any(|(name, done, _)| *name == change.name && *done == what);
                assert!(allowed, "{}: {what} in {sql}; see docs/migrations.md", change.name);
            }
        }
    }
}

#[test]
fn what_breaks_the_release_before_is_recognized() {
    for (sql, what) in [
        ("DROP TABLE core.users", "DROP TABLE"),
        ("drop table if exists users", "DROP TABLE"),
        ("ALTER TABLE core.users DROP COLUMN email", "DROP COLUMN"),
        ("ALTER TABLE users RENAME TO people", "RENAME"),
        ("ALTER TABLE users RENAME COLUMN email TO mail", "RENAME"),
        ("ALTER TABLE users ALTER COLUMN email TYPE text", "ALTER TYPE"),
        ("ALTER TABLE users ALTER email SET DATA TYPE text", "ALTER TYPE"),
        ("ALTER TABLE users ALTER email SET NOT NULL", "SET NOT NULL"),
        ("ALTER TABLE users ALTER email DROP DEFAULT", "DROP DEFAULT"),
        ("ALTER TABLE users ADD COLUMN age integer NOT NULL", "ADD COLUMN NOT NULL"),
        ("DROP FUNCTION auth.find(text)", "DROP FUNCTION"),
    ] {
        assert_eq!(destroys(sql), Some(what), "{sql}");
    }
    for sql in [
        "CREATE TABLE core.t (id bigint NOT NULL, type text)",
        "ALTER TABLE users ADD COLUMN age integer NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD COLUMN type text",
        "ALTER TABLE users VALIDATE CONSTRAINT adult",
        "CREATE INDEX users_type ON users (type)",
    ] {
        assert_eq!(destroys(sql), None, "{sql}");
    }
}
