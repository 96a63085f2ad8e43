//! Customers and suppliers: both resources through the same cases, since they are equal but for the name of the term.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, TestApp};

/// Resource, term, the sentence about an unknown row, the sentence about a taken code, the table.
const KINDS: [(&str, &str, &str, &str, &str); 2] = [
    (
        "/api/v1/customers",
        "credit_term",
        "Customer not found",
        "A customer with this code already exists.",
        "finance.customers",
    ),
    (
        "/api/v1/suppliers",
        "payment_term",
        "Supplier not found",
        "A supplier with this code already exists.",
        "finance.suppliers",
    ),
];

async fn added(member: &Member<'_>, path: &str, body: Value) -> Value {
    let answer = member.post_json(path, &body).await;
    assert_eq!(answer.status, 201, "{body}: {}", answer.text);
    answer.json()
}

async fn delete(member: &Member<'_>, path: &str) -> Answer {
    TestApp::send(member.request("DELETE", path)).await
}

async fn names(member: &Member<'_>, path: &str) -> (i64, Vec<String>) {
    let answer = member.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let page = answer.json();
    let items = page["items"].as_array().unwrap();
    (page["total"].as_i64().unwrap(), items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect())
}

on_both_databases! {
    async fn a_new_partner_has_every_field_in_its_place(app: TestApp) {
        let member = app.member(&[Role::Accountant]).await;
        for (path, term, ..) in KINDS {
            let bare = member.post_json(path, &json!({"name": "  Bare  ", "code": " ", "email": "", "phone": null})).await;
            let stamp = bare.json()["created_at"].as_str().unwrap().to_owned();
            assert_eq!(
                (bare.status, &bare.text),
                (201, &format!(
                    concat!(
                        r#"{{"id":{},"org_id":{},"name":"Bare","code":null,"tax_code":null,"contact_person":null,"#,
                        r#""email":null,"phone":null,"address":null,"{}":30,"is_active":true,"#,
                        r#""created_at":"{}","updated_at":"{}"}}"#
                    ),
                    bare.json()["id"], member.org, term, stamp, stamp
                ))
            );
            assert!(stamp.ends_with('Z') && stamp.len() == 27, "{stamp}");
            let full = json!({
                "name": "Ünï & Söhne \u{1f600}", "code": "C1", "tax_code": "T1", "contact_person": "Jöhn", "email": " A@B.com ",
                "phone": "+49 1", "address": "Street 1\nTown", term: 365, "is_active": false,
                "id": 1, "org_id": 1, "unknown": [1]
            });
            let made = added(&member, path, full).await;
            assert_eq!((&made["email"], &made[term], &made["is_active"], &made["org_id"]), (&json!("a@b.com"), &json!(365), &json!(false), &json!(member.org)));
            let one = member.get(&format!("{path}/{}", made["id"])).await;
            assert_eq!((one.status, one.json()), (200, made));
            assert_eq!(one.one("cache-control"), "no-store");
        }
    }

    async fn a_change_leaves_what_is_absent_and_clears_what_is_null(app: TestApp) {
        let member = app.member(&[Role::Admin]).await;
        for (path, term, ..) in KINDS {
            let made = added(&member, path, json!({"name": "A", "code": "C", "phone": "1", "email": "a@b.com"})).await;
            let one = format!("{path}/{}/", made["id"]);
            app.clock.advance(Duration::from_mins(1));
            for nothing in [json!({}), json!({"id": 9, "created_at": "x", "NAME": "x"}), json!({"name": " A ", "is_active": true})] {
                assert_eq!(member.put(&one, &nothing).await.json(), made, "{nothing}");
            }
            let after = member.put(&one, &json!({"code": null, "email": "", term: 0, "is_active": false})).await;
            assert_eq!(after.status, 200, "{}", after.text);
            let after = after.json();
            assert_eq!((&after["code"], &after["email"], &after["phone"]), (&Value::Null, &Value::Null, &json!("1")));
            assert_eq!((&after[term], &after["is_active"], &after["created_at"]), (&json!(0), &json!(false), &made["created_at"]));
            assert!(after["updated_at"].as_str() > made["updated_at"].as_str());
            assert_eq!(member.get(&one).await.json(), after);
            assert_eq!(member.put(&one, &json!({"is_active": true})).await.json()["is_active"], true);
        }
    }

    async fn bad_input_is_told_field_by_field_and_nothing_is_written(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for (path, term, ..) in KINDS {
            let item = |name: &str, msg: &str, kind: &str| json!({"loc": ["body", name], "msg": msg, "type": kind});
            let long = |name: &str, most: usize| item(name, &format!("String should have at most {most} characters"), "string_too_long");
            let made = added(&member, path, json!({"name": "A"})).await;
            let one = format!("{path}/{}", made["id"]);
            let missing = member.post_json(path, &json!({})).await;
            assert_eq!(missing.json()["detail"], json!([item("name", "Field required", "missing")]));
            let sentences = json!({
                "name": "é".repeat(256), "code": "é".repeat(51), "tax_code": "x".repeat(51), "contact_person": "x".repeat(256),
                "email": "none", "phone": "9".repeat(51), "address": "a\0b", term: 366, "is_active": 1
            });
            let bad_mail = "value is not a valid email address: An email address must have an @-sign.";
            let items = json!([
                long("name", 255), long("code", 50), long("tax_code", 50), long("contact_person", 255),
                item("email", bad_mail, "value_error"), long("phone", 50),
                item("address", "Text must not contain NUL characters", "value_error"),
                item(term, "Input should be less than or equal to 365", "less_than_equal"),
                item("is_active", "Input should be a valid boolean", "bool_type")
            ]);
            for answer in [member.post_json(path, &sentences).await, member.put(&one, &sentences).await] {
                assert_eq!((answer.status, &answer.json()["detail"]), (422, &items));
            }
            for body in [
                json!({"name": null}), json!({"name": ""}), json!({"name": 5}), json!({"name": "A", term: null}),
                json!({"name": "A", term: -1}), json!({"name": "A", term: "30"}), json!({"name": "A", term: 1.5}),
                json!({"name": "A", "is_active": null}), json!({"name": "A\0"}), json!([]),
            ] {
                assert_eq!(member.post_json(path, &body).await.status, 422, "POST {body}");
                assert_eq!(member.put(&one, &body).await.status, 422, "PUT {body}");
            }
            let wide = json!({"name": format!(" {} ", "é".repeat(255)), "code": "\u{1f600}".repeat(50), "address": "a".repeat(20_000), term: 365});
            added(&member, path, wide).await;
            let huge = member.post_json(path, &json!({"name": "A", "address": "a".repeat(2_000_000)})).await;
            assert_eq!(huge.status, 413);
            assert_eq!(names(&member, path).await.0, 2);
            for id in ["abc", "1.0", "%20", "1e3"] {
                assert_eq!(member.get(&format!("{path}/{id}")).await.status, 422, "{id}");
            }
        }
    }

    async fn a_code_is_unique_in_the_organization_and_none_is_never_a_duplicate(app: TestApp) {
        let (one, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        for (path, _, _, taken, table) in KINDS {
            added(&one, path, json!({"name": "A", "code": "X"})).await;
            let second = added(&one, path, json!({"name": "B"})).await;
            added(&one, path, json!({"name": "C", "code": ""})).await;
            added(&other, path, json!({"name": "A", "code": "X"})).await;
            one.post_json(path, &json!({"name": "D", "code": " X "})).await.assert_envelope(400, taken, taken, "duplicate");
            one.put(&format!("{path}/{}", second["id"]), &json!({"code": "X"})).await.assert_envelope(400, taken, taken, "duplicate");
            assert_eq!(one.get(&format!("{path}/{}", second["id"])).await.json(), second);
            for number in 0..3 {
                let body = json!({"name": "Racer", "code": format!("R{number}")});
                let mut statuses: Vec<_> = join_all([0; 6].map(|_| one.post_json(path, &body))).await.iter().map(|answer| answer.status).collect();
                statuses.sort_unstable();
                assert_eq!(statuses, [201, 400, 400, 400, 400, 400]);
                assert_eq!(app.numbers(&format!("SELECT COUNT(*) FROM {table} WHERE code = 'R{number}'")).await, [1]);
            }
        }
    }

    async fn deleting_deactivates_as_often_as_it_is_asked(app: TestApp) {
        let member = app.member(&[Role::Accountant]).await;
        for (path, ..) in KINDS {
            let made = added(&member, path, json!({"name": "A"})).await;
            let one = format!("{path}/{}", made["id"]);
            for _ in 0..2 {
                let gone = delete(&member, &one).await;
                assert_eq!((gone.status, gone.text.as_str()), (204, ""));
            }
            assert_eq!(member.get(&one).await.json()["is_active"], false);
            assert_eq!(names(&member, path).await.0, 1, "inactive ones are listed too");
            let events = format!("SELECT COUNT(*) FROM auth.audit_log WHERE org_id = {} AND action LIKE '%deactivated' AND entity_id = {}", member.org, made["id"]);
            assert!(app.numbers(&events).await[0] >= 1);
        }
        let all = format!("SELECT action FROM auth.audit_log WHERE org_id = {} AND entity IN ('customers', 'suppliers') ORDER BY seq", member.org);
        let actions: Vec<_> = app.texts(&all).await.into_iter().flatten().collect();
        assert_eq!(actions, ["customers.created", "customers.deactivated", "suppliers.created", "suppliers.deactivated"]);
    }

    async fn another_organizations_row_does_not_exist(app: TestApp) {
        let (ours, theirs) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        for (path, _, unknown, ..) in KINDS {
            let made = added(&theirs, path, json!({"name": "Secret", "code": "S"})).await;
            let ids = [made["id"].to_string(), "0".into(), "-1".into(), "9223372036854775807".into(), "99999999999999999999999".into()];
            for id in ids {
                let one = format!("{path}/{id}");
                for answer in [ours.get(&one).await, ours.put(&one, &json!({"name": "Mine"})).await, ours.put(&one, &json!({})).await, delete(&ours, &one).await] {
                    answer.assert_envelope(404, unknown, unknown, "not_found");
                }
            }
            assert_eq!(theirs.get(&format!("{path}/{}", made["id"])).await.json(), made);
            for query in ["", "?search=Secret", "?org_id=1"] {
                assert_eq!(names(&ours, &format!("{path}{query}")).await.0, 0, "{query}");
            }
        }
    }

    async fn pages_are_newest_first_and_none_repeats(app: TestApp) {
        let member = app.member(&[Role::Cashier, Role::Accountant]).await;
        for (path, ..) in KINDS {
            for number in 0..7 {
                // Some at the same instant: the key decides.
                if number % 3 == 0 {
                    app.clock.advance(Duration::from_secs(1));
                }
                added(&member, path, json!({"name": format!("P{number}")})).await;
            }
            let (total, all) = names(&member, path).await;
            assert_eq!((total, all.join(" ").as_str()), (7, "P6 P5 P4 P3 P2 P1 P0"));
            let mut seen = Vec::new();
            for skip in [0, 3, 6, 7, 1_000_000] {
                let page = member.get(&format!("{path}?skip={skip}&limit=3")).await.json();
                assert_eq!((&page["total"], &page["skip"], &page["limit"]), (&json!(7), &json!(skip), &json!(3)));
                seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            }
            assert_eq!(seen, all);
            assert_eq!(names(&member, &format!("{path}?skip=9223372036854775807&limit=500")).await, (7, vec![]));
            for bad in ["skip=-1", "limit=0", "limit=501", "limit=x", "skip=", "is_active=", "is_active=maybe", "search=%00"] {
                assert_eq!(member.get(&format!("{path}?{bad}")).await.status, 422, "{bad}");
            }
            assert_eq!(member.get(&format!("{path}?search=%ff")).await.status, 400);
        }
    }

    async fn a_search_takes_every_character_for_itself(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for (path, ..) in KINDS {
            for (name, code, active) in [("100% Cotton", "c_1", true), ("1000 Cotton", "cx1", true), (r"Back\slash", "B", false), ("Größe, Inc", "G", true)] {
                added(&member, path, json!({"name": name, "code": code, "is_active": active})).await;
            }
            for (query, found) in [
                ("search=cotton", vec!["1000 Cotton", "100% Cotton"]),
                ("search=100%25+C", vec!["100% Cotton"]),
                ("search=C_1", vec!["100% Cotton"]),
                ("search=%5C", vec![r"Back\slash"]),
                ("search=e,%20inc", vec!["Größe, Inc"]),
                ("search=gr%C3%B6", vec!["Größe, Inc"]),
                ("search=%27%20OR%201=1--", vec![]),
                ("search=nothing", vec![]),
                ("search=cotton&is_active=0", vec![]),
                ("search=s&is_active=No", vec![r"Back\slash"]),
                ("search=&is_active=TRUE", vec!["Größe, Inc", "1000 Cotton", "100% Cotton"]),
            ] {
                let (total, names) = names(&member, &format!("{path}?{query}")).await;
                assert_eq!((usize::try_from(total).unwrap(), names.as_slice()), (found.len(), found.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()), "{query}");
            }
            let long = format!("{path}?search={}", "a".repeat(20_000));
            assert_eq!(names(&member, &long).await.0, 0);
        }
    }

    async fn parallel_partial_writes_lose_nothing(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for (path, ..) in KINDS {
            let made = added(&member, path, json!({"name": "A"})).await;
            let (one, fields) = (format!("{path}/{}", made["id"]), ["name", "code", "phone", "address"]);
            let writers = (0..12).map(|number| {
                let (member, one, field) = (&member, &one, fields[number % 4]);
                async move { member.put(one, &json!({field: format!("{field} {}", number % 4)})).await.status }
            });
            assert_eq!(join_all(writers).await, [200; 12]);
            let row = member.get(&one).await.json();
            for (number, field) in fields.into_iter().enumerate() {
                assert_eq!(row[field], format!("{field} {number}"));
            }
        }
    }

    async fn the_trail_tells_what_changed_and_what_of_it_is_personal(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let made = added(&member, "/api/v1/customers", json!({"name": "A", "phone": "1"})).await;
        member.put(&format!("/api/v1/customers/{}", made["id"]), &json!({"phone": "2", "credit_term": 5})).await;
        let trail = member.get(&format!("/api/v1/audit?entity=customers&entity_id={}", made["id"])).await.json();
        let [updated, created] = [&trail["items"][0], &trail["items"][1]];
        assert_eq!((&created["action"], &created["actor_user_id"]), (&json!("customers.created"), &json!(member.user)));
        assert_eq!((&updated["before"], &updated["after"]), (&json!({"phone": "1", "term_days": "30"}), &json!({"phone": "2", "term_days": "5"})));
        let salted = app.texts(&format!("SELECT CAST(salts AS text) FROM auth.audit_log WHERE id = {}", updated["id"])).await;
        assert!(salted[0].as_ref().is_some_and(|salts| salts.contains("after.phone") && !salts.contains("term")), "{salted:?}");
    }
}
