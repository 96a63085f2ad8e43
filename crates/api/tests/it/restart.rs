//! What survives the end of the process, clean or not: tokens, sessions, and a database the next start uses.

use futures_util::future::join_all;
use serde_json::json;
use sme_pulse_testing::{TestDatabase, on_both_databases};

use super::support::{PASSWORD, Process};

on_both_databases! {
    async fn tokens_survive_a_restart_also_with_a_generated_secret(db: TestDatabase) {
        let mut server = Process::start(db, &[("BACKEND_SECRET_KEY", "")]).await;
        let signed_in = server.log_in(&json!({"email": "admin@sme.com", "password": PASSWORD})).await;
        let token = signed_in.json()["access_token"].as_str().unwrap().to_owned();
        server.kill_and_restart();
        assert_eq!(server.me(&token).await.status, 200);
    }

    async fn killed_in_the_middle_of_log_ins_it_goes_on_with_an_unbroken_chain(db: TestDatabase) {
        let mut server = Process::start(db, &[("BACKEND_RATE_LIMIT_ENABLED", "false")]).await;
        let right = json!({"email": "admin@sme.com", "password": PASSWORD});
        for _ in 0..5 {
            let attempts = (0..30).map(|_| server.request("POST", "/auth/login").json(&right).send());
            let mut answered = std::pin::pin!(join_all(attempts));
            let first = server.request("POST", "/auth/login").json(&right).send();
            // The others are somewhere between arrival and commit when the first has its answer.
            tokio::select! {
                first = first => assert!(matches!(first.unwrap().status().as_u16(), 200 | 503)),
                _ = &mut answered => {}
            }
            server.kill_and_restart();
            drop(answered.await);
            assert_eq!(server.log_in(&right).await.status, 200);
        }
        let sessions = server.number("SELECT COUNT(*) FROM auth.sessions").await;
        let events = server.number("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%log_in'").await;
        assert_eq!(sessions, events, "a session and its event are one transaction");
        let gaps = "SELECT COUNT(*) FROM \
            (SELECT org_id FROM auth.audit_log GROUP BY org_id HAVING COUNT(*) <> MAX(seq)) AS broken";
        assert_eq!(server.number(gaps).await, 0);
        let forks = "SELECT COUNT(*) FROM auth.audit_log a LEFT JOIN auth.audit_log b \
            ON b.org_id = a.org_id AND b.hash = a.prev_hash AND b.seq = a.seq - 1 WHERE a.seq > 1 AND b.seq IS NULL";
        assert_eq!(server.number(forks).await, 0);
        assert_eq!(server.stop().stderr, "");
    }
}
