//! `sme-pulse keys` beside running servers: rotation without a restart, and a revoked key refused everywhere within a second.

use std::time::Duration;

use sme_pulse_testing::on_both_databases;

use crate::support::{Done, Home, KEY, Server, elapsed, until};

/// Only a failure takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is promised of a revoked key.
const BOUND: Duration = Duration::from_secs(1);

fn prepared(mut home: Home, algorithm: &str) -> Home {
    home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_ALGORITHM", algorithm);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    home
}

/// State and name of every key, in the order of the list.
fn listed(home: &Home) -> Vec<(String, String)> {
    let text = home.succeed(&["keys", "list"]);
    let mut lines = text.lines();
    let heading: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["KID", "ALGORITHM", "STATE", "SINCE", "VERIFIES", "UNTIL"]);
    let row = |line: &str| {
        let cells: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        assert_eq!(cells.len(), 5, "{line}");
        (cells[2].clone(), cells[0].clone())
    };
    lines.map(row).collect()
}

fn in_state(home: &Home, state: &str) -> String {
    let found = listed(home).into_iter().find(|(known, kid)| known == state && kid != "shared-secret");
    found.unwrap_or_else(|| panic!("no {state} key")).1
}

fn refused(done: &Done, text: &str) {
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.complaint().contains(text), "{done:?}");
}

async fn until_signed_with(server: &Server, kid: &str) -> String {
    let named = format!(r#""kid":"{kid}""#);
    until("the new key signs", PATIENCE, async || {
        let token = server.log_in().await.token();
        let header =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, token.split('.').next().unwrap());
        String::from_utf8(header.unwrap()).unwrap().contains(&named).then_some(token)
    })
    .await
}

on_both_databases! {
    async fn a_key_lives_and_ends_beside_running_servers(home: Home) {
        let home = prepared(home, "EdDSA");
        let (here, there) = (home.serve().await, home.serve().await);
        let (first, second) = (in_state(&home, "current"), in_state(&home, "next"));
        let old = until_signed_with(&here, &first).await;
        let too_young = home.run(&["keys", "rotate"]);
        refused(&too_young, "published a moment ago");
        assert!(too_young.complaint().contains("--now"));

        let done = home.succeed(&["keys", "rotate", "--now"]);
        assert!(done.contains(&format!("Retired {first}")) && done.contains(&format!("Signing: {second} (EdDSA)")), "{done}");
        let new = until_signed_with(&here, &second).await;
        for server in [&here, &there] {
            assert_eq!((server.me(&old).await.status, server.me(&new).await.status), (200, 200));
        }
        assert_eq!(in_state(&home, "retired"), first);
        refused(&home.run(&["keys", "retire", &second]), "tokens are signed with the key");
        refused(&home.run(&["keys", "retire", &first]), "is retired already");
        refused(&home.run(&["keys", "revoke", "nobody"]), "there is no key nobody");
        refused(&home.run(&["keys", "revoke", "-0body", "--lost"]), "there is no key -0body");
        refused(&home.run(&["keys", "retire", "-0body"]), "there is no key -0body");
        refused(&home.run(&["keys", "generate"]), "is the next one already");

        let start = elapsed();
        let done = home.succeed(&["keys", "revoke", &second]);
        assert!(done.contains("are refused"), "{done}");
        for server in [&here, &there] {
            until("the token is refused", PATIENCE, async || (server.me(&new).await.status == 401).then_some(())).await;
            assert_eq!(server.me(&old).await.status, 200, "tokens of other keys stay good");
        }
        let took = elapsed().saturating_sub(start);
        // The start of the command counts, too, so the bound is twice what is promised.
        assert!(took < BOUND * 2, "{took:?}");
        assert_eq!(here.log_in().await.status, 200);
    }

    async fn a_rolling_restart_changes_to_a_key_set_and_back_without_a_refused_token(home: Home) {
        let mut home = prepared(home, "HS256");
        let mut one = home.serve().await;
        let mut other = home.serve().await;
        let mut tokens = vec![one.log_in().await.token()];
        for algorithm in ["EdDSA", "ES256", "HS256"] {
            home.set("BACKEND_ALGORITHM", algorithm);
            one.stop().await;
            one = home.serve().await;
            tokens.push(one.log_in().await.token());
            tokens.push(other.log_in().await.token());
            for token in &tokens {
                assert_eq!((one.me(token).await.status, other.me(token).await.status), (200, 200), "{algorithm}");
            }
            other.stop().await;
            other = home.serve().await;
            for token in &tokens {
                assert_eq!((one.me(token).await.status, other.me(token).await.status), (200, 200), "{algorithm}");
            }
        }
    }

    async fn with_another_secret_the_server_says_so_and_does_not_start(home: Home) {
        let mut home = prepared(home, "EdDSA");
        let mut server = home.serve().await;
        server.stop().await;
        home.set("BACKEND_SECRET_KEY", "Zq3Lm8Vt5Xw1Ks7Rp2Nd9Bh4Cf6Gj0Ya");
        let done = home.run(&["serve"]);
        assert_eq!(done.code, Some(1));
        assert!(done.complaint().contains("cannot be opened: BACKEND_ENCRYPTION_KEY"), "{done:?}");
        // Signing with the secret needs no key of the set.
        home.set("BACKEND_ALGORITHM", "HS256");
        assert_eq!(home.serve().await.log_in().await.status, 200);
    }

    async fn a_key_is_made_ahead_and_the_shared_secret_ended(mut home: Home) {
        home = prepared(home, "HS256");
        let mut server = home.serve().await;
        refused(&home.run(&["keys", "rotate"]), "no key signs yet");
        refused(&home.run(&["keys", "revoke", "shared-secret"]), "nothing else could sign");
        home.succeed(&["keys", "generate", "--algorithm", "ES256"]);
        let ahead = in_state(&home, "next");
        assert!(server.get("/.well-known/jwks.json").await.text.contains(&ahead) || {
            until("it is published", PATIENCE, async || {
                server.get("/.well-known/jwks.json").await.text.contains(&ahead).then_some(true)
            }).await
        });
        let token = server.log_in().await.token();
        server.stop().await;
        // As it would be a minute later.
        home.sql("UPDATE auth.signing_keys SET published_at = '2025-01-01 00:00:00.000000' WHERE state = 'next'").await;
        home.set("BACKEND_ALGORITHM", "ES256");
        let server = home.serve().await;
        until_signed_with(&server, &ahead).await;
        assert_eq!(server.me(&token).await.status, 200);
        home.succeed(&["keys", "revoke", "shared-secret"]);
        until("it is refused", PATIENCE, async || (server.me(&token).await.status == 401).then_some(())).await;
    }
}

#[test]
fn a_word_that_is_no_algorithm_is_a_usage_error() {
    let home = Home::bare();
    let done = home.run(&["keys", "generate", "--algorithm", "HS256"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("the algorithms of key sets are EdDSA and ES256"), "{done:?}");
}
