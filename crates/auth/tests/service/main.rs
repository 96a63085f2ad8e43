//! The authentication service on both engines: what it remembers, and how fast it forgets.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod api_keys;
mod audit;
mod factor;
mod guesses;
mod isolation;
mod key_set;
mod key_switch;
mod revocations;
mod support;

use std::time::Duration;

use sme_pulse_auth::{AccessError, service::ShownProof};
use sme_pulse_domain::audit::Origin;
use sme_pulse_testing::{Engine, on_both_databases};
use support::{Office, eventually};

on_both_databases! {
    async fn a_log_out_is_seen_by_the_next_request_of_the_same_process(office: Office) {
        let token = office.here.token().await;
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        office.here.auth.log_out(&caller, &Origin::default()).await.unwrap();
        assert!(matches!(office.here.auth.authenticate(&token).await, Err(AccessError::SessionEnded)));
    }

    async fn a_log_out_is_seen_by_another_process_within_its_second(office: Office) {
        let token = office.here.token().await;
        for _ in 0..20 {
            office.there.auth.authenticate(&token).await.unwrap();
        }
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        office.here.auth.log_out(&caller, &Origin::default()).await.unwrap();
        eventually("the session is over there too", || async {
            matches!(office.there.auth.authenticate(&token).await, Err(AccessError::SessionEnded))
        }).await;
    }

    async fn a_proof_is_seen_by_another_process_within_its_second(office: Office) {
        let token = office.here.token().await;
        for replica in [&office.here, &office.there] {
            replica.clock.advance(Duration::from_mins(20));
            let caller = replica.auth.authenticate(&token).await.unwrap();
            assert!(matches!(caller.require_recent(15), Err(AccessError::StepUpRequired { max_age: 900, .. })));
        }
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        let proof = ShownProof { password: Some("123456".to_owned().into()), code: None };
        office.here.auth.step_up(&caller, proof, &Origin::default()).await.unwrap();
        office.here.auth.authenticate(&token).await.unwrap().require_recent(15).unwrap();
        eventually("the proof counts over there too", || async {
            office.there.auth.authenticate(&token).await.unwrap().require_recent(15).is_ok()
        }).await;
    }

    async fn whoever_changes_the_rows_is_noticed(office: Office) {
        let token = office.here.token().await;
        for (change, undo, refused) in [
            ("UPDATE core.users SET status = 'inactive'", "UPDATE core.users SET status = 'active'", true),
            ("UPDATE core.organizations SET status = 'inactive'", "UPDATE core.organizations SET status = 'active'", true),
            ("DELETE FROM core.user_roles", "", false),
        ] {
            office.here.auth.authenticate(&token).await.unwrap();
            office.sql(change).await;
            eventually(change, || async {
                match office.here.auth.authenticate(&token).await {
                    Err(AccessError::Inactive { .. }) => refused,
                    Ok(caller) => !refused && caller.roles().is_empty(),
                    Err(_) => false,
                }
            }).await;
            if !undo.is_empty() {
                office.sql(undo).await;
                eventually(undo, || async { office.here.auth.authenticate(&token).await.is_ok() }).await;
            }
        }
    }

    async fn emptied_tables_and_a_schema_built_anew_are_noticed(office: Office) {
        let empty = if office.engine() == Engine::Postgres { "TRUNCATE auth.sessions" } else { "DELETE FROM auth.sessions" };
        let token = office.here.token().await;
        office.here.auth.authenticate(&token).await.unwrap();
        office.sql(empty).await;
        eventually(empty, || async {
            matches!(office.here.auth.authenticate(&token).await, Err(AccessError::SessionEnded))
        }).await;

        let token = office.here.token().await;
        office.here.auth.authenticate(&token).await.unwrap();
        office.there.rebuild().await;
        eventually("nobody is there any more", || async {
            matches!(office.here.auth.authenticate(&token).await, Err(AccessError::UnknownUser))
        }).await;
    }

    async fn a_warm_request_reads_no_database(office: Office) {
        let token = office.here.token().await;
        eventually("news arrive", || async {
            let before = office.here.reads();
            office.here.auth.authenticate(&token).await.unwrap();
            office.here.auth.authenticate(&token).await.unwrap();
            office.here.reads() == before || office.here.reads() == before + 1
        }).await;
        let before = office.here.reads();
        for _ in 0..100 {
            office.here.auth.authenticate(&token).await.unwrap();
        }
        assert_eq!(office.here.reads(), before);
        office.here.clock.advance(Duration::from_secs(31));
        office.here.auth.authenticate(&token).await.unwrap();
        assert_eq!(office.here.reads(), before + 1, "what is remembered has a time to live");
    }

    async fn without_news_nothing_is_believed(office: Office) {
        if office.engine() == Engine::Sqlite {
            return;
        }
        let token = office.here.token().await;
        office.here.auth.authenticate(&token).await.unwrap();
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                   AND datname = current_database() AND query LIKE 'LISTEN%'";
        for round in 0..10 {
            office.sql(cut).await;
            office.sql("UPDATE core.users SET status = 'inactive'").await;
            eventually("refused although the listener was cut", || async { office.here.auth.authenticate(&token).await.is_err() }).await;
            office.sql("UPDATE core.users SET status = 'active'").await;
            eventually("and admitted again", || async { office.here.auth.authenticate(&token).await.is_ok() }).await;
            assert!(round < 10);
        }
    }
}
