//! Refresh: honest clients stay signed in whatever gets lost, old tokens end their session, and all refusals look alike.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Engine, Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, TestApp, claims, claims_but, mint};

const PATH: &str = "/api/v1/auth/refresh";
const TEXT: &str = "Invalid or expired refresh token";
const DAY: Duration = Duration::from_hours(24);

fn sid(token: &str) -> String {
    claims(token)["sid"].as_str().unwrap().to_owned()
}

fn refreshed(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["refresh_token"].as_str().unwrap().to_owned()
}

fn access(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn assert_refused(answer: &Answer) {
    answer.assert_envelope(401, TEXT, TEXT, "invalid_refresh_token");
    assert_eq!((answer.one("www-authenticate"), answer.one("cache-control")), ("Bearer", "no-store"));
}

async fn events(app: &TestApp, org: i64, action: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM auth.audit_log WHERE action = '{action}' AND org_id = {org}");
    app.numbers(&query.replace("'auth.", "'auth' || '.' || '")).await[0]
}

async fn reason(app: &TestApp, token: &str) -> Option<String> {
    app.texts(&format!("SELECT revoke_reason FROM auth.sessions WHERE id = '{}'", sid(token))).await.remove(0)
}

on_both_databases! {
    async fn the_answer_is_that_of_a_log_in_for_the_same_session(app: TestApp) {
        let admin = app.admin().await;
        let mut token = admin.refresh_token.clone();
        let all_events = "SELECT COUNT(*) FROM auth.audit_log";
        let before = app.numbers(all_events).await;
        for (number, path) in [PATH, "/auth/refresh", "/api/v1/auth/refresh/", "/auth/refresh/"].iter().enumerate() {
            app.clock.advance(Duration::from_mins(10));
            let answer = app.post(path, &json!({"refresh_token": token, "extra": 1})).await;
            let (new, body) = (refreshed(&answer), answer.json());
            let expected = format!(
                concat!(
                    r#"{{"access_token":"{}","token_type":"bearer","expires_in":1800,"#,
                    r#""user":{{"id":{},"email":"admin@sme.com","full_name":"Administrator","org_id":{},"status":"active"}},"#,
                    r#""roles":["owner","admin"],"refresh_token":"{}","refresh_expires_in":1209600}}"#
                ),
                access(&answer), admin.user, admin.org, new
            );
            assert_eq!(answer.text, expected);
            assert_eq!((answer.one("content-type"), answer.one("cache-control")), ("application/json", "no-store"));
            assert_ne!(new, token);
            let new_claims = claims(body["access_token"].as_str().unwrap());
            assert_eq!(new_claims["sid"].as_str().unwrap(), sid(&admin.token));
            assert_ne!(new_claims["jti"], claims(&admin.token)["jti"]);
            let row = |column: &str| format!("SELECT {column} FROM auth.sessions WHERE id = '{}'", sid(&admin.token));
            assert_eq!(app.numbers(&row("refresh_counter")).await, [i64::try_from(number).unwrap() + 1]);
            let now = new_claims["iat"].as_i64().unwrap();
            for (column, at) in [("expires_at", now + 14 * 86_400), ("last_seen_at", now), ("updated_at", now)] {
                assert_eq!(app.numbers(&row(&app.epoch(column))).await, [at], "{column}");
            }
            assert_eq!(app.me(&access(&answer)).await.status, 200);
            token = new;
        }
        assert_eq!(app.numbers(all_events).await, before, "a refresh is no event");
    }

    async fn a_lost_answer_is_given_again_until_its_token_is_used(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let first = refreshed(&app.refresh(&member.refresh_token).await);
        for _ in 0..3 {
            app.clock.advance(DAY);
            let again = app.refresh(&member.refresh_token).await;
            assert_eq!(refreshed(&again), first);
            assert_eq!(app.me(&access(&again)).await.status, 200);
        }
        let last = app.refresh(&first).await;
        assert_eq!(app.me(&access(&last)).await.status, 200);
        // Now its successor has been used, so whoever still has it is not the client.
        assert_refused(&app.refresh(&member.refresh_token).await);
        assert_eq!(app.me(&access(&last)).await.status, 401, "the session ended in that very call");
        assert_eq!(reason(&app, &member.token).await.as_deref(), Some("refresh_reused"));
        for token in [&member.refresh_token, &first, &refreshed(&last)] {
            assert_refused(&app.refresh(token).await);
        }
        assert_eq!(events(&app, member.org, "auth.refresh_reused").await, 1);
        let entity = format!("SELECT entity_id FROM auth.audit_log WHERE org_id = {} ORDER BY seq DESC", member.org);
        assert_eq!(app.numbers(&entity).await[0], member.user);
        assert_eq!(app.sign_in(&member.email).await.get("/auth/me").await.status, 200);
    }

    async fn parallel_use_of_one_token_gives_one_successor_and_parallel_replays_one_event(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let answers = join_all((0..16).map(|_| app.refresh(&member.refresh_token))).await;
        let successors: Vec<String> = answers.iter().map(refreshed).collect();
        assert!(successors.iter().all(|token| *token == successors[0]), "{successors:?}");
        let counter = format!("SELECT refresh_counter FROM auth.sessions WHERE id = '{}'", sid(&member.token));
        assert_eq!(app.numbers(&counter).await, [1]);
        refreshed(&app.refresh(&successors[0]).await);
        join_all((0..16).map(|_| app.refresh(&member.refresh_token))).await.iter().for_each(assert_refused);
        assert_eq!(events(&app, member.org, "auth.refresh_reused").await, 1);
    }

    async fn a_token_newer_than_a_restored_backup_is_refused_and_ends_nothing(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let second = refreshed(&app.refresh(&refreshed(&app.refresh(&member.refresh_token).await)).await);
        app.sql(&format!("UPDATE auth.sessions SET refresh_counter = 1 WHERE id = '{}'", sid(&member.token))).await;
        assert_refused(&app.refresh(&second).await);
        assert_eq!((reason(&app, &member.token).await, member.get("/auth/me").await.status), (None, 200));
        refreshed(&app.refresh(&member.refresh_token).await);
        app.sql(&format!("UPDATE auth.sessions SET refresh_counter = {} WHERE id = '{}'", i64::MAX, sid(&member.token)))
            .await;
        assert_refused(&app.refresh(&member.refresh_token).await);
    }

    async fn a_session_that_was_ended_in_any_way_gives_no_tokens_and_no_alarm(app: TestApp) {
        for way in ["logout", "delete", "logout-all", "remove"] {
            let member = app.member(&[Role::Owner]).await;
            let newest = refreshed(&app.refresh(&member.refresh_token).await);
            let id = sid(&member.token);
            let ended = match way {
                "logout" => member.post("/auth/logout").await.status,
                "delete" => TestApp::send(member.request("DELETE", &format!("/auth/sessions/{id}"))).await.status,
                "logout-all" => {
                    TestApp::send(member.request("POST", "/auth/logout-all").json(&json!({"include_current": true})))
                        .await
                        .status
                }
                _ => {
                    app.sql(&format!("DELETE FROM auth.sessions WHERE id = '{id}'")).await;
                    200
                }
            };
            assert!(ended < 300, "{way}");
            for token in [&newest, &member.refresh_token] {
                assert_refused(&app.refresh(token).await);
            }
            assert_eq!(events(&app, member.org, "auth.refresh_reused").await, 0, "{way}");
        }
    }

    async fn a_session_ends_when_it_lies_idle_and_at_last_in_any_case(app: TestApp) {
        let idle = app.member(&[Role::Owner]).await;
        let mut token = app.member(&[Role::Owner]).await.refresh_token;
        for day in 1..=6 {
            app.clock.advance(13 * DAY);
            let answer = app.refresh(&token).await;
            token = refreshed(&answer);
            let left = 14.min(90 - day * 13) * 86_400;
            assert_eq!(answer.json()["refresh_expires_in"], json!(left), "{day}");
            assert_eq!(app.me(&access(&answer)).await.status, 200);
        }
        assert_refused(&app.refresh(&idle.refresh_token).await);
        app.clock.advance(Duration::from_secs(12 * 86_400 - 10));
        let last = app.refresh(&token).await;
        let body = last.json();
        assert_eq!((&body["expires_in"], &body["refresh_expires_in"]), (&json!(10), &json!(10)), "no token outlives it");
        app.clock.advance(Duration::from_secs(10));
        assert_refused(&app.refresh(&refreshed(&last)).await);
        assert_refused(&app.refresh(&token).await);
    }

    async fn user_roles_and_organization_are_those_of_now(app: TestApp) {
        let member = app.member(&[Role::Cashier]).await;
        let mut token = member.refresh_token.clone();
        app.sql(&format!("UPDATE core.users SET full_name = 'New Name' WHERE id = {}", member.user)).await;
        app.sql(&format!(
            "UPDATE core.user_roles SET role_id = (SELECT id FROM core.roles WHERE code = 'accountant') WHERE user_id = {}",
            member.user
        ))
        .await;
        let answer = app.refresh(&token).await;
        token = refreshed(&answer);
        let body = answer.json();
        assert_eq!((&body["roles"], &body["user"]["full_name"]), (&json!(["accountant"]), &json!("New Name")));
        assert_eq!(claims(&access(&answer))["roles"], json!(["accountant"]));
        let counter = format!("SELECT refresh_counter FROM auth.sessions WHERE id = '{}'", sid(&member.token));
        for (table, id) in [("users", member.user), ("organizations", member.org)] {
            app.sql(&format!("UPDATE core.{table} SET status = 'inactive' WHERE id = {id}")).await;
            assert_refused(&app.refresh(&token).await);
            assert_eq!(app.numbers(&counter).await, [1], "nothing is used up by a refusal");
            app.sql(&format!("UPDATE core.{table} SET status = 'active' WHERE id = {id}")).await;
        }
        app.sql(&format!("DELETE FROM core.user_roles WHERE user_id = {}", member.user)).await;
        let answer = app.refresh(&token).await;
        assert_eq!((refreshed(&answer) != token, &answer.json()["roles"]), (true, &json!([])));
        let home = app.member(&[]).await;
        app.sql(&format!("UPDATE core.users SET org_id = {} WHERE id = {}", home.org, member.user)).await;
        assert_refused(&app.refresh(&refreshed(&answer)).await);
    }

    async fn a_stolen_token_ends_the_session_of_an_inactive_user_too(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        refreshed(&app.refresh(&refreshed(&app.refresh(&member.refresh_token).await)).await);
        app.sql(&format!("UPDATE core.users SET status = 'inactive' WHERE id = {}", member.user)).await;
        assert_refused(&app.refresh(&member.refresh_token).await);
        assert_eq!(reason(&app, &member.token).await.as_deref(), Some("refresh_reused"));
    }

    async fn what_is_no_refresh_token_is_refused_and_a_refresh_token_is_no_other(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let good = &member.refresh_token;
        let cut = &good[..good.len() - 1];
        let swapped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { "B" } else { "A" });
        let minted = mint(&claims_but(&member.token, "exp", Some(json!(4_102_444_800_i64))));
        let long = "spr_".to_owned() + &"A".repeat(1_000_000);
        let odd = [
            "x", " ", "spr_", "ｓｐｒ＿", "Zürich \u{1F511} \u{202E}", &minted, &member.token, cut, &swapped, &long,
            &format!(" {good}"), &format!("{good} "), &format!("{good}\n"), &good.to_uppercase(), &good.repeat(2),
            good.trim_start_matches("spr_"), "00000000-0000-0000-0000-000000000000", "' OR 1=1 --",
        ];
        let mut looks = Vec::new();
        for token in odd {
            let answer = app.refresh(token).await;
            assert_refused(&answer);
            looks.push(answer.comparable());
        }
        refreshed(&app.refresh(&refreshed(&app.refresh(good).await)).await);
        looks.push(app.refresh(good).await.comparable());
        looks.dedup();
        assert_eq!(looks.len(), 1, "{looks:?}");
        let fresh = app.sign_in(&member.email).await;
        let as_access = app.me(&fresh.refresh_token).await;
        as_access.assert_envelope(401, "Could not validate credentials", "Could not validate credentials", "invalid_token");
        refreshed(&app.refresh(&fresh.refresh_token).await);
    }

    async fn the_body_must_be_an_object_with_a_text(app: TestApp) {
        let refresh_token = app.admin().await.refresh_token;
        let wrong = [
            (json!({}), "missing"), (json!({"refresh_token": null}), "string_type"), (json!({"refresh_token": 7}), "string_type"),
            (json!({"refresh_token": [&refresh_token]}), "string_type"), (json!({"refresh_token": {"a": 1}}), "string_type"),
            (json!({"refresh_token": true}), "string_type"), (json!({"refresh_token": ""}), "string_too_short"),
        ];
        for (body, kind) in wrong {
            let answer = app.post(PATH, &body).await;
            let item = &answer.json()["detail"][0];
            assert_eq!((answer.status, &item["loc"], &item["type"]), (422, &json!(["body", "refresh_token"]), &json!(kind)));
            assert!(!answer.text.contains(&refresh_token));
        }
        let text = format!("refresh_token={refresh_token}");
        assert_eq!(TestApp::send(app.request("POST", PATH).body(text)).await.status, 422);
        let repeated = format!(r#"{{"refresh_token":"x","refresh_token":"{refresh_token}"}}"#);
        refreshed(&TestApp::send(app.request("POST", PATH).body(repeated)).await);
        let huge = json!({"refresh_token": "A".repeat(1_048_576)});
        assert_eq!(app.post(PATH, &huge).await.status, 413);
        assert_eq!(app.get(PATH).await.status, 405);
    }

    async fn a_refresh_extends_the_session_even_where_its_old_end_is_remembered(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let end = "UPDATE auth.sessions SET expires_at = '2025-11-20 08:15:50.000000' WHERE id = ";
        // Without its trigger, whose notice would come some time later and make it forget.
        let (silent, loud) = match app.engine() {
            Engine::Postgres => ("SET session_replication_role = replica; ", "; SET session_replication_role = DEFAULT"),
            Engine::Sqlite => ("", ""),
        };
        app.sql(&format!("{silent}{end}'{}'{loud}", sid(&member.token))).await;
        assert_eq!(member.get("/auth/me").await.status, 200, "from here on this end is remembered");
        refreshed(&app.refresh(&member.refresh_token).await);
        app.clock.advance(Duration::from_secs(26));
        assert_eq!(member.get("/auth/me").await.status, 200);
        let reads = app.store.principal_reads();
        assert_eq!(member.get("/auth/me").await.status, 200);
        assert_eq!(app.store.principal_reads(), reads, "and the new one is remembered in its place");
    }
}

/// The application with the budgets of production, behind a proxy on this machine.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[("BACKEND_TRUSTED_PROXIES", "127.0.0.0/8")]).await)
    }
}

impl Limited {
    async fn from(&self, client: &str, body: &Value) -> Answer {
        TestApp::send(self.0.request("POST", PATH).header("x-forwarded-for", client).json(body)).await
    }
}

on_both_databases! {
    async fn a_session_has_a_budget_of_its_own_and_guesses_share_that_of_their_address(limited: Limited) {
        let app = &limited.0;
        let (first, second) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let office = "203.0.113.7";
        let genuine = json!({"refresh_token": first.refresh_token});
        for left in (0..5).rev() {
            let answer = limited.from(office, &genuine).await;
            refreshed(&answer);
            assert_eq!(answer.one("ratelimit-policy"), r#""refresh";q=5;w=60"#);
            assert_eq!(answer.one("ratelimit"), format!(r#""refresh";r={left};t=60"#));
        }
        let refused = limited.from(office, &genuine).await;
        assert_eq!((refused.status, refused.one("retry-after"), &refused.json()["retry_after"]), (429, "60", &json!(60)));
        refreshed(&limited.from(office, &json!({"refresh_token": second.refresh_token})).await);
        refreshed(&limited.from("203.0.113.8", &genuine).await);
        for body in [json!({"refresh_token": "spr_guess"}), json!({"refresh_token": 1}), json!({}), json!({"refresh_token": first.token})] {
            let answer = limited.from(office, &body).await;
            assert!(matches!(answer.status, 401 | 422), "{}", answer.text);
            assert_eq!(answer.one("ratelimit-policy"), r#""refresh";q=5;w=60"#);
        }
        assert_refused(&limited.from(office, &json!({"refresh_token": "spr_other"})).await);
        assert_eq!(limited.from(office, &json!({"refresh_token": "spr_third"})).await.status, 429);
        assert_eq!(limited.from(office, &json!({"refresh_token": 2})).await.status, 429, "the budget comes before the input");
        refreshed(&limited.from(office, &json!({"refresh_token": second.refresh_token})).await);
        app.clock.advance(Duration::from_mins(1));
        refreshed(&limited.from(office, &genuine).await);
        assert_refused(&limited.from(office, &json!({"refresh_token": "spr_guess"})).await);
    }
}
