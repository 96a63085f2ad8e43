//! A system clock that jumps, by `libfaketime`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use sme_pulse_testing::on_both_databases;

use super::writes::prepare;
use crate::support::{Answer, BODY, Home, Server, note, send, until};

/// The library that changes what a process is told of the time.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
    if found.is_none() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no libfaketime, and CI must test with it");
        note("skipped: libfaketime is not installed");
    }
    found
}

/// Sets the clock of a running server, as its distance from the real time.
fn set_clock(home: &Home, distance: &str) {
    // In one step, or it could be read half-written.
    let (next, file) = (home.folder().join("clock.next"), home.folder().join("clock"));
    std::fs::write(&next, distance).unwrap();
    std::fs::rename(next, file).unwrap();
}

async fn refresh(server: &Server, token: &str) -> Answer {
    send(server.http.post(server.url("/api/v1/auth/refresh")).json(&json!({"refresh_token": token}))).await.unwrap()
}

async fn log_in(server: &Server) -> Answer {
    let request = server.http.post(server.url("/api/v1/auth/login")).header("Content-Type", "application/json");
    send(request.body(BODY)).await.unwrap()
}

on_both_databases! {
    async fn a_clock_that_jumps_ends_no_session_and_breaks_no_chain(mut home: Home) {
        let Some(library) = library() else { return };
        prepare(&mut home);
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        set_clock(&home, "+0");
        let (library, file) = (library.display().to_string(), home.folder().join("clock").display().to_string());
        home.set("LD_PRELOAD", &library).set("FAKETIME_TIMESTAMP_FILE", &file).set("FAKETIME_NO_CACHE", "1");
        home.set("FAKETIME_DONT_FAKE_MONOTONIC", "1").set("DONT_FAKE_MONOTONIC", "1");
        home.set("BACKEND_RATE_LIMIT_ENABLED", "true").set("BACKEND_RATE_LIMIT_REQUESTS", "2");
        let server = home.serve().await;
        let first = log_in(&server).await;
        let (access, token) = (first.token(), first.json()["refresh_token"].as_str().unwrap().to_owned());
        assert_eq!(server.me(&access).await.status, 200);

        // Forward by a day: access tokens are over, the session is not.
        set_clock(&home, "+1d");
        until("the access token has expired", Duration::from_secs(20), async || {
            (server.me(&access).await.status == 401).then_some(())
        })
        .await;
        let second = refresh(&server, &token).await;
        let (ahead, token) = (second.token(), second.json()["refresh_token"].as_str().unwrap().to_owned());
        assert_eq!(server.me(&ahead).await.status, 200);
        assert_eq!(log_in(&server).await.status, 200);
        assert_eq!(log_in(&server).await.status, 429, "budgets count real time: a jump gives no new one");

        // Back again: a token of tomorrow is not good yet, and its session gives one that is.
        set_clock(&home, "+0");
        until("the token is not good yet", Duration::from_secs(20), async || {
            (server.me(&ahead).await.status == 401).then_some(())
        })
        .await;
        let third = refresh(&server, &token).await;
        assert_eq!(third.status, 200, "{}", third.text);
        assert_eq!(server.me(&third.token()).await.status, 200);
        let created = server.post_json("/api/v1/customers", &third.token(), &json!({"name": "After the jumps"})).await;
        assert_eq!(created.status, 201, "{}", created.text);
        assert_eq!(server.get("/health/ready").await.status, 200);
        home.unset("LD_PRELOAD");
        home.succeed(&["audit", "check"]);
        assert_eq!(home.numbers("SELECT COUNT(*) FROM auth.sessions WHERE revoked_at IS NULL").await, [2]);
        note("clock a day ahead and back: no session ended, the audit trail is unbroken");
    }
}
