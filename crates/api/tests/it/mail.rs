//! How mails leave: by SMTP to a server that this test plays, into files, or not at all; and what the log says of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{PASSWORD, Post, Process, TestApp, mails_in, token_in};

/// The application with a mail server that wants a password.
struct Posting(TestApp, Post);

impl Fixture for Posting {
    async fn on(database: TestDatabase) -> Self {
        let (kept, port) = Post::open();
        let url = format!("smtp://pulse:p%40ss@127.0.0.1:{port}?tls=none");
        let settings = [
            ("BACKEND_RATE_LIMIT_ENABLED", "false"),
            ("BACKEND_SMTP_URL", &url),
            ("BACKEND_PUBLIC_URL", "http://localhost:3000/"),
            ("BACKEND_MAIL_FROM", "Pulse <pulse@acme.com>"),
        ];
        Self(TestApp::with(database, &settings).await, kept)
    }
}

/// The binary with a mail server that refuses somebody, as an operator in production has it.
struct Refusing(Process);

impl Fixture for Refusing {
    async fn on(database: TestDatabase) -> Self {
        let (_, port) = Post::open();
        let url = format!("smtp://127.0.0.1:{port}");
        Self(Process::start(database, &[("BACKEND_SMTP_URL", &url)]).await)
    }
}

/// The binary outside development without a mail server.
struct Silent(Process);

impl Fixture for Silent {
    async fn on(database: TestDatabase) -> Self {
        let settings = [
            ("BACKEND_ENVIRONMENT", "staging"),
            ("BACKEND_SECRET_KEY", "k9Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE"),
            ("BACKEND_BCRYPT_COST", "10"),
        ];
        Self(Process::start(database, &settings).await)
    }
}

async fn post(server: &Process, path: &str, body: &Value) -> super::support::Answer {
    TestApp::send(server.request("POST", path).json(body)).await
}

fn lines_with<'a>(lines: &'a [Value], msg: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["msg"] == msg).collect()
}

on_both_databases! {
    async fn a_mail_server_gets_the_mail_from_the_configured_sender(posting: Posting) {
        let Posting(app, post) = &posting;
        let member = app.member(&[]).await;
        assert_eq!(app.post("/auth/forgot-password", &json!({"email": member.email})).await.status, 200);
        let said = post.until("QUIT").await;
        for expected in [
            "EHLO acme.com",
            "AUTH PLAIN AHB1bHNlAHBAc3M=",
            "MAIL FROM:<pulse@acme.com>",
            &format!("RCPT TO:<{}>", member.email),
            "From: Pulse <pulse@acme.com>",
            "Subject: Set a new password for SME Pulse",
        ] {
            assert!(said.iter().any(|line| line.starts_with(expected)), "{expected} in {said:?}");
        }
        let token = token_in(&said.join("\n"));
        let body = json!({"token": token, "new_password": "correct horse battery"});
        assert_eq!(app.post("/auth/reset-password", &body).await.status, 200);
        assert_eq!(app.mail_count(), 0, "no file beside it");
    }

    async fn a_refused_mail_is_one_error_without_address_and_link(refusing: Refusing) {
        let server = refusing.0;
        server.sql("UPDATE core.users SET email = 'gone.person@example.com'").await;
        assert_eq!(post(&server, "/auth/forgot-password", &json!({"email": "gone.person@example.com"})).await.status, 200);
        let written = server.stop();
        let lines = written.lines();
        let failed = lines_with(&lines, "A mail could not be sent");
        assert_eq!(failed.len(), 1, "{}", written.file);
        assert_eq!((&failed[0]["level"], &failed[0]["email"]), (&json!(50), &json!("g***@example.com")));
        assert_eq!(failed[0]["reason"], "the mail server refused with 550");
        for secret in ["gone.person", "gone@example.com", "spw_", "token="] {
            assert!(!written.file.contains(secret) && !written.stdout.contains(secret), "{secret}");
        }
    }

    async fn the_log_tells_of_changes_and_resets_and_mails_become_private_files(server: Process) {
        let signed_in = server.log_in(&json!({"email": "admin@sme.com", "password": PASSWORD})).await;
        let token = signed_in.json()["access_token"].as_str().unwrap().to_owned();
        let body = json!({"old_password": PASSWORD, "new_password": "S3cret horse battery"});
        let changed = TestApp::send(server.request("POST", "/auth/change-password").bearer_auth(&token).json(&body)).await;
        let wrong = TestApp::send(server.request("POST", "/auth/change-password").bearer_auth(&token).json(&body)).await;
        assert_eq!((changed.status, wrong.status), (200, 400));
        assert_eq!(post(&server, "/auth/forgot-password", &json!({"email": "admin@sme.com"})).await.status, 200);
        let folder = server.folder().join("data/outbox");
        let link = token_in(&mails_in(&folder, "admin@sme.com", "Set a new password", 1).await[0]);
        for entry in std::fs::read_dir(&folder).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let body = json!({"token": link, "new_password": "S3cret horse battery 2"});
        let (reset, again) = (post(&server, "/auth/reset-password", &body).await, post(&server, "/auth/reset-password", &body).await);
        assert_eq!((reset.status, again.status), (200, 400));
        let written = server.stop();
        let lines = written.lines();
        let user = &signed_in.json()["user"]["id"];
        for (answer, msg, level) in [
            (&changed, "Password changed", 30),
            (&wrong, "Password not changed", 40),
            (&reset, "Password reset", 30),
            (&again, "Password not reset", 40),
        ] {
            let line = lines_with(&lines, msg);
            assert_eq!((line.len(), &line[0]["level"]), (1, &json!(level)), "{msg}");
            assert_eq!((&line[0]["request_id"], &line[0]["client_ip"]), (&json!(answer.one("x-request-id")), &json!("127.0.0.1")));
            assert!(level == 40 || line[0]["user_id"] == *user, "{msg}");
        }
        assert_eq!(lines_with(&lines, "Mail sent").len(), 3);
        for secret in ["S3cret", &link, "spw_", "admin@sme.com"] {
            assert!(!written.file.contains(secret) && !written.stdout.contains(secret), "{secret}");
        }
    }

    async fn outside_development_without_a_server_there_is_one_warning_and_no_mail(silent: Silent) {
        let server = silent.0;
        assert_eq!(post(&server, "/auth/forgot-password", &json!({"email": "admin@sme.com"})).await.status, 200);
        assert!(!server.folder().join("data/outbox").exists());
        let lines = server.stop().lines();
        let warnings: Vec<&str> = lines.iter().filter(|line| line["level"] == 40).map(|line| line["msg"].as_str().unwrap()).collect();
        assert_eq!(warnings, ["BACKEND_SMTP_URL is not set: mails are not sent, so nobody can reset a forgotten password, confirm a sign-up or \
             accept an invitation"]);
        assert!(lines_with(&lines, "Mail sent").is_empty());
    }
}
