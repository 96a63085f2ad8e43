//! The server's own state decides: sessions, status, roles and organization count as they are now, whatever the token
//! says.

use futures_util::future::join_all;
use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, HASH, TestApp, claims, claims_but, mint};

fn assert_refused(answer: &Answer, detail: &str, code: &str) {
    assert_eq!((answer.status, answer.json()["detail"].as_str()), (401, Some(detail)), "{}", answer.text);
    answer.assert_envelope(401, detail, detail, code);
    assert_eq!(answer.one("www-authenticate"), "Bearer");
}

on_both_databases! {
    async fn a_session_counts_for_its_own_user_only(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let again = app.sign_in(&member.email).await;
        let stranger = app.member(&[Role::Owner]).await;
        let of = |token: &str| Some(claims(token)["sid"].clone());
        assert_ne!(of(&member.token), of(&again.token));
        assert_eq!(app.me(&mint(&claims_but(&member.token, "sid", of(&again.token)))).await.status, 200);
        app.insert_user(member.org, "colleague@example.com", HASH).await;
        let colleague = app.sign_in("colleague@example.com").await;
        for other in [&stranger.token, &colleague.token] {
            let foreign = mint(&claims_but(&member.token, "sid", of(other)));
            assert_refused(&app.me(&foreign).await, "Could not validate credentials", "invalid_token");
        }
        // A session opened for another organization than the token's is none of this token's.
        let sid = claims(&again.token)["sid"].as_str().unwrap().to_owned();
        app.sql(&format!("UPDATE auth.sessions SET org_id = {} WHERE id = '{sid}'", stranger.org)).await;
        let refused = TestApp::until(401, async || app.me(&again.token).await).await;
        assert_refused(&refused, "Could not validate credentials", "invalid_token");
    }

    async fn logging_out_ends_the_calling_session_at_once_and_no_other(app: TestApp) {
        let (first, second) = (app.admin().await, app.admin().await);
        let out = TestApp::send(
            first.request("POST", "/api/v1/auth/logout").header("content-type", "text/xml").body("<not json>"),
        )
        .await;
        assert_eq!((out.status, out.text.as_str(), out.one("cache-control")), (204, "", "no-store"));
        for _ in 0..2 {
            assert_refused(&first.get("/auth/me").await, "Could not validate credentials", "invalid_token");
            assert_refused(&first.post("/auth/logout").await, "Could not validate credentials", "invalid_token");
        }
        assert_eq!(second.get("/auth/me").await.status, 200);
        let sid = claims(&first.token)["sid"].as_str().unwrap().to_owned();
        let row = format!("SELECT revoke_reason FROM auth.sessions WHERE id = '{sid}' AND revoked_at IS NOT NULL");
        assert_eq!(app.texts(&row).await, [Some("logged_out".to_owned())]);
        let sessionless = mint(&claims_but(&second.token, "sid", None));
        assert_eq!(TestApp::send(app.request("POST", "/auth/logout").bearer_auth(&sessionless)).await.status, 204);
        assert_eq!(second.get("/auth/me").await.status, 200, "a token without a session ends none");
    }

    async fn parallel_log_outs_end_one_session_once(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let answers = join_all((0..8).map(|_| member.post("/auth/logout"))).await;
        assert!(answers.iter().all(|answer| matches!(answer.status, 204 | 401)), "{answers:?}");
        assert!(answers.iter().any(|answer| answer.status == 204));
        let ended =
            format!("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%log_out' AND org_id = {}", member.org);
        assert_eq!(app.numbers(&ended).await, [1]);
    }

    async fn status_of_user_and_organization_count_as_they_are_now(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for (table, id) in [("users", member.user), ("organizations", member.org)] {
            for (status, expected) in [("inactive", 401), ("active", 200), ("inactive", 401)] {
                app.sql(&format!("UPDATE core.{table} SET status = '{status}' WHERE id = {id}")).await;
                for path in ["/auth/me", "/api/v1/settings"] {
                    let answer = TestApp::until(expected, async || member.get(path).await).await;
                    if expected == 401 {
                        assert_refused(&answer, "User is inactive", "user_inactive");
                    }
                }
            }
            app.sql(&format!("UPDATE core.{table} SET status = 'active' WHERE id = {id}")).await;
        }
        // A wrong organization or a dead session is told before the status is.
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", member.user)).await;
        let elsewhere = mint(&claims_but(&member.token, "org_id", Some(json!(member.org + 1000))));
        assert_refused(&app.me(&elsewhere).await, "Could not validate credentials", "invalid_token");
    }

    async fn roles_count_as_they_are_now_and_those_in_the_token_grant_nothing(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        let boasting = mint(&claims_but(&member.token, "roles", Some(json!(["owner", "admin"]))));
        let write = async |token: &str| {
            let answer =
                TestApp::send(app.request("PUT", "/api/v1/settings").bearer_auth(token).json(&json!({"phone": "1"})))
                    .await;
            if answer.status == 403 {
                answer.assert_envelope(
                    403,
                    "Insufficient permissions",
                    "Insufficient permissions",
                    "insufficient_permissions",
                );
            }
            answer
        };
        assert_eq!(write(&boasting).await.status, 403);
        assert_eq!(app.me(&boasting).await.json()["roles"], json!(["cashier"]));
        let grant = |code: &str| {
            format!(
                "INSERT INTO core.user_roles (user_id, org_id, role_id) \
                 SELECT {}, {}, id FROM core.roles WHERE code = '{code}'",
                member.user, member.org
            )
        };
        app.sql(&grant("admin")).await;
        TestApp::until(200, async || write(&member.token).await).await;
        assert_eq!(member.get("/auth/me").await.json()["roles"], json!(["admin", "cashier"]));
        app.sql(&format!("DELETE FROM core.user_roles WHERE user_id = {}", member.user)).await;
        TestApp::until(403, async || write(&member.token).await).await;
        assert_eq!(member.get("/api/v1/settings").await.status, 403);
        assert_eq!(member.get("/auth/me").await.json()["roles"], json!([]));
        // A role held in another organization is no role in this one, and one nobody knows grants nothing.
        let other = app.member(&[]).await;
        app.sql(&grant("owner").replace(&format!(", {}, id", member.org), &format!(", {}, id", other.org))).await;
        app.sql("INSERT INTO core.roles (code, name) VALUES ('superuser', 'Future')").await;
        app.sql(&grant("superuser")).await;
        let again = app.sign_in(&member.email).await;
        assert_eq!(write(&again.token).await.status, 403);
        assert_eq!(again.get("/auth/me").await.json()["roles"], json!([]));
    }

    async fn a_user_who_moved_or_is_gone_has_no_valid_token(app: TestApp) {
        let (moved, gone, home) =
            (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await, app.member(&[]).await);
        app.sql(&format!("UPDATE core.users SET org_id = {} WHERE id = {}", home.org, moved.user)).await;
        let refused = TestApp::until(401, async || moved.get("/auth/me").await).await;
        assert_refused(&refused, "Could not validate credentials", "invalid_token");
        assert_refused(&moved.get("/api/v1/settings").await, "Could not validate credentials", "invalid_token");
        let sid = claims(&gone.token)["sid"].as_str().unwrap().to_owned();
        app.sql(&format!("DELETE FROM auth.sessions WHERE id = '{sid}'")).await;
        let refused = TestApp::until(401, async || gone.get("/auth/me").await).await;
        assert_refused(&refused, "Could not validate credentials", "invalid_token");
    }
}
