//! Cash and bank accounts: their rules, their exact balances, and that nobody sees another's.

use serde_json::{Value, json};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Member, TestApp};

const PATH: &str = "/api/v1/accounts";

async fn added(member: &Member<'_>, body: Value) -> Value {
    let answer = member.post_json(PATH, &body).await;
    assert_eq!(answer.status, 201, "{body}: {}", answer.text);
    answer.json()
}

/// A payment, written beside the product.
async fn pay(app: &TestApp, account: &Value, direction: &str, minor: i64, void: bool) {
    let (status, at) = if void { ("'void'", "'2026-01-01 00:00:00.000000'") } else { ("'posted'", "NULL") };
    app.sql(&format!(
        "INSERT INTO finance.payments (org_id, account_id, direction, transaction_date, amount_minor, status, voided_at) \
         VALUES ({}, {}, '{direction}', '2026-01-01', {minor}, {status}, {at})",
        account["org_id"], account["id"]
    ))
    .await;
}

on_both_databases! {
    async fn a_new_account_has_every_field_in_its_place(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let made = member.post_json(PATH, &json!({"name": " Till ", "type": "cash"})).await;
        let stamp = made.json()["created_at"].as_str().unwrap().to_owned();
        assert_eq!(
            (made.status, &made.text),
            (201, &format!(
                concat!(
                    r#"{{"id":{},"code":null,"name":"Till","type":"cash","account_type":"asset","account_number":null,"#,
                    r#""bank_name":null,"opening_balance":0,"balance":0,"is_active":true,"org_id":{},"#,
                    r#""created_at":"{}","updated_at":"{}"}}"#
                ),
                made.json()["id"], member.org, stamp, stamp
            ))
        );
        let full = added(&member, json!({
            "name": "Giro", "type": "bank", "code": "1", "account_type": "liability", "account_number": "DE1",
            "bank_name": "B", "opening_balance": "-1250.50", "is_active": false
        })).await;
        assert_eq!((&full["account_type"], &full["is_active"]), (&json!("liability"), &json!(true)));
        let one = member.get(&format!("{PATH}/{}", full["id"])).await;
        assert!(one.text.contains(r#""opening_balance":-1250.5,"balance":-1250.5,"#), "{}", one.text);
        assert_eq!(one.json(), full);
    }

    async fn the_type_is_cash_or_bank_by_rule_and_never_changes(app: TestApp) {
        let member = app.member(&[Role::Accountant]).await;
        let text = "The type of an account must be cash or bank.";
        for kind in ["", "Cash", "cash ", "asset", "x"] {
            member.post_json(PATH, &json!({"name": "A", "type": kind})).await.assert_envelope(400, text, text, "rule_violated");
        }
        for body in [json!({"name": "A"}), json!({"name": "A", "type": null}), json!({"name": "A", "type": 1}), json!({"type": "x"}), json!({"name": "A", "type": "x", "account_type": "x"})] {
            assert_eq!(member.post_json(PATH, &body).await.status, 422, "{body}");
        }
        let made = added(&member, json!({"name": "A", "type": "cash"})).await;
        let one = format!("{PATH}/{}", made["id"]);
        for ignored in [json!({"type": "bank"}), json!({"type": "x", "account_type": 5, "balance": 7}), json!({"type": null})] {
            assert_eq!(member.put(&one, &ignored).await.json(), made, "{ignored}");
        }
        let words = member.post_json(PATH, &json!({"name": "A", "type": "cash", "account_type": "x"})).await.json();
        assert_eq!(words["detail"][0]["msg"], "Input should be 'asset', 'liability', 'equity', 'income' or 'expense'");
    }

    async fn the_balance_counts_every_payment_that_is_not_void_to_the_last_hundredth(app: TestApp) {
        let member = app.member(&[Role::Cashier, Role::Admin]).await;
        let (till, giro) = (
            added(&member, json!({"name": "Till", "type": "cash", "opening_balance": 10})).await,
            added(&member, json!({"name": "Giro", "type": "bank", "opening_balance": "-0.01"})).await,
        );
        pay(&app, &till, "in", 101, false).await;
        pay(&app, &till, "out", 50_000, false).await;
        pay(&app, &till, "in", 7, true).await;
        for _ in 0..3 {
            pay(&app, &giro, "in", 999_999_999_999_999, false).await;
        }
        pay(&app, &giro, "out", 1, false).await;
        let shown = |text: &str| text.split(r#""balance":"#).skip(1).map(|rest| rest.split(',').next().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(shown(&member.get(PATH).await.text), ["29999999999999.95", "-488.99"]);
        assert_eq!(shown(&member.get(&format!("{PATH}/{}", till["id"])).await.text), ["-488.99"]);
        let changed = member.put(&format!("{PATH}/{}", till["id"]), &json!({"opening_balance": 0.99})).await;
        assert_eq!(shown(&changed.text), ["-498"]);
    }

    async fn a_sum_beyond_64_bits_is_exact_all_the_same(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let giro = added(&member, json!({"name": "Giro", "type": "bank"})).await;
        app.sql(&format!(
            "INSERT INTO finance.payments (org_id, account_id, direction, transaction_date, amount_minor) \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
             SELECT {}, {}, 'in', DATE('2026-01-01'), 999999999999999 FROM n",
            giro["org_id"], giro["id"]
        )).await;
        let answer = member.get(&format!("{PATH}/{}", giro["id"])).await;
        assert!(answer.text.contains(r#""balance":99999999999999900,"#), "{}", answer.text);
    }

    async fn amounts_are_exact_or_refused(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for (sent, kind) in [
            ("0.001", "decimal_max_places"), ("1e30", "decimal_whole_digits"), ("10000000000000", "decimal_whole_digits"),
            ("\"NaN\"", "decimal_parsing"), ("\"\"", "decimal_parsing"), ("true", "decimal_parsing"), ("null", "decimal_parsing"), ("[]", "decimal_parsing"),
        ] {
            let body = format!(r#"{{"name":"A","type":"cash","opening_balance":{sent}}}"#);
            let answer = TestApp::send(member.request("POST", PATH).header("content-type", "application/json").body(body)).await;
            assert_eq!((answer.status, &answer.json()["detail"][0]["type"]), (422, &json!(kind)), "{sent}");
        }
        for (sent, shown) in [("9999999999999.99", "9999999999999.99"), ("-9999999999999.99", "-9999999999999.99"), ("1.10", "1.1"), ("5e2", "500"), ("\"-3\"", "-3")] {
            let body = format!(r#"{{"name":"A","type":"cash","opening_balance":{sent}}}"#);
            let answer = TestApp::send(member.request("POST", PATH).header("content-type", "application/json").body(body)).await;
            assert!(answer.text.contains(&format!(r#""opening_balance":{shown},"balance":{shown},"#)), "{sent}: {}", answer.text);
        }
    }

    async fn codes_filters_deactivation_and_pages(app: TestApp) {
        let (member, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let taken = "An account with this code already exists.";
        let cash = added(&member, json!({"name": "C", "type": "cash", "code": "1"})).await;
        let bank = added(&member, json!({"name": "B", "type": "bank"})).await;
        added(&member, json!({"name": "B2", "type": "bank", "code": ""})).await;
        added(&other, json!({"name": "C", "type": "cash", "code": "1"})).await;
        member.post_json(PATH, &json!({"name": "D", "type": "cash", "code": "1"})).await.assert_envelope(400, taken, taken, "duplicate");
        member.put(&format!("{PATH}/{}", bank["id"]), &json!({"code": "1"})).await.assert_envelope(400, taken, taken, "duplicate");
        let one = format!("{PATH}/{}", cash["id"]);
        for _ in 0..2 {
            assert_eq!(TestApp::send(member.request("DELETE", &one)).await.status, 204);
        }
        for (query, total) in [
            ("", 3), ("?account_type=cash", 1), ("?account_type=bank", 2), ("?account_type=asset", 0), ("?account_type=", 3), ("?account_type=Bank", 0),
            ("?is_active=false", 1), ("?is_active=true&account_type=bank", 2), ("?is_active=true&account_type=cash", 0),
        ] {
            assert_eq!(member.get(&format!("{PATH}{query}")).await.json()["total"], total, "{query}");
        }
        let page = member.get(&format!("{PATH}?skip=1&limit=1")).await.json();
        assert_eq!((&page["items"][0]["name"], page["items"].as_array().unwrap().len()), (&json!("B"), 1));
        let unknown = "Account not found";
        for answer in [other.get(&one).await, other.put(&one, &json!({"name": "Mine"})).await, TestApp::send(other.request("DELETE", &one)).await] {
            answer.assert_envelope(404, unknown, unknown, "not_found");
        }
        let trail = format!("SELECT action FROM auth.audit_log WHERE org_id = {} AND entity = 'accounts' ORDER BY seq", member.org);
        let actions: Vec<_> = app.texts(&trail).await.into_iter().flatten().collect();
        assert_eq!(actions, ["accounts.created", "accounts.created", "accounts.created", "accounts.deactivated"]);
    }
}
