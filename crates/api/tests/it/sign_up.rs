//! Companies that sign up: at once in development, after a confirmed address elsewhere, not at all where it is off.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, Post, TestApp, link_token};

const PATH: &str = "/api/v1/organizations";
const CONFIRM: &str = "/api/v1/organizations/confirm";
const GOOD: &str = "correct horse battery";
const LINK: &str = "Confirm your address";
const NOTICE: &str = "You have an SME Pulse account already";

/// The application with the budgets of production.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[]).await)
    }
}

/// The application without sign-ups.
struct Closed(TestApp);

impl Fixture for Closed {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[("BACKEND_SIGNUP_ENABLED", "false")]).await)
    }
}

/// The application outside development, and its mail server.
struct Staging(TestApp, Post);

impl Fixture for Staging {
    async fn on(database: TestDatabase) -> Self {
        Self::with(database, "false").await
    }
}

impl Staging {
    async fn with(database: TestDatabase, budgets: &str) -> Self {
        let (kept, port) = Post::open();
        let url = format!("smtp://127.0.0.1:{port}?tls=none");
        let settings = [
            ("BACKEND_ENVIRONMENT", "staging"),
            ("BACKEND_SECRET_KEY", "k9Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE"),
            ("BACKEND_BCRYPT_COST", "10"),
            ("BACKEND_RATE_LIMIT_ENABLED", budgets),
            ("BACKEND_SMTP_URL", &url),
            ("BACKEND_MAIL_FROM", "Pulse <pulse@acme.com>"),
            ("BACKEND_TRUSTED_PROXIES", "127.0.0.0/8"),
        ];
        Self(TestApp::with(database, &settings).await, kept)
    }

    /// The token in the newest mail with a link to this address, when there are so many.
    async fn token(&self, email: &str, count: usize) -> String {
        let mails = self.1.mails(email, LINK, count).await;
        link_token(mails.last().unwrap(), "confirm-sign-up")
    }

    async fn confirm(&self, token: &str) -> Answer {
        self.confirm_with(token, GOOD).await
    }

    async fn confirm_with(&self, token: &str, password: &str) -> Answer {
        self.0.post(CONFIRM, &json!({"token": token, "password": password})).await
    }

    /// A sign-up of this address by a client elsewhere.
    async fn sign_up_from(&self, client: &str, email: &str) -> u16 {
        let request = self.0.request("POST", PATH).header("x-forwarded-for", client);
        TestApp::send(request.json(&acme(email, None))).await.status
    }
}

/// The same with the budgets of production.
struct Busy(Staging);

impl Fixture for Busy {
    async fn on(database: TestDatabase) -> Self {
        Self(Staging::with(database, "true").await)
    }
}

fn acme(email: &str, tax_code: Option<&str>) -> Value {
    json!({"name": "Acme Ltd", "tax_code": tax_code, "full_name": "Ann Smith", "email": email, "password": GOOD})
}

async fn organizations(app: &TestApp) -> i64 {
    app.numbers("SELECT COUNT(*) FROM core.organizations").await[0]
}

fn assert_code(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["error_code"].as_str()), (status, Some(code)), "{}", answer.text);
}

fn assert_invalid(answer: &Answer) {
    answer.assert_envelope(400, "Invalid or expired confirmation", "Invalid or expired confirmation", "rule_violated");
}

on_both_databases! {
    async fn in_development_a_company_is_there_at_once_with_its_owner_and_nothing_else(app: TestApp) {
        let answer = app.post(PATH, &acme(" Ann@Acme.com ", Some("77"))).await;
        let body = answer.json();
        let (org, user) = (body["id"].as_i64().unwrap(), body["user"]["id"].as_i64().unwrap());
        let expected = format!(
            r#"{{"id":{org},"name":"Acme Ltd","tax_code":"77","address":null,"phone":null,"email":null,"is_active":true,"confirmation_required":false,"user":{{"id":{user},"email":"ann@acme.com","full_name":"Ann Smith","org_id":{org},"status":"active","roles":["owner"],"created_at":"2025-11-20T08:15:30.123456Z","updated_at":"2025-11-20T08:15:30.123456Z","last_login":null}}}}"#
        );
        assert_eq!((answer.status, answer.text.as_str(), answer.one("cache-control")), (201, expected.as_str(), "no-store"));
        let signed_in = app.log_in("ann@acme.com", GOOD).await.json();
        assert_eq!((&signed_in["roles"], &signed_in["user"]["org_id"]), (&json!(["owner"]), &json!(org)));
        for table in ["customers", "suppliers", "accounts"] {
            assert_eq!(app.numbers(&format!("SELECT COUNT(*) FROM finance.{table} WHERE org_id = {org}")).await, [0]);
        }
        let trail = app.texts(&format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq")).await;
        assert_eq!(trail.into_iter().flatten().collect::<Vec<_>>(), ["organization.created", "auth.log_in"]);
        assert_eq!(app.mail_count(), 0);
    }

    async fn taken_addresses_and_tax_codes_leave_nothing_half_written(app: TestApp) {
        let before = organizations(&app).await;
        let taken = app.post(PATH, &acme("ADMIN@sme.com", None)).await;
        taken.assert_envelope(400, "Email already registered", "Email already registered", "duplicate");
        let text = "Another organization already uses this tax code.";
        app.post(PATH, &acme("ann@acme.com", Some("1234567890"))).await.assert_envelope(409, text, text, "conflict");
        assert_eq!(organizations(&app).await, before);
        let answers = join_all((0..8).map(async |_| app.post(PATH, &acme("ann@acme.com", None)).await)).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        let other = ["400", "503"];
        assert!(answers.iter().all(|answer| answer.status == 201 || other.contains(&&*answer.status.to_string())), "{answers:?}");
        let answers = join_all((0..8).map(|number| { let app = &app; async move { app.post(PATH, &acme(&format!("b{number}@acme.com"), Some("88"))).await } })).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(organizations(&app).await, before + 2);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email LIKE '%@acme.com'").await, [2]);
    }

    async fn bad_input_is_a_422_on_its_field(app: TestApp) {
        let before = organizations(&app).await;
        for (field, value, kind) in [
            ("name", json!(" "), "string_too_short"),
            ("name", json!("x".repeat(256)), "string_too_long"),
            ("name", json!("a\u{0}b"), "value_error"),
            ("name", json!(7), "string_type"),
            ("tax_code", json!("1".repeat(51)), "string_too_long"),
            ("tax_code", json!(1), "string_type"),
            ("full_name", Value::Null, "string_type"),
            ("email", json!("ann"), "value_error"),
            ("email", json!("x".repeat(1_000_000)), "value_error"),
            ("password", json!("short77"), "string_too_short"),
            ("password", json!("password1"), "value_error"),
            ("password", json!("ann@acme.com"), "value_error"),
            ("password", json!("Ann-Smith-1"), "value_error"),
            ("password", json!("x".repeat(73)), "value_error"),
        ] {
            let mut body = acme("ann@acme.com", None);
            body[field] = value;
            let answer = app.post(PATH, &body).await;
            let item = &answer.json()["detail"][0];
            assert_eq!((answer.status, item["loc"][1].as_str(), item["type"].as_str()), (422, Some(field), Some(kind)), "{:.200}", answer.text);
        }
        let missing = app.post(&format!("{PATH}/"), &json!({})).await.json();
        let fields: Vec<_> = missing["detail"].as_array().unwrap().iter().map(|item| item["loc"][1].as_str().unwrap()).collect();
        assert_eq!(fields, ["name", "full_name", "email", "password"]);
        assert_eq!(organizations(&app).await, before);
        let mut body = acme("ann@acme.com", None);
        for (field, value) in [("org_id", json!(1)), ("roles", json!(["admin"])), ("status", json!("inactive")), ("is_active", json!(false))] {
            body[field] = value;
        }
        let answer = app.post(PATH, &body).await.json();
        assert_eq!((&answer["user"]["roles"], &answer["is_active"]), (&json!(["owner"]), &json!(true)), "the rest is never used");
    }

    async fn roles_that_nobody_has_seeded_are_made(app: TestApp) {
        app.sql("DELETE FROM core.user_roles").await;
        app.sql("DELETE FROM core.roles").await;
        let answers = join_all((0..4).map(|number| { let app = &app; async move { app.post(PATH, &acme(&format!("ann{number}@acme.com"), None)).await } })).await;
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
        let codes = app.texts("SELECT code FROM core.roles ORDER BY id").await;
        assert_eq!(codes.into_iter().flatten().collect::<Vec<_>>(), ["owner", "admin", "accountant", "cashier"]);
    }

    async fn switched_off_it_is_not_there(closed: Closed) {
        let app = &closed.0;
        for path in [PATH, CONFIRM, "/api/v1/organizations/"] {
            for method in ["POST", "GET"] {
                let answer = TestApp::send(app.request(method, path).json(&acme("ann@acme.com", None))).await;
                assert_code(&answer, 404, "not_found");
            }
        }
        assert!(!app.get("/openapi.json").await.text.contains(PATH));
    }

    async fn outside_development_the_answer_is_the_same_whoever_has_the_address(staging: Staging) {
        let app = &staging.0;
        let known = app.member(&[Role::Owner]).await;
        let before = organizations(app).await;
        let mut answers = Vec::new();
        for email in ["free1@example.com", &known.email] {
            let answer = app.post(PATH, &acme(email, Some("77"))).await;
            assert_eq!(answer.text, format!(r#"{{"name":"Acme Ltd","email":"{email}","confirmation_required":true}}"#));
            answers.push(answer.comparable().replace(email, "ADDRESS").replace(&format!("\"{}\"", answer.text.len()), "LENGTH"));
        }
        assert_eq!(answers[0], answers[1]);
        let notice = staging.1.mails(&known.email, NOTICE, 1).await.remove(0);
        let link = staging.1.mails("free1@example.com", LINK, 1).await.remove(0);
        for mail in [notice, link] {
            assert!(!mail.contains("Acme") && !mail.contains("Ann"), "a stranger's words: {mail}");
        }
        assert_eq!(organizations(app).await, before, "nothing before the confirmation");
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email = 'free1@example.com'").await, [0]);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.sign_ups").await, [1]);
        assert_eq!(app.log_in("free1@example.com", GOOD).await.status, 401);
        for email in ["free2@example.com", &known.email] {
            assert_code(&app.post(PATH, &acme(email, Some("1234567890"))).await, 409, "conflict");
        }
    }

    async fn a_link_founds_the_company_once_also_in_parallel(staging: Staging) {
        let app = &staging.0;
        let before = organizations(app).await;
        assert_eq!(app.post(PATH, &acme("ann@acme.com", Some("77"))).await.status, 201);
        let token = staging.token("ann@acme.com", 1).await;
        let stored = app.texts("SELECT token_hash FROM auth.sign_ups").await.remove(0).unwrap();
        assert!(token.starts_with("spu_") && token.len() == 47 && stored.len() == 64 && !token.contains(&stored));
        for odd in [&stored, &token.to_lowercase(), &token.replace("spu_", "spi_"), &format!("{token}="), "x", &"x".repeat(1_000_000)] {
            assert_invalid(&staging.confirm(odd).await);
        }
        assert_eq!(app.me(&token).await.status, 401);
        assert!(matches!(app.get(&format!("{CONFIRM}?token={token}")).await.status, 404 | 405));
        let answers = join_all((0..32).map(|_| staging.confirm(&token))).await;
        let (right, wrong): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((right.len(), right[0].text.as_str()), (1, r#"{"message":"Confirmed; log in"}"#));
        // One that found the queue of the hashes full is told to come again.
        wrong.into_iter().filter(|answer| answer.status != 503).for_each(assert_invalid);
        assert_eq!(organizations(app).await, before + 1);
        let signed_in = app.log_in("ann@acme.com", GOOD).await.json();
        assert_eq!(signed_in["roles"], json!(["owner"]), "{signed_in}");
        let org = signed_in["user"]["org_id"].as_i64().unwrap();
        let trail = app.texts(&format!("SELECT action FROM auth.audit_log WHERE org_id = {org} ORDER BY seq")).await;
        let expected = ["organization.created", "organization.sign_up_confirmed", "auth.log_in"];
        assert_eq!(trail.into_iter().flatten().collect::<Vec<_>>(), expected);
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.sign_ups").await, [0], "the hash is kept in one place only");
    }

    async fn a_stranger_can_neither_take_an_address_nor_void_its_owners_link(staging: Staging) {
        let app = &staging.0;
        assert_eq!(app.post(PATH, &acme("ann@acme.com", Some("77"))).await.status, 201);
        let first = staging.token("ann@acme.com", 1).await;
        let mut stranger = acme("ann@acme.com", Some("77"));
        stranger["password"] = json!("the stranger's own");
        assert_eq!(app.post(PATH, &stranger).await.status, 201);
        let second = staging.token("ann@acme.com", 2).await;
        assert_invalid(&staging.confirm(&second).await);
        assert_eq!(staging.confirm(&first).await.status, 200);
        assert_eq!((app.log_in("ann@acme.com", GOOD).await.status, app.log_in("ann@acme.com", "the stranger's own").await.status), (200, 401));
        assert_code(&staging.confirm_with(&second, "the stranger's own").await, 409, "conflict");
        let mut third = acme("bob@acme.com", Some("99"));
        third["name"] = json!("Bob");
        assert_eq!(app.post(PATH, &third).await.status, 201);
        let token = staging.token("bob@acme.com", 1).await;
        app.sql("UPDATE core.organizations SET tax_code = '99' WHERE tax_code = '77'").await;
        let before = organizations(app).await;
        assert_code(&staging.confirm(&token).await, 409, "conflict");
        assert_eq!(organizations(app).await, before);
        app.sql("UPDATE core.organizations SET tax_code = '77' WHERE tax_code = '99'").await;
        assert_eq!(staging.confirm(&token).await.status, 200, "what could not be founded was not used up");
    }

    async fn what_is_never_confirmed_expires_and_goes(staging: Staging) {
        let app = &staging.0;
        assert_eq!(app.post(PATH, &acme("ann@acme.com", None)).await.status, 201);
        let token = staging.token("ann@acme.com", 1).await;
        app.clock.advance(Duration::from_secs(3 * 86_400 - 1));
        app.auth.remove_expired().await.unwrap();
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.sign_ups").await, [1]);
        app.clock.advance(Duration::from_secs(1));
        assert_invalid(&staging.confirm(&token).await);
        app.clock.advance(Duration::from_secs(1));
        app.auth.remove_expired().await.unwrap();
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.sign_ups").await, [0]);
        assert_eq!(app.post(PATH, &acme("ann@acme.com", None)).await.status, 201);
        let token = staging.token("ann@acme.com", 2).await;
        assert_eq!(staging.confirm(&token).await.status, 200);
    }

    async fn sign_ups_and_confirmations_share_one_budget(limited: Limited) {
        let app = &limited.0;
        for (left, path) in (0..5).rev().zip([PATH, CONFIRM, "/api/v1/organizations/", CONFIRM, PATH]) {
            let answer = app.post(path, &json!({})).await;
            assert_eq!((answer.status, answer.one("ratelimit")), (422, &*format!("\"sign-up\";r={left};t=60")));
        }
        assert_eq!((app.post(PATH, &json!({})).await.status, app.post(CONFIRM, &json!({})).await.status), (429, 429));
        assert_eq!(app.log_in("admin@sme.com", "x").await.status, 401, "log-ins have a budget of their own");
    }

    async fn one_mailbox_cannot_be_flooded_with_links(busy: Busy) {
        let Staging(app, post) = &busy.0;
        for number in 0..12 {
            if number % 4 == 0 {
                app.clock.advance(Duration::from_secs(61));
            }
            assert_eq!(app.post(PATH, &acme("ann@acme.com", None)).await.status, 201, "the answer tells nothing");
        }
        app.clock.advance(Duration::from_secs(61));
        assert_eq!(app.post(PATH, &acme("last@acme.com", None)).await.status, 201);
        // Errands are done in order: when the last has its link, the others have been through.
        post.mails("last@acme.com", LINK, 1).await;
        assert_eq!(app.numbers("SELECT COUNT(*) FROM auth.sign_ups WHERE email = 'ann@acme.com'").await, [11]);
    }

    async fn strangers_do_not_use_up_the_mails_of_an_address(busy: Busy) {
        let staging = &busy.0;
        for number in 0..15 {
            if number % 5 == 0 {
                staging.0.clock.advance(Duration::from_secs(61));
            }
            assert_eq!(staging.sign_up_from(&format!("2001:db8::{number}"), "ann@acme.com").await, 201);
        }
        assert_eq!(staging.sign_up_from("2001:db8:0:1::1", "ann@acme.com").await, 201);
        assert_eq!(staging.sign_up_from("2001:db8:0:1::2", "last@acme.com").await, 201);
        staging.1.mails("last@acme.com", LINK, 1).await;
        let links = "SELECT COUNT(*) FROM auth.sign_ups WHERE email = 'ann@acme.com'";
        assert_eq!(staging.0.numbers(links).await, [12], "eleven of the strangers, and one more");
        let counters = staging.0.texts("SELECT key FROM auth.guess_counters").await;
        assert!(counters.iter().flatten().all(|key| key.len() == 64), "neither addresses nor clients are kept");
    }

    async fn a_link_is_nothing_without_the_password_of_the_sign_up(staging: Staging) {
        let app = &staging.0;
        assert_eq!(app.post(PATH, &acme("ann@acme.com", None)).await.status, 201);
        let token = staging.token("ann@acme.com", 1).await;
        for (body, field, kind) in [
            (json!({"token": token}), "password", "missing"),
            (json!({"token": token, "password": null}), "password", "string_type"),
            (json!({"token": token, "password": 7}), "password", "string_type"),
            (json!({"password": GOOD}), "token", "missing"),
        ] {
            let answer = app.post(CONFIRM, &body).await;
            let item = &answer.json()["detail"][0];
            assert_eq!((answer.status, item["loc"][1].as_str(), item["type"].as_str()), (422, Some(field), Some(kind)), "{}", answer.text);
        }
        for wrong in ["wrong", "Correct horse battery", " correct horse battery", "\0", &"x".repeat(500_000)] {
            assert_invalid(&staging.confirm_with(&token, wrong).await);
        }
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users WHERE email = 'ann@acme.com'").await, [0]);
        assert_eq!(staging.confirm(&token).await.status, 200, "wrong ones use nothing up");
    }

    async fn guesses_at_the_password_of_a_sign_up_are_slowed_down(busy: Busy) {
        let staging = &busy.0;
        let app = &staging.0;
        assert_eq!(staging.sign_up_from("192.0.2.1", "ann@acme.com").await, 201);
        let token = staging.token("ann@acme.com", 1).await;
        let confirm_from = async |client: String, password: &str| {
            let request = app.request("POST", CONFIRM).header("x-forwarded-for", client);
            TestApp::send(request.json(&json!({"token": token, "password": password}))).await
        };
        let counters = "SELECT COUNT(*) FROM auth.guess_counters";
        let before = app.numbers(counters).await;
        let (start, rest) = token.split_at(10);
        let other = if rest.starts_with('A') { 'B' } else { 'A' };
        assert_invalid(&staging.confirm(&format!("{start}{other}{}", &rest[1..])).await);
        assert_eq!(app.numbers(counters).await, before, "made-up tokens leave nothing");
        for number in 0..11 {
            assert_invalid(&confirm_from(format!("198.51.100.{number}"), "wrong").await);
        }
        assert_invalid(&confirm_from("203.0.113.1".to_owned(), GOOD).await);
        app.clock.advance(Duration::from_secs(2));
        assert_eq!(confirm_from("203.0.113.1".to_owned(), GOOD).await.status, 200);
    }
}
