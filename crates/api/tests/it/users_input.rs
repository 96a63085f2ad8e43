//! Bad input of people's routes, and lists: filters, paging, order.

use std::time::Duration;

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, TestApp, USERS, new_user, user_path};

const WORDS: &str = "Input should be 'owner', 'admin', 'accountant' or 'cashier'";

fn assert_items(answer: &Answer, items: &Value) {
    assert_eq!((answer.status, &answer.json()["detail"]), (422, items), "{}", answer.text);
}

fn item(loc: Value, msg: &str, kind: &str) -> Value {
    let mut item = json!({"msg": msg, "type": kind});
    item["loc"] = loc;
    item
}

on_both_databases! {
    async fn all_faults_of_a_new_user_are_told_together_and_nothing_is_written(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let users = app.numbers("SELECT COUNT(*) FROM core.users").await;
        let missing = |name: &str| item(json!(["body", name]), "Field required", "missing");
        assert_items(&owner.post_json(USERS, &json!({})).await, &json!([missing("email"), missing("full_name"), missing("password"), missing("role")]));
        let not_text = |name: &str| item(json!(["body", name]), "Input should be a valid string", "string_type");
        assert_items(
            &owner.post_json(USERS, &json!({"email": 1, "full_name": null, "password": ["x"], "role": "king"})).await,
            &json!([not_text("email"), not_text("full_name"), not_text("password"), item(json!(["body", "role"]), WORDS, "literal_error")]),
        );
        let base = |field: &str, value: Value| {
            let mut body = new_user("new@example.com", json!(["cashier"]));
            body[field] = value;
            body
        };
        let roles = |index: usize| item(json!(["body", "roles", index]), WORDS, "literal_error");
        for (field, value, expected) in [
            ("roles", json!([]), item(json!(["body", "roles"]), "List should have at least 1 item", "too_short")),
            ("roles", json!("owner"), item(json!(["body", "roles"]), "Input should be a valid list", "list_type")),
            ("roles", json!(["cashier", "Owner"]), roles(1)),
            ("roles", json!([null]), roles(0)),
            ("roles", json!(["cashier\u{0}"]), roles(0)),
            ("roles", json!(["owner", "admin", "accountant", "cashier", "cashier"]), item(json!(["body", "roles"]), "List should have at most 4 items", "too_long")),
            ("roles", json!(vec!["cashier"; 100_000]), item(json!(["body", "roles"]), "List should have at most 4 items", "too_long")),
            ("role", json!("king"), item(json!(["body", "role"]), WORDS, "literal_error")),
            ("full_name", json!(" \n\u{3000}"), item(json!(["body", "full_name"]), "String should have at least 1 character", "string_too_short")),
            ("full_name", json!("é".repeat(256)), item(json!(["body", "full_name"]), "String should have at most 255 characters", "string_too_long")),
            ("full_name", json!("a".repeat(1_000_000)), item(json!(["body", "full_name"]), "String should have at most 255 characters", "string_too_long")),
            ("full_name", json!("a\0b"), item(json!(["body", "full_name"]), "Text must not contain NUL characters", "value_error")),
            ("password", json!("1234567"), item(json!(["body", "password"]), "String should have at least 8 characters", "string_too_short")),
            ("password", json!("a good \0 passphrase"), item(json!(["body", "password"]), "Password must not contain NUL characters", "value_error")),
            ("password", json!("ä".repeat(37)), item(json!(["body", "password"]), "Password must not be longer than 72 bytes", "value_error")),
            ("password", json!("Password1"), item(json!(["body", "password"]), "Password is one of the most common ones", "value_error")),
            ("password", json!("New Person 99"), item(json!(["body", "password"]), "Password must not be your name or e-mail address", "value_error")),
        ] {
            assert_items(&owner.post_json(USERS, &base(field, value)).await, &json!([expected]));
        }
        for email in ["x", "a@b", "a@x.test", "a b@x.com", "a\0@x.com", "a@x.com\n<b@x.com>", "\u{202e}a@x.com,b@x.com"] {
            let answer = owner.post_json(USERS, &base("email", json!(email))).await;
            assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["body", "email"])), "{email}");
        }
        for body in ["", "null", "[]", "7", "{", "{\"email\":\"\\ud800\"}"] {
            let answer = TestApp::send(owner.request("POST", USERS).header("content-type", "application/json").body(body)).await;
            assert_eq!(answer.status, 422, "{body}");
        }
        assert_eq!(app.numbers("SELECT COUNT(*) FROM core.users").await, users);
    }

    async fn addresses_that_only_look_alike_are_others(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let mut ids = Vec::new();
        for email in ["ann@example.com", "ann+tag@example.com", "аnn@example.com", "ａnn@example.com", "ANN\u{131}@example.com", "an\u{200d}n@example.com"] {
            let answer = owner.post_json(USERS, &new_user(email, json!(["cashier"]))).await;
            // What is no valid address is refused; nothing is folded into somebody else's.
            assert!([201, 422].contains(&answer.status), "{email}: {}", answer.text);
            ids.extend(answer.json()["id"].as_i64());
        }
        assert!(ids.len() >= 2);
        for same in ["ANN@EXAMPLE.COM", " ann@example.com\n"] {
            assert_eq!(owner.post_json(USERS, &new_user(same, json!(["cashier"]))).await.json()["error_code"], "duplicate");
        }
    }

    async fn updates_refuse_null_where_nothing_can_be_cleared_and_wrong_words(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let path = user_path(owner.user);
        let before = owner.get(&path).await.text;
        let status = "Input should be 'active' or 'inactive'";
        assert_items(
            &owner.put(&path, &json!({"full_name": "", "role": null, "roles": null, "status": null})).await,
            &json!([
                item(json!(["body", "full_name"]), "String should have at least 1 character", "string_too_short"),
                item(json!(["body", "role"]), WORDS, "literal_error"),
                item(json!(["body", "roles"]), "Input should be a valid list", "list_type"),
                item(json!(["body", "status"]), status, "literal_error"),
            ]),
        );
        for patch in [
            json!({"roles": []}), json!({"roles": ["owner", "owner", 7]}), json!({"role": true}), json!({"status": "deleted"}),
            json!({"status": 1}), json!({"full_name": 5}), json!({"full_name": "a\0"}), json!({"full_name": "x".repeat(256)}),
            json!({"full_name": "fine", "status": "ACTIVE"}),
        ] {
            assert_eq!(owner.put(&path, &patch).await.status, 422, "{patch}");
        }
        let both = owner.put(&format!("{USERS}/abc"), &json!({"status": "x"})).await.json();
        assert_eq!((&both["detail"][0]["loc"], &both["detail"][1]["loc"]), (&json!(["path", "user_id"]), &json!(["body", "status"])));
        assert_eq!(owner.get(&path).await.text, before);
    }

    async fn lists_are_the_latest_first_in_pages_that_neither_repeat_nor_leave_out(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        app.sql(&format!("UPDATE core.users SET created_at = '2020-01-01 00:00:00.000000{}' WHERE id = {}", if app.engine() == sme_pulse_testing::Engine::Postgres { "+00" } else { "" }, owner.user)).await;
        let mut expected = vec![json!(owner.user)];
        for number in 0..6 {
            // Two at each instant, so that the key decides.
            app.clock.advance(Duration::from_secs(number % 2));
            let added = owner.post_json(USERS, &new_user(&format!("p{number}@example.com"), json!(["cashier"]))).await;
            expected.insert(0, added.json()["id"].clone());
        }
        assert_eq!(owner.listed("", "id").await, (7, expected.clone()));
        let mut paged = Vec::new();
        for skip in (0..9).step_by(2) {
            let (total, page) = owner.listed(&format!("skip={skip}&limit=2"), "id").await;
            assert_eq!(total, 7);
            paged.extend(page);
        }
        assert_eq!(paged, expected);
        for beyond in ["skip=7", "skip=9223372036854775807&limit=500"] {
            assert_eq!(owner.listed(beyond, "id").await, (7, vec![]));
        }
        let page = owner.get(&format!("{USERS}?skip=1&limit=1")).await;
        assert!(page.text.starts_with(&format!(r#"{{"total":7,"skip":1,"limit":1,"items":[{{"id":{},"email":"p4@example.com","#, expected[1])), "{}", page.text);
        for (query, place, kind) in [
            ("skip=-1", "skip", "greater_than_equal"), ("limit=0", "limit", "greater_than_equal"), ("limit=501", "limit", "less_than_equal"),
            ("limit=x", "limit", "int_parsing"), ("skip=", "skip", "int_parsing"), ("skip=1e3", "skip", "int_parsing"),
            ("search=%00", "search", "value_error"), ("role=a%00", "role", "value_error"),
        ] {
            let answer = owner.get(&format!("{USERS}?{query}")).await;
            let first = &answer.json()["detail"][0];
            assert_eq!((answer.status, &first["loc"], first["type"].as_str()), (422, &json!(["query", place]), Some(kind)), "{query}");
        }
        assert_eq!(owner.get(&format!("{USERS}?search=%ff")).await.status, 400);
    }

    async fn filters_combine_and_a_search_takes_every_character_as_it_is(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for (email, name, roles) in [
            ("a.b_c@example.com", "Ann 100% Größe", json!(["cashier"])),
            ("axbyc@example.com", "Bob \\ O'Neil", json!(["cashier", "accountant"])),
            ("other@example.com", "Snow ☃ \"quoted\"", json!(["admin"])),
        ] {
            let mut body = new_user(email, roles);
            body["full_name"] = json!(name);
            assert_eq!(owner.post_json(USERS, &body).await.status, 201);
        }
        for (query, emails) in [
            ("search=B_C", vec!["a.b_c@example.com"]),
            ("search=_", vec!["a.b_c@example.com"]),
            ("search=%25", vec!["a.b_c@example.com"]),
            ("search=100%25+gr", vec!["a.b_c@example.com"]),
            ("search=%5C", vec!["axbyc@example.com"]),
            ("search=o%27neil", vec!["axbyc@example.com"]),
            ("search=%E2%98%83", vec!["other@example.com"]),
            ("search=%22QUOTED%22", vec!["other@example.com"]),
            ("search=a%25c", vec![]),
            ("search=example.com&role=admin", vec!["other@example.com"]),
            ("role=accountant&status=active", vec!["axbyc@example.com"]),
            ("role=accountant&status=inactive", vec![]),
            ("role=Owner", vec![]),
            ("role=king", vec![]),
            ("status=deleted", vec![]),
            ("status=ACTIVE", vec![]),
            ("role=admin&search=&status=", vec!["other@example.com"]),
        ] {
            let emails: Vec<Value> = emails.into_iter().map(Value::from).collect();
            assert_eq!(owner.listed(query, "email").await, (i64::try_from(emails.len()).unwrap(), emails), "{query}");
        }
        assert_eq!(owner.listed("role=&search=&status=", "id").await.0, 4);
        // Longer than a pattern of SQLite may be.
        assert_eq!(owner.listed(&format!("search={}", "_".repeat(30_000)), "id").await, (0, vec![]));
    }
}
