//! `sme-pulse seed-demo` on both engines: what it writes, again, beside itself, and where it refuses.

use sme_pulse_testing::on_both_databases;

use crate::support::{Done, Home, KEY, assert_unbroken_audit_trail};

const SIZES: [&str; 7] = ["seed-demo", "--organizations", "13", "--users", "5", "--customers", "4"];
/// Organizations, users, roles held, customers, suppliers, accounts.
const COMPLETE: [i64; 6] = [13, 65, 65, 52, 65, 26];

async fn counts(home: &Home) -> [i64; 6] {
    let mut counts = [0; 6];
    let tables = [
        "core.organizations",
        "core.users",
        "core.user_roles",
        "finance.customers",
        "finance.suppliers",
        "finance.accounts",
    ];
    for (table, count) in tables.iter().zip(&mut counts) {
        let text = home.texts(&format!("SELECT CAST(COUNT(*) AS text) FROM {table}")).await;
        *count = text[0].parse().unwrap();
    }
    counts
}

/// Everything that the same seed has to give again, but for keys.
async fn content(home: &Home) -> Vec<String> {
    home.texts(
        "SELECT o.tax_code || ' ' || c.name || ' ' || COALESCE(c.code, '-') || ' ' || c.contact_person || ' ' || CAST(c.credit_term AS text) \
         FROM finance.customers c JOIN core.organizations o ON o.id = c.org_id ORDER BY 1",
    )
    .await
}

on_both_databases! {
    async fn every_organization_is_complete_and_a_second_run_changes_nothing(home: Home) {
        home.succeed(&["migrate"]);
        let said = home.succeed(&SIZES);
        assert_eq!(
            said,
            "13 organizations written, 0 were there already\nLog in as u1.o1.s1@example.com (owner) with the password 123456\n"
        );
        assert_eq!(counts(&home).await, COMPLETE);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 13);
        let roles = home.texts("SELECT r.code FROM core.user_roles h JOIN core.roles r ON r.id = h.role_id JOIN core.users u ON u.id = h.user_id WHERE u.email LIKE '%.o7.s1@example.com' ORDER BY u.email").await;
        assert_eq!(roles, ["owner", "admin", "accountant", "cashier", "admin"]);
        let before = content(&home).await;
        assert!(home.succeed(&SIZES).starts_with("0 organizations written, 13 were there already"));
        assert_eq!((counts(&home).await, content(&home).await), (COMPLETE, before));
        assert_eq!(assert_unbroken_audit_trail(&home).await, 13);
    }

    async fn a_run_that_was_stopped_is_completed_and_the_demo_company_stays(home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        home.succeed(&["seed-demo", "--organizations", "4", "--users", "5", "--customers", "4"]);
        assert!(home.succeed(&SIZES).starts_with("9 organizations written, 4 were there already"));
        let [organizations, users, ..] = counts(&home).await;
        assert_eq!((organizations, users), (14, 66));
        assert_eq!(home.texts("SELECT name FROM core.organizations WHERE tax_code = '1234567890'").await, ["SME Demo Company"]);
    }

    async fn runs_that_start_together_write_everything_once(home: Home) {
        home.succeed(&["migrate"]);
        let started: Vec<_> = (0..3).map(|_| home.start(&SIZES)).collect();
        let done: Vec<Done> = started.into_iter().map(Done::of).collect();
        assert!(done.iter().all(|done| done.code == Some(0)), "{done:?}");
        assert_eq!(counts(&home).await, COMPLETE);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 13);
    }

    async fn people_of_the_demo_can_log_in(home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&SIZES);
        let server = home.serve().await;
        for email in ["u1.o1.s1@example.com", "u5.o13.s1@example.com"] {
            let body = serde_json::json!({"email": email, "password": "123456"});
            let answer = server.http.post(format!("http://{}/auth/login", server.address)).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{email}");
        }
    }

    async fn outside_development_it_needs_force_and_a_password(mut home: Home) {
        home.set("BACKEND_ENVIRONMENT", "production").set("BACKEND_BCRYPT_COST", "10").set("BACKEND_SECRET_KEY", KEY);
        home.succeed(&["migrate"]);
        for (args, word) in [(&["seed-demo"][..], "--force"), (&["seed-demo", "--force"], "BACKEND_SEED_ADMIN_PASSWORD")] {
            let done = home.run(args);
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
            assert!(done.complaint().contains(word), "{done:?}");
        }
        assert_eq!(counts(&home).await, [0; 6]);
        for wrong in [["--users", "0"], ["--organizations", "-1"], ["--customers", "x"]] {
            assert_eq!(home.run(&["seed-demo", wrong[0], wrong[1]]).code, Some(2), "{wrong:?}");
        }
    }
}
