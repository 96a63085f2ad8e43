//! The organization's data sheet, own sessions, the audit trail; what other people's texts may do; narrow pages.

use serde_json::json;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::Console;
use crate::support::{PASSWORD, TestApp};

const CANARY: &str = "<img src=x onerror=\"window.hit=1\"><script>window.hit=2</script>";
const VIEWS: [&str; 6] = ["people", "invitations", "audit", "organization", "sessions", "account"];

on_both_databases! {
    async fn an_owner_edits_the_data_sheet_and_sees_what_is_refused_where(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.press("Organization").await;
        console.enter("phone", "0987654321").await;
        console.enter("tax_code", "").await;
        console.enter("email", "nobody").await;
        console.press("Save").await;
        console.sees("value is not a valid email address").await;
        let wrong = console.eval("[...document.querySelectorAll('[aria-invalid=true]')].map(e => e.name).join()").await;
        assert_eq!(wrong, "email");
        assert_eq!(console.eval("document.activeElement.name").await, "email");
        console.picture("organization-refused").await;
        console.enter("email", "office@example.com").await;
        console.press("Save").await;
        console.sees("The organization was saved.").await;
        let sheet = member.get("/api/v1/settings").await.json();
        assert_eq!((&sheet["phone"], &sheet["email"], &sheet["tax_code"]), (&json!("0987654321"), &json!("office@example.com"), &json!(null)));
        console.assert_clean().await;
    }

    async fn who_may_not_write_the_data_sheet_reads_it(app: TestApp) {
        let member = app.member(&[Role::Accountant]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.sees("Tax code").await;
        assert_eq!(console.eval("document.querySelectorAll('main input, main textarea').length").await, 0);
        console.assert_clean().await;
    }

    async fn a_role_that_was_taken_away_takes_its_views_along(app: TestApp) {
        let member = app.member(&[Role::Admin]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        // The first view is there before anything changes, so that it asks for nothing any more.
        console.wait_for("document.querySelector('main tbody tr') && !document.querySelector('main[aria-busy]')").await;
        app.sql(&format!("DELETE FROM core.user_roles WHERE user_id = {}", member.user)).await;
        TestApp::until(403, async || member.get("/api/v1/audit").await).await;
        console.press("Audit trail").await;
        console.sees("You have no role in this organization yet.").await;
        assert_eq!(console.navigation().await, ["Organization", "Sessions", "My account"]);
        console.assert_clean().await;
    }

    async fn sessions_are_listed_and_ended(app: TestApp) {
        let (member, other) = { let member = app.member(&[Role::Cashier]).await; let other = app.sign_in(&member.email).await; (member, other) };
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.press("Sessions").await;
        console.sees("This session").await;
        console.picture("sessions").await;
        let ids = "[...document.querySelectorAll('[data-key^=end-]')].map(e => e.dataset.key)";
        assert_eq!(console.eval(&format!("{ids}.length")).await, 3);
        let sessions = other.get("/api/v1/auth/sessions").await.json();
        let id = sessions.as_array().unwrap().iter().find(|one| one["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
        let ask = format!("document.querySelector('[data-key=\"end-{id}\"]')");
        console.eval(&format!("{{ const b = {ask}; b.focus(); b.click(); }}")).await;
        console.sees("is signed out at once").await;
        // Escape changes nothing, and the focus is back on the button.
        console.run(|browser| browser.press("Escape", 27)).await;
        console.wait_for("!document.querySelector('dialog')").await;
        assert_eq!(console.eval(&format!("document.activeElement === {ask}")).await, true);
        assert_eq!(other.get("/api/v1/auth/me").await.status, 200);
        console.eval(&format!("{ask}.click()")).await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.sees("The session has ended.").await;
        console.wait_for(&format!("{ids}.length === 2")).await;
        assert_eq!((other.get("/api/v1/auth/me").await.status, member.get("/api/v1/auth/me").await.status), (401, 200));

        console.press("Sign out everywhere").await;
        console.run(|browser| browser.click("dialog [type=submit]")).await;
        console.sees("You have signed out everywhere.").await;
        assert_eq!(member.get("/api/v1/auth/me").await.status, 401);
        console.assert_clean().await;
    }

    async fn the_audit_trail_is_filtered_and_turned_by_the_page(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        for number in 0..30 {
            member.put("/api/v1/settings", &json!({"phone": number.to_string()})).await;
        }
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.press("Audit trail").await;
        console.sees("1–25 of 32").await;
        console.press("Next").await;
        console.sees("26–32 of 32").await;
        assert_eq!(console.eval("location.search").await, "?page=2");
        console.enter("action", "organization.updated").await;
        console.press("Apply").await;
        console.sees("1–25 of 30").await;
        assert_eq!(console.eval("location.search").await, "?action=organization.updated");
        console.enter("actor_user_id", "somebody").await;
        console.press("Apply").await;
        console.wait_for("document.querySelector('[name=actor_user_id][aria-invalid=true]')").await;
        // Going back brings back what was there, as a reload does, and a page beyond the end says so.
        console.eval("history.back()").await;
        console.sees("1–25 of 30").await;
        console.go("/console/audit?page=99").await;
        console.sees("Nothing on this page; there are 32.").await;
        console.press("Previous").await;
        console.sees("26–32 of 32").await;
        console.press("Previous").await;
        console.sees("1–25 of 32").await;
        console.eval("document.querySelector('td button').click()").await;
        console.sees("Number in the trail").await;
        console.picture("event").await;
        console.assert_clean().await;
    }

    async fn texts_of_others_stay_texts(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        app.sql(&format!("UPDATE core.users SET full_name = '{CANARY}' WHERE id = {}", member.user)).await;
        member.put("/api/v1/settings", &json!({"name": CANARY, "address": CANARY})).await;
        TestApp::send(app.request("POST", "/api/v1/auth/login").header("user-agent", CANARY).json(&json!({"email": member.email, "password": PASSWORD}))).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        for view in VIEWS {
            console.go(&format!("/console/{view}?search={CANARY}&page={CANARY}")).await;
            console.wait_for("document.querySelector('main h1') && !document.querySelector('[aria-busy]')").await;
            assert_eq!(console.eval("document.querySelector('.who').textContent").await, CANARY, "{view}");
            assert_eq!(console.eval("document.querySelectorAll('main img, main script, header img').length").await, 0, "{view}");
        }
        console.go("/console/sessions").await;
        console.sees("onerror").await;
        console.go("/console/audit?action=organization.updated").await;
        console.run(|browser| browser.click("td button")).await;
        console.sees("onerror").await;
        assert_eq!(console.eval("window.hit ?? null").await, json!(null));
        console.assert_clean().await;
    }

    async fn every_view_fits_a_narrow_page_in_both_schemes(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let long = "Công ty Trách nhiệm Hữu hạn Thương mại Dịch vụ Xuất nhập khẩu Hoàng Long";
        app.sql(&format!("UPDATE core.organizations SET name = '{long}'")).await;
        app.sql(&format!("UPDATE core.users SET full_name = '{}'", "W".repeat(255))).await;
        let Some(mut console) = Console::open(&app) else { return };
        for (scheme, paper) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")] {
            console.run(move |browser| browser.appear(360, scheme)).await;
            console.go("/console").await;
            if scheme == "light" {
                console.picture("narrow-sign-in").await;
                console.sign_in(&member.email).await;
            }
            for view in VIEWS {
                console.go(&format!("/console/{view}")).await;
                console.wait_for("document.querySelector('main h1') && !document.querySelector('[aria-busy]')").await;
                let over = "document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] : \
                    [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth) \
                    .map(e => e.tagName + '#' + e.id + '.' + e.className)";
                assert_eq!(console.eval(over).await, json!([]), "{view} scrolls to the side");
                assert_eq!(console.eval("getComputedStyle(document.body).backgroundColor").await, paper, "{view}");
                let nameless = "[...document.querySelectorAll('main input, main select, main textarea')].filter(e => !e.labels.length).length";
                assert_eq!(console.eval(nameless).await, 0, "{view} has a field without a label");
                console.picture(&format!("narrow-{scheme}-{view}")).await;
            }
        }
        console.assert_clean().await;
    }

    async fn nothing_moves_while_a_view_is_loading(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.run(|browser| browser.before_scripts(
            "window.moved = 0; new PerformanceObserver(list => { for (const e of list.getEntries()) window.moved += e.value; }) \
             .observe({ type: 'layout-shift', buffered: true });",
        )).await;
        for view in VIEWS {
            console.go(&format!("/console/{view}")).await;
            console.wait_for("document.querySelector('main h1') && !document.querySelector('[aria-busy]')").await;
            // After the next picture is drawn, the observer has heard of it.
            console.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))").await;
            assert_eq!(console.eval("window.moved").await, 0, "{view}");
        }
        console.assert_clean().await;
    }

    async fn a_server_that_cannot_be_reached_does_not_end_the_session(app: TestApp) {
        let member = app.member(&[Role::Owner]).await;
        let Some(mut console) = Console::open(&app) else { return };
        console.sign_in(&member.email).await;
        console.eval("{ window.kept = window.fetch; window.fetch = () => Promise.reject(new TypeError('no network')); }").await;
        console.press("Sessions").await;
        console.sees("The server cannot be reached.").await;
        console.eval("{ window.fetch = window.kept; }").await;
        console.press("Sessions").await;
        console.sees("This session").await;
        console.assert_clean().await;
    }
}
