//! `sme-pulse doctor`: what it sees, what it says to do, and that it leaves no trace.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use sme_pulse_testing::{Engine, on_both_databases};

use crate::support::{Home, KEY};

/// What a check found, by its first word; of several the worst counts.
fn level(home: &Home, check: &str) -> (Option<i32>, String) {
    let done = home.run(&["doctor", "--json"]);
    let said: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let levels: Vec<_> = said["checks"].as_array().unwrap().iter().filter(|found| found["check"] == check).collect();
    let worst = ["fail", "warn", "ok"].into_iter().find(|level| levels.iter().any(|found| found["level"] == *level));
    assert_eq!(done.code == Some(0), said["failed"] == 0, "{done:?}");
    (done.code, worst.unwrap_or("missing").to_owned())
}

fn is(code: i32, level: &str) -> (Option<i32>, String) {
    (Some(code), level.to_owned())
}

#[test]
fn on_nothing_it_makes_nothing() {
    let home = Home::bare();
    let done = home.run(&["doctor"]);
    assert!(
        done.code == Some(0) && done.stdout.contains("warn database      there is no data/sme-pulse.db"),
        "{done:?}"
    );
    assert_eq!(std::fs::read_dir(home.folder()).unwrap().count(), 0);
}

#[test]
fn an_unreachable_database_and_a_taken_port_fail() {
    let mut home = Home::bare();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    home.set("DATABASE_URL", "postgres://me:hunter22@127.0.0.1:1/x").set("BACKEND_SMTP_URL", "smtp://127.0.0.1:1");
    let port = taken.local_addr().unwrap().port().to_string();
    let done = crate::support::Done::of(home.command(&["doctor"]).env("BACKEND_PORT", port).spawn().unwrap());
    let failed: Vec<_> = done.stdout.lines().filter_map(|line| line.strip_prefix("FAIL ")?.split(' ').next()).collect();
    assert_eq!((done.code, failed), (Some(1), vec!["database", "mail", "port"]), "{done:?}");
    assert!(!done.stdout.contains("hunter22") && !done.stderr.contains("hunter22"), "{done:?}");
}

on_both_databases! {
    async fn it_sees_what_is_wrong_with_rows_and_says_what_to_do(mut home: Home) {
        home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_ALGORITHM", "EdDSA");
        assert_eq!(level(&home, "schema").0, Some(0));
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        home.serve().await.stop().await;
        // How long the database takes is told as well, and a busy machine takes long.
        assert_eq!(level(&home, "database").0, Some(0));
        for check in ["schema", "rows", "keys", "port"] {
            assert_eq!(level(&home, check), is(0, "ok"), "{check}");
        }
        if home.database().engine() == Engine::Postgres {
            assert_eq!((level(&home, "clock"), level(&home, "row security").0), (is(0, "ok"), Some(0)));
        }

        home.set("BACKEND_ENCRYPTION_KEY", "Yc6Hd3Mf5Gs0JpEk9Qw2Lz7Xv4Tn8Rb1");
        home.set("BACKEND_SECRET_KEY", "Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpEk9Qw2");
        assert_eq!(level(&home, "keys"), is(1, "fail"));
        home.unset("BACKEND_ENCRYPTION_KEY").set("BACKEND_SECRET_KEY", KEY);

        home.set("BACKEND_ENVIRONMENT", "production").set("BACKEND_BCRYPT_COST", "10");
        assert_eq!(level(&home, "passwords"), is(1, "fail"));
        home.succeed(&["users", "reset-password", "admin@sme.com"]);
        assert_eq!(level(&home, "passwords"), is(0, "ok"));
        home.set("BACKEND_AUTO_MIGRATE", "false");
        home.sql("DELETE FROM seaql_migrations WHERE version LIKE 'm20261122_000019%'").await;
        assert_eq!(level(&home, "schema"), is(1, "fail"));
    }
}

#[tokio::test]
async fn files_that_others_can_open_and_damaged_ones_are_named() {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_SECRET_KEY", KEY);
    home.succeed(&["migrate"]);
    let file = home.database().file().unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!((level(&home, "database file"), level(&home, "integrity").1.as_str()), (is(0, "warn"), "missing"));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[30 * 4096..31 * 4096].fill(0xff);
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(level(&home, "integrity"), is(1, "fail"));
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}
