//! `sme-pulse audit`: what an operator exports, anybody checks.

use std::fs;

use sme_pulse_testing::{Engine, on_both_databases};

use crate::support::{Done, Home, KEY, assert_unbroken_audit_trail};

/// A home with a seeded database, a log-in and one that was refused.
async fn furnished(home: &mut Home) {
    home.set("BACKEND_SECRET_KEY", KEY);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let mut server = home.serve().await;
    assert_eq!(server.log_in().await.status, 200);
    server.stop().await;
}

/// Checks a file where there is nothing else: no configuration, no database, no secret.
fn verify(file: &str, more: &[&str]) -> Done {
    let elsewhere = Home::bare();
    fs::write(elsewhere.folder().join("trail.jsonl"), file).unwrap();
    // Neither of the two may be read.
    fs::write(elsewhere.folder().join(".env"), "BACKEND_PORT=no number\n").unwrap();
    elsewhere.run(&[&["audit", "verify", "trail.jsonl"], more].concat())
}

on_both_databases! {
    async fn an_export_is_checked_without_a_database_and_tampering_is_named(mut home: Home) {
        furnished(&mut home).await;
        let file = home.succeed(&["audit", "export"]);
        let key = home.succeed(&["audit", "key"]);
        let done = verify(&file, &["--public-key", key.trim()]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
        assert!(done.stdout.starts_with("OK: 2 events, from ") && done.stdout.contains(", 1 checkpoint, key "), "{done:?}");
        assert!(verify(&file, &[]).stdout.contains("--public-key"), "it says that the key was not compared");

        let lines: Vec<&str> = file.split_inclusive('\n').collect();
        let without = |line: usize| [&lines[..line], &lines[line + 1..]].concat().concat();
        for (tampered, said) in [
            (file.replace("auth.log_in", "auth.log_out"), "event 2 was edited"),
            (without(1), "event 1 is missing"),
            (without(2), "event 2 is missing: the chain was truncated"),
            (without(3), "a line that is no event was changed, added or removed"),
            (without(4), "truncated: it ends before event 3"),
            (file.trim_end().to_owned(), "truncated"),
            (String::new(), "line 1: the file is empty"),
        ] {
            let done = verify(&tampered, &[]);
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
            assert!(done.complaint().contains(said), "{said}: {done:?}");
        }
        let other = verify(&file, &["--public-key", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]);
        assert!(other.code == Some(1) && other.complaint().contains("wrong key"), "{other:?}");
        assert_eq!(verify(&file, &["--public-key", "x"]).code, Some(2));
        assert_eq!(Home::bare().run(&["audit", "verify", "nowhere"]).code, Some(1));
    }

    async fn a_file_is_written_once_and_for_its_owner_alone(mut home: Home) {
        use std::os::unix::fs::PermissionsExt as _;
        furnished(&mut home).await;
        let args = ["audit", "export", "--organization", "1", "--output", "trail.jsonl"];
        assert_eq!(home.succeed(&args), "");
        let path = home.folder().join("trail.jsonl");
        let whole = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(verify(&whole, &[]).code, Some(0));
        assert_eq!(home.run(&args).code, Some(1), "what is there may be evidence");
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
        let outside = home.succeed(&["audit", "export", "--outside"]);
        assert!(verify(&outside, &[]).stdout.starts_with("OK: 0 events, 0 checkpoints, "));
        assert_eq!(home.run(&["audit", "export", "--organization", "99"]).code, Some(1));
        assert_eq!(home.run(&["audit", "export", "--organization", "1", "--outside"]).code, Some(2));
    }

    async fn an_erased_user_is_gone_from_rows_and_exports_and_the_chain_is_whole(mut home: Home) {
        furnished(&mut home).await;
        assert!(home.succeed(&["audit", "export"]).contains("\"client_ip\":\"127.0.0.1\""));
        assert_eq!(home.succeed(&["audit", "erase", "--user", "Admin@SME.com"]), "Erased personal data from 1 event(s) of user 1.\n");
        let after = home.succeed(&["audit", "export"]);
        assert!(!after.contains("127.0.0.1") && after.contains("audit.personal_data_erased"), "{after}");
        assert!(verify(&after, &[]).stdout.starts_with("OK: 3 events, "));
        assert_eq!(home.numbers("SELECT COUNT(*) FROM auth.audit_log WHERE client_ip IS NOT NULL OR salts IS NOT NULL").await, [0]);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 3);
        assert_eq!(home.succeed(&["audit", "erase", "--user", "1"]), "Erased personal data from 0 event(s) of user 1.\n");
        for nobody in ["99", "nobody@example.com", "no address"] {
            assert_eq!(home.run(&["audit", "erase", "--user", nobody]).code, Some(1), "{nobody}");
        }
    }

    async fn a_broken_chain_is_exported_without_a_signature_and_the_others_with_one(mut home: Home) {
        furnished(&mut home).await;
        home.succeed(&["audit", "export"]);
        let on = |table: &str| if home.database().engine() == Engine::Postgres { format!(" ON auth.{table}") } else { String::new() };
        for (name, table) in [("audit_log_fixed", "audit_log"), ("audit_checkpoints_stay", "audit_checkpoints")] {
            home.sql(&format!("DROP TRIGGER {name}{}", on(table))).await;
        }
        home.sql("UPDATE auth.audit_log SET action = 'forged' WHERE seq = 2").await;
        for checkpoints in [1, 0] {
            let done = home.run(&["audit", "export"]);
            assert_eq!(done.code, Some(1), "{done:?}");
            let said = "organization 1: event 2 was edited: its hash is not that of its content; everything there is was written, without a signed end";
            assert!(done.stderr.contains(said), "{done:?}");
            assert_eq!(done.stderr.contains("Audit chain broken"), checkpoints == 0, "it was to be signed: {done:?}");
            assert!(done.stdout.contains("\"forged\"") && !done.stdout.contains("\"type\":\"end\""), "{done:?}");
            assert!(verify(&done.stdout, &[]).complaint().contains("event 2 was edited"));
            assert_eq!(home.numbers("SELECT COUNT(*) FROM auth.audit_checkpoints").await, [checkpoints]);
            let file = format!("{checkpoints}.jsonl");
            assert_eq!(home.run(&["audit", "export", "--organization", "1", "--output", &file]).code, Some(1));
            assert_eq!(verify(&fs::read_to_string(home.folder().join(&file)).unwrap(), &[]).code, Some(1));
            assert!(verify(&home.succeed(&["audit", "export", "--outside"]), &[]).stdout.starts_with("OK: 0 events"));
            // Whoever may drop triggers may also remove what was signed.
            home.sql("DELETE FROM auth.audit_checkpoints").await;
        }
    }

    async fn what_was_done_to_the_database_is_found_in_place(mut home: Home) {
        furnished(&mut home).await;
        home.succeed(&["audit", "export"]);
        let checked = home.succeed(&["audit", "check"]);
        assert!(checked.starts_with("OK: organization 1: 2 events, from ") && checked.ends_with(", 1 checkpoint\n"), "{checked}");
        let on = if home.database().engine() == Engine::Postgres { " ON auth.audit_log" } else { "" };
        for name in ["audit_log_fixed", "audit_log_stays", "audit_log_erasure"] {
            home.sql(&format!("DROP TRIGGER {name}{on}")).await;
        }
        for (change, undo, said) in [
            ("UPDATE auth.audit_log SET action = 'x' WHERE seq = 2", "UPDATE auth.audit_log SET action = 'auth' || '.log_in' WHERE seq = 2", "organization 1: event 2 was edited"),
            ("UPDATE auth.audit_log SET client_ip = '::1' WHERE seq = 2", "UPDATE auth.audit_log SET client_ip = '127.0.0.1' WHERE seq = 2", "organization 1: event 2 was edited"),
            ("UPDATE auth.audit_log SET before = '[1]' WHERE seq = 1", "UPDATE auth.audit_log SET before = NULL WHERE seq = 1", "organization 1: event 1 was edited"),
            ("UPDATE auth.audit_heads SET seq = 3", "UPDATE auth.audit_heads SET seq = 2", "organization 1: event 3 is missing: the chain was truncated"),
            ("DELETE FROM auth.audit_log WHERE seq = 1", "", "organization 1: event 1 is missing"),
            ("DELETE FROM auth.audit_log; DELETE FROM auth.audit_heads", "", "event 1 is missing: the chain was truncated"),
        ] {
            home.sql(change).await;
            let done = home.run(&["audit", "check", "--organization", "1"]);
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{change} {done:?}");
            assert!(done.stderr.contains(said), "{said}: {done:?}");
            if !undo.is_empty() {
                home.sql(undo).await;
            }
        }
        home.set("BACKEND_SECRET_KEY", "another-Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE");
        let done = home.run(&["audit", "check"]);
        assert!(done.code == Some(1) && done.stderr.contains("truncated") || done.stderr.contains("not trusted"), "{done:?}");
    }
}
