//! The organization's data sheet: partial writes, their rules, and that nobody sees or touches another's.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, Member, PASSWORD, TestApp};

const PATH: &str = "/api/v1/settings";

fn assert_items(answer: &Answer, items: &Value) {
    assert_eq!((answer.status, &answer.json()["detail"]), (422, items), "{}", answer.text);
}

fn long(name: &str, most: usize) -> Value {
    json!({"loc": ["body", name], "msg": format!("String should have at most {most} characters"), "type": "string_too_long"})
}

async fn changed(member: &Member<'_>, patch: Value) -> Value {
    let answer = member.put(PATH, &patch).await;
    assert_eq!(answer.status, 200, "{patch}: {}", answer.text);
    assert_eq!(answer.text, member.get(PATH).await.text, "what is answered is what is stored");
    answer.json()
}

on_both_databases! {
    async fn the_sheet_is_read_by_every_role_and_written_by_owners_and_admins(app: TestApp) {
        let id = app.admin().await.org;
        let sheet = app.admin().await.get(PATH).await;
        assert_eq!(sheet.text, format!(
            r#"{{"id":{id},"name":"SME Demo Company","tax_code":"1234567890","address":"123 Business Street","phone":"0123456789","email":"contact@sme.com","is_active":true}}"#
        ));
        assert_eq!((sheet.one("cache-control"), sheet.one("content-type")), ("no-store", "application/json"));
        for (role, status) in [(Role::Owner, 200), (Role::Admin, 200), (Role::Accountant, 403), (Role::Cashier, 403)] {
            let member = app.member(&[role]).await;
            let before = member.get(PATH).await;
            assert_eq!(before.status, 200);
            // A 403 tells nothing: it comes before the body is looked at.
            for body in [json!({"phone": "99"}), json!({"name": null}), json!([])] {
                let answer = member.put(PATH, &body).await;
                assert_eq!(answer.status, if status == 200 && !body["phone"].is_string() { 422 } else { status }, "{role} {body}");
            }
            assert_eq!(member.get(PATH).await.text == before.text, status == 403);
        }
    }

    async fn absent_fields_stay_null_and_empty_ones_clear_and_unknown_ones_are_ignored(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let full = changed(&owner, json!({"name": "  Ünï & Söhne \u{1f600}\n", "tax_code": " 77 ", "address": "\tStreet 1\nTown ", "phone": "+49 (0) 1", "email": " Info@SME.com "})).await;
        assert_eq!(full, json!({"id": owner.org, "name": "Ünï & Söhne \u{1f600}", "tax_code": "77", "address": "Street 1\nTown", "phone": "+49 (0) 1", "email": "info@sme.com", "is_active": true}));
        for nothing in [json!({}), json!({"unknown": 1, "NAME": "x", "id": 1, "org_id": 1, "is_active": false, "status": "inactive", "created_at": "x", "tax_code ": "y"})] {
            assert_eq!(changed(&owner, nothing).await, full);
        }
        assert_eq!(changed(&owner, json!({"phone": null, "address": "", "email": "  "})).await, json!({"id": owner.org, "name": "Ünï & Söhne \u{1f600}", "tax_code": "77", "address": null, "phone": null, "email": null, "is_active": true}));
        assert_eq!(changed(&owner, json!({"tax_code": ""})).await["tax_code"], Value::Null);
        let hostile = "'; DROP TABLE core.organizations; -- <script>\u{202e}%s";
        assert_eq!(changed(&owner, json!({"name": hostile, "address": "a".repeat(20_000)})).await["name"], hostile);
    }

    async fn lengths_count_characters_after_trimming_and_all_faults_are_told_together(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let before = owner.get(PATH).await.text;
        let nul = json!("a\0b");
        let text = |name: &str| json!({"loc": ["body", name], "msg": "Input should be a valid string", "type": "string_type"});
        let no_nul = |name: &str| json!({"loc": ["body", name], "msg": "Text must not contain NUL characters", "type": "value_error"});
        let short = json!({"loc": ["body", "name"], "msg": "String should have at least 1 character", "type": "string_too_short"});
        let address = json!({"loc": ["body", "email"], "msg": "value is not a valid email address: An email address must have an @-sign.", "type": "value_error"});
        let cases = [
            (json!({"name": null}), json!([text("name")])),
            (json!({"name": "", "phone": "1"}), json!([short])),
            (json!({"name": " \n\t\u{3000}"}), json!([short])),
            (json!({"name": "é".repeat(256), "tax_code": "é".repeat(51), "phone": "é".repeat(51)}), json!([long("name", 255), long("tax_code", 50), long("phone", 50)])),
            (json!({"phone": nul, "name": nul, "tax_code": nul, "address": nul}), json!([no_nul("name"), no_nul("tax_code"), no_nul("address"), no_nul("phone")])),
            (json!({"email": "no address", "name": 1, "tax_code": true, "address": [], "phone": {}}), json!([text("name"), text("tax_code"), text("address"), text("phone"), address])),
            (json!({"email": 5}), json!([text("email")])),
        ];
        for (body, items) in cases {
            assert_items(&owner.put(PATH, &body).await, &items);
        }
        for bad in ["a@b", "a@x.test", "a b@x.com", "a@b@c.com", "x", "a\0@x.com"] {
            assert_eq!(owner.put(PATH, &json!({"email": bad, "phone": "1"})).await.status, 422, "{bad}");
        }
        assert_eq!(owner.get(PATH).await.text, before, "nothing is half-written");
        let widest = json!({"name": format!("  {}\n", "é".repeat(255)), "tax_code": "\u{1f600}".repeat(50), "phone": format!(" {} ", "9".repeat(50)), "email": format!("{}@{}com", "a".repeat(60), "b.".repeat(95))});
        let sheet = changed(&owner, widest).await;
        assert_eq!((sheet["name"].as_str().unwrap().chars().count(), sheet["tax_code"].as_str().unwrap().chars().count()), (255, 50));
    }

    async fn a_tax_code_belongs_to_one_organization_also_against_parallel_writers(app: TestApp) {
        let (one, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Admin]).await);
        changed(&one, json!({"tax_code": "TAKEN"})).await;
        let before = other.get(PATH).await.text;
        let refused = other.put(PATH, &json!({"tax_code": " TAKEN ", "phone": "5"})).await;
        let text = refused.json()["detail"].as_str().unwrap().to_owned();
        refused.assert_envelope(409, &text, &text, "conflict");
        assert!(!text.contains("TAKEN") && !text.contains("Org"), "{text}");
        assert_eq!(other.get(PATH).await.text, before);
        changed(&one, json!({"tax_code": "TAKEN"})).await;
        changed(&other, json!({"tax_code": "taken"})).await;
        for number in 0..5 {
            let body = json!({"tax_code": format!("RACE{number}"), "name": "Racer"});
            let writers = [&one, &other, &one, &other].map(|member| member.put(PATH, &body));
            let statuses: Vec<_> = join_all(writers).await.iter().map(|answer| answer.status).collect();
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
            assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 2, "{statuses:?}");
            let owners = format!("SELECT COUNT(*) FROM core.organizations WHERE tax_code = 'RACE{number}'");
            assert_eq!(app.numbers(&owners).await, [1]);
        }
    }

    async fn parallel_partial_writes_lose_nothing(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let fields = ["name", "tax_code", "address", "phone"];
        let writers = (0..16).map(|number| {
            let (owner, field) = (&owner, fields[number % 4]);
            async move { owner.put(PATH, &json!({field: format!("{field} {}", number % 4)})).await.status }
        });
        assert_eq!(join_all(writers).await, [200; 16]);
        let sheet = owner.get(PATH).await.json();
        for (number, field) in fields.into_iter().enumerate() {
            assert_eq!(sheet[field], format!("{field} {number}"));
        }
    }

    async fn the_organization_comes_from_the_token_alone(app: TestApp) {
        let (one, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        changed(&one, json!({"name": "Mine"})).await;
        let theirs = other.get(PATH).await.text;
        for name in ["x-org-id", "x-tenant-id", "x-organization", "org_id", "x-forwarded-org"] {
            let request = one.request("GET", PATH).header(name, other.org.to_string());
            assert_eq!(TestApp::send(request).await.json()["name"], "Mine", "{name}");
        }
        let path = format!("{PATH}?org_id={0}&id={0}&tenant={0}", other.org);
        let answer = TestApp::send(one.request("PUT", &path).json(&json!({"org_id": other.org, "id": other.org, "organization": {"id": other.org}, "name": "Still mine"}))).await;
        assert_eq!((answer.status, &answer.json()["id"], &answer.json()["name"]), (200, &json!(one.org), &json!("Still mine")));
        assert_eq!(other.get(PATH).await.text, theirs);
        assert_eq!(app.admin().await.get(PATH).await.json()["name"], "SME Demo Company");
        let log_in = app.post("/auth/login", &json!({"email": one.email, "password": PASSWORD, "org_id": other.org})).await;
        assert_eq!(log_in.json()["user"]["org_id"], json!(one.org));
    }
}
