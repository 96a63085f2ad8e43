//! `sme-pulse seed` on both engines: its rows, its words, repeated, repairing, refused, and side by side.

use sme_pulse_testing::on_both_databases;

use crate::migrate::CHANGES;
use crate::support::{Done, Home, KEY, assert_unbroken_audit_trail};

const FIRST: &str = "\
======================================================================
STARTING SEED DATA INITIALIZATION
======================================================================
[1/5] Seeding Roles...
  Created role: owner
  Created role: admin
  Created role: accountant
  Created role: cashier
  Roles seed completed!
[2/5] Seeding Organizations...
  Created organization: SME Demo Company
[3/5] Fetching role IDs...
[4/5] Seeding Users...
  Created user: admin@sme.com with roles: owner, admin
[5/5] Seeding Customers, Suppliers, and Accounts...
  Created customer: Tech Corp
  Created customer: Retail Ltd
  Created supplier: Supply Co
  Created supplier: Material Inc
  Created account: Cash on Hand (1001)
  Created account: Bank Account (1002)
======================================================================
SEED DATA INITIALIZATION COMPLETED SUCCESSFULLY!
======================================================================
Test Credentials:
  Email: admin@sme.com
  Password: 123456
  Roles: owner, admin
======================================================================
";
const SECOND: &str = "\
======================================================================
STARTING SEED DATA INITIALIZATION
======================================================================
[1/5] Seeding Roles...
  Role already exists: owner
  Role already exists: admin
  Role already exists: accountant
  Role already exists: cashier
  Roles seed completed!
[2/5] Seeding Organizations...
  Organization already exists: SME Demo Company
[3/5] Fetching role IDs...
[4/5] Seeding Users...
  User already exists: admin@sme.com
[5/5] Seeding Customers, Suppliers, and Accounts...
  Customer already exists: Tech Corp
  Customer already exists: Retail Ltd
  Supplier already exists: Supply Co
  Supplier already exists: Material Inc
  Account already exists: Cash on Hand (1001)
  Account already exists: Bank Account (1002)
======================================================================
SEED DATA INITIALIZATION COMPLETED SUCCESSFULLY!
======================================================================
Test Credentials:
  Email: admin@sme.com
  Password: (unchanged)
  Roles: owner, admin
======================================================================
";
const COMPLETE: [i64; 7] = [4, 1, 1, 2, 2, 2, 2];

fn production(home: &mut Home) {
    home.set("BACKEND_ENVIRONMENT", "production").set("BACKEND_BCRYPT_COST", "10").set("BACKEND_SECRET_KEY", KEY);
}

on_both_databases! {
    async fn the_first_run_creates_and_the_second_changes_nothing(home: Home) {
        home.succeed(&["migrate"]);
        assert_eq!(home.succeed(&["seed"]), FIRST);
        assert_eq!(home.seeded().await, COMPLETE);
        let before = home.texts("SELECT password_hash FROM core.users").await;
        assert_eq!(home.succeed(&["seed"]), SECOND);
        assert_eq!(home.seeded().await, COMPLETE);
        assert_eq!(home.texts("SELECT password_hash FROM core.users").await, before);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 1);
    }

    async fn a_run_repairs_what_is_missing_and_nothing_else(home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        home.sql("DELETE FROM core.user_roles WHERE role_id = (SELECT id FROM core.roles WHERE code = 'admin')").await;
        home.sql("DELETE FROM finance.customers WHERE tax_code = 'C002'").await;
        home.sql("UPDATE core.users SET full_name = 'Somebody Else', status = 'inactive'").await;
        home.sql("UPDATE core.organizations SET tax_code = 'changed', name = 'Renamed'").await;
        let expected = SECOND
            .replace("  User already exists: admin@sme.com\n", "  User already exists: admin@sme.com\n  Added missing role: admin to admin@sme.com\n")
            .replace("Customer already exists: Retail Ltd", "Created customer: Retail Ltd")
            .replace("exists: SME Demo Company", "exists: Renamed");
        assert_eq!(home.succeed(&["seed"]), expected);
        assert_eq!(home.seeded().await, COMPLETE);
        let kept = home.texts("SELECT full_name FROM core.users WHERE status = 'inactive'").await;
        assert_eq!(kept, ["Somebody Else"]);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 2);
    }

    async fn other_organizations_are_not_touched(home: Home) {
        home.succeed(&["migrate"]);
        home.sql("INSERT INTO core.organizations (name, tax_code) VALUES ('Other', 'T1')").await;
        home.sql(
            "INSERT INTO finance.customers (org_id, code, name, tax_code) SELECT id, 'CUS001', 'Theirs', 'C001' FROM core.organizations",
        )
        .await;
        home.succeed(&["seed"]);
        assert_eq!(home.seeded().await, [4, 2, 1, 2, 3, 2, 2]);
        assert_eq!(home.texts("SELECT name FROM finance.customers WHERE code = 'CUS001' ORDER BY id").await, ["Theirs", "Tech Corp"]);
    }

    async fn a_password_of_ones_own_is_used_and_not_shown(mut home: Home) {
        home.set("BACKEND_SEED_ADMIN_PASSWORD", "hunter22");
        home.succeed(&["migrate"]);
        let line = "Password: (from BACKEND_SEED_ADMIN_PASSWORD)";
        let done = home.run(&["seed"]);
        assert_eq!(done.stdout, FIRST.replace("Password: 123456", line));
        assert!(!done.stderr.contains("hunter22"), "{done:?}");
        // Another one later changes nothing.
        home.set("BACKEND_SEED_ADMIN_PASSWORD", "hunter23");
        assert_eq!(home.succeed(&["seed"]), SECOND);
        let server = home.serve().await;
        assert_eq!(server.log_in_with("hunter22").await.status, 200);
        for wrong in ["hunter23", "123456"] {
            assert_eq!(server.log_in_with(wrong).await.status, 401);
        }
    }

    async fn outside_development_it_needs_force_and_a_password(mut home: Home) {
        production(&mut home);
        home.succeed(&["migrate"]);
        let refusals: [(&[&str], Option<&str>, &str); 4] = [
            (&["seed"], None, "--force"),
            (&["seed"], Some("hunter22"), "--force"),
            (&["seed", "--force"], None, "BACKEND_SEED_ADMIN_PASSWORD"),
            (&["seed", "--force"], Some("123456"), "BACKEND_SEED_ADMIN_PASSWORD"),
        ];
        for (args, password, word) in refusals {
            home.set("BACKEND_SEED_ADMIN_PASSWORD", password.unwrap_or_default());
            let done = home.run(args);
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
            assert!(done.complaint().contains(word), "{done:?}");
            assert_eq!(home.seeded().await, [0; 7]);
        }
        home.set("BACKEND_SEED_ADMIN_PASSWORD", "hunter22");
        home.succeed(&["seed", "--force"]);
        assert_eq!(home.seeded().await, COMPLETE);
    }

    async fn a_schema_that_is_not_current_is_not_seeded(home: Home) {
        let done = home.run(&["seed"]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
        assert!(done.complaint().contains(&format!("{} changes pending", CHANGES.len())), "{done:?}");
    }

    async fn seeders_that_start_together_write_everything_once(home: Home) {
        home.succeed(&["migrate"]);
        let started: Vec<_> = (0..4).map(|_| home.start(&["seed"])).collect();
        let done: Vec<Done> = started.into_iter().map(Done::of).collect();
        assert!(done.iter().all(|done| done.code == Some(0)), "{done:?}");
        let said: Vec<&str> = done.iter().map(|done| done.stdout.as_str()).collect();
        assert_eq!(said.iter().filter(|text| **text == FIRST).count(), 1, "{said:?}");
        assert_eq!(said.iter().filter(|text| **text == SECOND).count(), 3, "{said:?}");
        assert_eq!(home.seeded().await, COMPLETE);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 1);
    }
}
