//! `sme-pulse migrate` on both engines: what it does, says, refuses, and what is there afterwards.

use sme_pulse_testing::{Engine, on_both_databases};

use crate::support::{Done, Home, KEY};

/// The list, oldest first.
pub(crate) const CHANGES: [&str; 19] = [
    "m20261122_000001_schemas",
    "m20261122_000002_core",
    "m20261122_000003_finance_partners",
    "m20261122_000004_finance_documents",
    "m20261122_000005_analytics",
    "m20261122_000006_auth",
    "m20261122_000007_change_notices",
    "m20261122_000008_quieter_notices",
    "m20261122_000009_second_factor",
    "m20261122_000010_guess_counters",
    "m20261122_000011_audit_evidence",
    "m20261122_000012_memberships",
    "m20261122_000013_invitations",
    "m20261122_000014_sign_ups",
    "m20261122_000015_row_level_security",
    "m20261122_000016_given_passwords",
    "m20261122_000017_revocations",
    "m20261122_000018_signing_keys",
    "m20261122_000019_api_keys",
];
/// The place of the newest.
const LAST: usize = CHANGES.len() - 1;
const CURRENT: &str = "The schema is current; nothing to do.\n";

fn lines(word: &str, names: &[&str]) -> String {
    names.iter().flat_map(|name| [word, name, "\n"]).collect()
}

fn production(home: &mut Home) {
    home.set("BACKEND_ENVIRONMENT", "production").set("BACKEND_BCRYPT_COST", "10").set("BACKEND_SECRET_KEY", KEY);
}

on_both_databases! {
    async fn up_down_status_and_fresh_do_what_they_say(home: Home) {
        assert_eq!(home.succeed(&["migrate", "status"]), lines("pending  ", &CHANGES));
        assert_eq!(home.succeed(&["migrate"]), lines("Applied ", &CHANGES));
        assert_eq!(home.succeed(&["migrate", "up"]), CURRENT);
        assert_eq!(home.succeed(&["migrate", "status"]), lines("applied  ", &CHANGES));

        assert_eq!(home.succeed(&["migrate", "down"]), lines("Took back ", &CHANGES[LAST..]));
        let status = lines("applied  ", &CHANGES[..LAST]) + &lines("pending  ", &CHANGES[LAST..]);
        assert_eq!(home.succeed(&["migrate", "status"]), status);
        let rest: Vec<&str> = CHANGES[..LAST].iter().rev().copied().collect();
        assert_eq!(home.succeed(&["migrate", "down", "--steps", "99"]), lines("Took back ", &rest));
        assert_eq!(home.succeed(&["migrate", "up"]), lines("Applied ", &CHANGES));

        home.succeed(&["seed"]);
        assert_eq!(home.succeed(&["migrate", "fresh"]), lines("Applied ", &CHANGES));
        assert_eq!(home.seeded().await, [0; 7]);
    }

    async fn a_plan_is_what_would_be_done_and_does_nothing(home: Home) {
        let plan = home.succeed(&["migrate", "--plan"]);
        assert!(CHANGES.iter().all(|name| plan.contains(&format!("\n-- {name}\n"))), "{plan}");
        assert!(plan.contains("CREATE TABLE") && plan.contains("\nCOMMIT;\n"), "{plan}");
        assert_eq!(home.succeed(&["migrate", "plan"]), plan);
        if let Some(file) = home.database().file() {
            assert!(!file.exists(), "not even the file");
        }
        assert_eq!(home.succeed(&["migrate", "status"]), lines("pending  ", &CHANGES));
        home.succeed(&["migrate"]);
        assert_eq!(home.succeed(&["migrate", "--plan"]), "-- Nothing is pending.\n");
        let done = home.run(&["migrate", "--plan", "down"]);
        assert_eq!(done.code, Some(2), "{done:?}");
    }

    async fn outside_development_data_is_removed_only_with_force(mut home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        production(&mut home);
        for action in ["down", "fresh"] {
            let done = home.run(&["migrate", action]);
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
            assert!(done.complaint().contains("--force"), "{done:?}");
            assert_eq!(home.seeded().await, [4, 1, 1, 2, 2, 2, 2]);
        }
        home.succeed(&["migrate", "down", "--force"]);
        home.succeed(&["migrate"]);
        home.succeed(&["migrate", "fresh", "--force"]);
        assert_eq!(home.seeded().await, [0; 7]);
    }

    async fn migrators_that_start_together_do_the_work_once(home: Home) {
        let started: Vec<_> = (0..4).map(|_| home.start(&["migrate"])).collect();
        let done: Vec<Done> = started.into_iter().map(Done::of).collect();
        assert!(done.iter().all(|done| done.code == Some(0)), "{done:?}");
        let (idle, worked): (Vec<_>, Vec<_>) = done.iter().partition(|done| done.stdout == CURRENT);
        assert_eq!((idle.len(), worked.len()), (3, 1), "{done:?}");
        assert_eq!(worked[0].stdout, lines("Applied ", &CHANGES));
    }

    async fn pending_changes_stop_a_server_that_may_not_make_them(mut home: Home) {
        home.set("BACKEND_AUTO_MIGRATE", "false");
        let done = home.run(&["serve"]);
        assert_eq!(done.code, Some(1));
        assert!(done.complaint().contains(&format!("{} migrations are pending", CHANGES.len())), "{done:?}");
        home.succeed(&["migrate"]);
        assert_eq!(home.serve().await.get("/health/ready").await.status, 200);
        home.set("BACKEND_AUTO_MIGRATE", "true");
        home.succeed(&["migrate", "down"]);
        assert_eq!(home.serve().await.get("/health/ready").await.status, 200);
    }

    async fn a_schema_of_a_later_version_is_served_and_not_changed(home: Home) {
        home.succeed(&["migrate"]);
        home.sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_later', 0)").await;
        assert_eq!(home.serve().await.get("/health/ready").await.status, 200);
        let done = home.run(&["migrate", "down"]);
        assert_eq!(done.code, Some(1));
        assert!(done.complaint().contains("m29991231_000001_later"), "{done:?}");
        assert!(home.succeed(&["migrate", "status"]).ends_with("applied  m29991231_000001_later\n"));
        for action in [&["migrate"][..], &["migrate", "--plan"]] {
            let said = home.succeed(action);
            assert!(said.contains("newer than this program") && said.contains("m29991231_000001_later"), "{said}");
        }
    }

    async fn migrated_and_seeded_it_is_fourteen_tables_in_three_schemas(home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        assert_eq!(home.seeded().await[..4], [4, 1, 1, 2]);
        let ours = "schemaname IN ('core', 'finance', 'analytics')";
        match home.database().engine() {
            Engine::Postgres => {
                let tables = format!("SELECT COUNT(*) FROM pg_tables WHERE {ours}");
                let schemas = format!("SELECT COUNT(DISTINCT schemaname) FROM pg_tables WHERE {ours}");
                assert_eq!(home.numbers(&format!("{tables} UNION ALL {schemas}")).await, [14, 3]);
                let list = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
                assert_eq!(home.texts(list).await, ["seaql_migrations"]);
            }
            Engine::Sqlite => {
                let modes = home.texts("PRAGMA journal_mode").await;
                assert_eq!(modes, ["wal"]);
            }
        }
    }
}

#[test]
fn an_unreachable_database_fails_the_command_without_its_password() {
    let mut home = Home::bare();
    home.set("DATABASE_URL", "postgres://user:hunter22@127.0.0.1:1/x");
    let started = [&["migrate"][..], &["migrate", "status"], &["seed"]].map(|args| home.start(args));
    for done in started.map(Done::of) {
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(!done.complaint().contains("hunter22"), "{done:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let home = Home::bare();
    let file = home.folder().join("data/sme-pulse.db");
    std::fs::create_dir(home.folder().join("data")).unwrap();
    let text = "this is somebody's diary and no database at all\n".repeat(99);
    std::fs::write(&file, &text).unwrap();
    for args in [&["migrate"][..], &["migrate", "fresh"], &["serve"]] {
        let done = home.run(args);
        assert_eq!(done.code, Some(1), "{args:?} {done:?}");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
}
