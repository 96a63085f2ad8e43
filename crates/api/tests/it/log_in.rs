//! `POST /login`: the exact answer, the refusals that look alike, and what a log-in leaves in the database.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use sme_pulse_domain::clock::Clock as _;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};
use uuid::Uuid;

use super::support::{HASH, HEADER, PASSWORD, TestApp, claims, part};

on_both_databases! {
    async fn the_answer_has_its_keys_in_order_and_its_token_says_the_same(app: TestApp) {
        for path in ["/api/v1/auth/login", "/auth/login", "/api/v1/auth/login/", "/auth/login/"] {
            let answer = app.post(path, &json!({"email": "admin@sme.com", "password": PASSWORD})).await;
            let body = answer.json();
            let (token, id, org) =
                (body["access_token"].as_str().unwrap(), &body["user"]["id"], &body["user"]["org_id"]);
            assert_eq!(
                answer.text,
                format!(
                    concat!(
                        r#"{{"access_token":"{}","token_type":"bearer","expires_in":1800,"#,
                        r#""user":{{"id":{},"email":"admin@sme.com","full_name":"Administrator","org_id":{},"status":"active"}},"#,
                        r#""roles":["owner","admin"],"refresh_token":"{}","refresh_expires_in":1209600,"device_token":"{}"}}"#
                    ),
                    token,
                    id,
                    org,
                    body["refresh_token"].as_str().unwrap(),
                    body["device_token"].as_str().unwrap()
                )
            );
            assert_eq!(
                (answer.status, answer.one("content-type"), answer.one("cache-control")),
                (200, "application/json", "no-store")
            );

            assert_eq!(part(token, 0), HEADER);
            let mut claims = claims(token);
            let jti: Uuid = claims["jti"].as_str().unwrap().parse().unwrap();
            let sid: Uuid = claims["sid"].as_str().unwrap().parse().unwrap();
            assert_eq!(jti.get_version_num(), 8, "what was known of revocations, and the rest random");
            let now = app.clock.now().timestamp();
            for name in ["jti", "sid"] {
                claims.as_object_mut().unwrap().remove(name);
            }
            assert_eq!(
                claims,
                json!({
                    "sub": id.to_string(), "org_id": org, "roles": ["owner", "admin"], "iat": now, "nbf": now,
                    "exp": now + 1800, "iss": "sme-pulse", "aud": "sme-pulse-api", "amr": ["pwd"], "auth_time": now
                })
            );
            let sessions = format!("SELECT user_id FROM auth.sessions WHERE id = '{sid}'");
            assert_eq!(json!(app.numbers(&sessions).await), json!([id]));
        }
    }

    async fn names_may_be_null_and_roles_empty_and_me_is_flat(app: TestApp) {
        let admin = app.admin().await;
        let id = app.insert_user(admin.org, "nobody@example.com", HASH).await;
        let answer = app.log_in("nobody@example.com", PASSWORD).await;
        let (text, org) = (&answer.text, admin.org);
        let user =
            format!(r#""id":{id},"email":"nobody@example.com","full_name":null,"org_id":{org},"status":"active""#);
        assert!(
            text.contains(&format!(r#""expires_in":1800,"user":{{{user}}},"roles":[],"refresh_token":"spr_"#)),
            "{text}"
        );
        let me = app.me(answer.json()["access_token"].as_str().unwrap()).await;
        assert_eq!((me.status, me.text), (200, format!(r#"{{{user},"roles":[]}}"#)));
        assert_eq!(me.headers["cache-control"], "no-store");
        let owner = app.member(&[Role::Cashier, Role::Owner, Role::Accountant]).await;
        assert_eq!(owner.get("/auth/me").await.json()["roles"], json!(["owner", "accountant", "cashier"]));
    }

    async fn every_refusal_is_the_same_answer(app: TestApp) {
        let org = app.admin().await.org;
        app.insert_user(org, "inactive@example.com", HASH).await;
        app.sql("UPDATE core.users SET status = 'inactive' WHERE email = 'inactive@example.com'").await;
        let suspended = app.member(&[Role::Owner]).await;
        app.sql(&format!("UPDATE core.organizations SET status = 'inactive' WHERE id = {}", suspended.org)).await;
        let mut hashes = vec![
            "",
            "123456",
            "$2b$",
            "$2b$04$tooshort",
            "$2b$99$8jm5tGoJHgbO0XxqEIw5Luj6XyGV64.5cSPF8Vm5tXWoRj8m7d92m",
        ];
        // A cost that would take hours is not computed.
        let slow = HASH.replace("$04$", "$31$");
        hashes.push(&slow);
        for (number, hash) in hashes.iter().enumerate() {
            app.insert_user(org, &format!("broken{number}@example.com"), hash).await;
        }
        let wrong = app.log_in("admin@sme.com", "wrong").await;
        wrong.assert_envelope(401, "Incorrect email or password", "Incorrect email or password", "invalid_credentials");
        assert_eq!((wrong.one("www-authenticate"), wrong.one("cache-control")), ("Bearer", "no-store"));

        let mut cases = vec![
            ("unknown@example.com", PASSWORD.to_owned()),
            ("inactive@example.com", PASSWORD.to_owned()),
            ("inactive@example.com", "wrong".to_owned()),
            (&suspended.email, PASSWORD.to_owned()),
            ("admin@sme.com", format!("{PASSWORD}\0")),
            ("admin@sme.com", "\0".to_owned()),
            ("unknown@example.com", "\0".to_owned()),
            ("admin@sme.com", "x".repeat(73)),
            ("admin@sme.com", "x".repeat(1_000_000)),
            ("unknown@example.com", "x".repeat(1_000_000)),
            ("admin@sme.com", "\u{1f600}\u{0}\u{202e}\u{feff}'; DROP TABLE core.users; --".to_owned()),
        ];
        let broken: Vec<_> = (0..hashes.len()).map(|number| format!("broken{number}@example.com")).collect();
        cases.extend(broken.iter().map(|email| (email.as_str(), PASSWORD.to_owned())));
        for (email, password) in cases {
            let answer = app.log_in(email, &password).await;
            let shown: String = password.chars().take(20).collect();
            assert_eq!(answer.comparable(), wrong.comparable(), "{email} {shown:?}");
        }
    }

    async fn passwords_are_compared_exactly_and_bcrypt_drops_nothing(app: TestApp) {
        let org = app.admin().await.org;
        let unicode = " pässwörd with spaces \u{1f600} "; // 27 characters, kept as they are
        let longest = "0123456789abcdef".repeat(4) + "01234567";
        for (email, password) in [("unicode@example.com", unicode), ("long@example.com", &longest)] {
            app.insert_user(org, email, &bcrypt(4, password)).await;
            assert_eq!(app.log_in(email, password).await.status, 200, "{email}");
        }
        for (email, password) in [
            ("unicode@example.com", unicode.trim().to_owned()),
            ("unicode@example.com", unicode.to_uppercase()),
            ("unicode@example.com", unicode.replace('ä', "a\u{308}")),
            ("long@example.com", format!("{longest}8")),
            ("long@example.com", longest[..71].to_owned()),
            ("admin@sme.com", format!(" {PASSWORD}")),
            ("admin@sme.com", format!("{PASSWORD}\n")),
            ("admin@sme.com", format!("{PASSWORD}\0{PASSWORD}")),
            ("admin@sme.com", "１２３４５６".to_owned()),
        ] {
            assert_eq!(app.log_in(email, &password).await.status, 401, "{email} {password:?}");
        }
    }

    async fn addresses_match_in_normal_form_and_look_alikes_are_other_people(app: TestApp) {
        for email in ["ADMIN@SME.COM", " admin@sme.com", "admin@sme.com\n", "\u{3000}Admin@Sme.Com\t"] {
            let answer = app.log_in(email, PASSWORD).await;
            assert_eq!((answer.status, &answer.json()["user"]["email"]), (200, &json!("admin@sme.com")), "{email:?}");
        }
        for email in [
            "ａdmin@sme.com",
            "аdmin@sme.com",
            "admın@sme.com",
            "admİn@sme.com",
            "admin+x@sme.com",
            "admin@ｓme.com",
            "admin@sme.com\u{200b}",
            "admin%@sme.com",
            "_dmin@sme.com",
            "admin'--@sme.com",
            "admin'or'1'='1@sme.com",
        ] {
            assert_eq!(app.log_in(email, PASSWORD).await.status, 401, "{email:?}");
        }
        let org = app.admin().await.org;
        let other = app.insert_user(org, "ａdmin@sme.com", HASH).await;
        assert_eq!(app.log_in("ａDMIN@sme.com", PASSWORD).await.json()["user"]["id"], json!(other));
    }

    async fn an_outdated_hash_is_renewed_and_old_prefixes_are_read(app: TestApp) {
        let org = app.admin().await.org;
        let hash = async |email: &str| {
            app.texts(&format!("SELECT password_hash FROM core.users WHERE email = '{email}'")).await[0]
                .clone()
                .unwrap()
        };
        app.insert_user(org, "old@example.com", &bcrypt(5, PASSWORD)).await;
        assert_eq!(app.log_in("old@example.com", "wrong").await.status, 401);
        assert_eq!(hash("old@example.com").await, bcrypt(5, PASSWORD), "only the right password renews");
        assert_eq!(app.log_in("old@example.com", PASSWORD).await.status, 200);
        let renewed = hash("old@example.com").await;
        assert!(renewed.starts_with("$2b$04$") && renewed != HASH, "{renewed}");
        assert_eq!(app.log_in("old@example.com", PASSWORD).await.status, 200);
        assert_eq!(hash("old@example.com").await, renewed);
        for (email, prefix) in [("a@example.com", "$2a$"), ("y@example.com", "$2y$")] {
            app.insert_user(org, email, &HASH.replace("$2b$", prefix)).await;
            assert_eq!(app.log_in(email, PASSWORD).await.status, 200, "{prefix}");
        }
    }

    async fn a_session_row_tells_when_from_where_and_with_what(app: TestApp) {
        let admin = app.admin().await;
        let long = "é".repeat(300);
        let agents: [(&[u8], Option<String>); 5] = [
            (b"curl/8.0", Some("curl/8.0".to_owned())),
            (long.as_bytes(), Some("é".repeat(255))),
            (b"caf\xe9 \xff", Some("caf\u{fffd} \u{fffd}".to_owned())),
            (b"a\tb", Some("a\u{fffd}b".to_owned())),
            (b"'); DROP TABLE core.users; --", Some("'); DROP TABLE core.users; --".to_owned())),
        ];
        for (agent, stored) in agents {
            let body = json!({"email": "admin@sme.com", "password": PASSWORD});
            let agent = HeaderValue::from_bytes(agent).unwrap();
            let answer =
                TestApp::send(app.request("POST", "/auth/login").header("user-agent", agent).json(&body)).await;
            let sid = claims(answer.json()["access_token"].as_str().unwrap())["sid"].as_str().unwrap().to_owned();
            let row = |column: &str| format!("SELECT {column} FROM auth.sessions WHERE id = '{sid}'");
            assert_eq!(app.texts(&row("user_agent")).await, [stored]);
            assert_eq!(app.texts(&row("client_ip")).await, [Some("127.0.0.1".to_owned())]);
            let now = app.clock.now().timestamp();
            for (column, at) in [("created_at", now), ("expires_at", now + 14 * 86_400)] {
                assert_eq!(app.numbers(&row(&app.epoch(column))).await, [at], "{column}");
            }
            assert_eq!(app.numbers(&row("COUNT(*)").replace("WHERE", "WHERE revoked_at IS NULL AND")).await, [1]);
            let last = format!("SELECT {} FROM core.users WHERE id = {}", app.epoch("last_login_at"), admin.user);
            assert_eq!(app.numbers(&last).await, [now]);
        }
        if app.engine() == Engine::Sqlite {
            let forms = app.texts("SELECT DISTINCT length(expires_at) || typeof(id) FROM auth.sessions").await;
            assert_eq!(forms, [Some("26text".to_owned())], "one form that sorts as text");
        }
    }

    async fn fields_a_client_may_not_set_are_never_used(app: TestApp) {
        let other = app.member(&[Role::Cashier]).await;
        let sneaky = json!({
            "email": "admin@sme.com", "password": PASSWORD, "org_id": other.org, "id": other.user, "user_id": other.user,
            "sub": other.user.to_string(), "roles": ["cashier"], "role": "cashier", "exp": 4_102_444_800_i64,
            "expires_in": 99_999, "sid": "x", "status": "inactive", "user": {"id": other.user}, "__proto__": {"admin": true}
        });
        let answer = app.post("/auth/login", &sneaky).await.json();
        assert_eq!((&answer["expires_in"], &answer["roles"]), (&json!(1800), &json!(["owner", "admin"])));
        assert_ne!(answer["user"]["org_id"], json!(other.org));
        let claims = claims(answer["access_token"].as_str().unwrap());
        assert_eq!(claims["exp"], json!(app.clock.now().timestamp() + 1800));
        assert_eq!(claims["sub"], json!(answer["user"]["id"].to_string()));
    }

    async fn a_full_hash_queue_is_a_503_at_once_and_nothing_else_waits(db: TestDatabase) {
        let app =
            TestApp::with(db, &[("BACKEND_RATE_LIMIT_ENABLED", "false"), ("BACKEND_HASH_CONCURRENCY", "1")]).await;
        // Hashes of cost 10 take long enough for the queue of the one thread to fill.
        let org = app.admin().await.org;
        app.insert_user(org, "slow@example.com", &bcrypt(10, "another")).await;
        let attempts = (0..60).map(|_| app.log_in("slow@example.com", PASSWORD));
        let health = async {
            let mut all = Vec::new();
            for _ in 0..20 {
                all.push(app.get("/health").await.status);
            }
            all
        };
        let (answers, health) = tokio::join!(futures_util::future::join_all(attempts), health);
        assert_eq!(health, [200; 20]);
        let (shed, done): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
        assert!(!shed.is_empty() && !done.is_empty(), "{} shed", shed.len());
        assert!(done.iter().all(|answer| answer.status == 401));
        for answer in shed {
            assert_eq!(answer.one("retry-after"), "1");
            let detail = "The service is temporarily unavailable. Please try again.";
            answer.assert_envelope(503, "Service unavailable", detail, "service_unavailable");
        }
    }
}

fn bcrypt(cost: u32, password: &str) -> String {
    use password_hash::PasswordHasher as _;
    sme_pulse_auth::password::Bcrypt::new(cost).hash_password_with_salt(password.as_bytes(), &[7; 16]).unwrap()
}

#[test]
fn the_inserted_hash_is_of_the_inserted_password() {
    use password_hash::PasswordVerifier as _;
    let verifier = sme_pulse_auth::password::Bcrypt::new(4);
    assert!(verifier.verify_password(PASSWORD.as_bytes(), HASH).is_ok());
    assert_ne!(Value::from(HASH), Value::from(bcrypt(4, PASSWORD)));
}
