//! How many links one client may try, and how many mails one organization, and all of them, may send.

use std::time::Duration;

use sme_pulse_domain::role::Role;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::{
    super::support::{Member, TestApp},
    accept, delete, invite, join, show,
};

/// The application with the budgets of production.
struct Limited(TestApp);

impl Fixture for Limited {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[]).await)
    }
}

/// The same with budgets so large that only mailboxes are protected.
struct Open(TestApp);

impl Fixture for Open {
    async fn on(database: TestDatabase) -> Self {
        Self(TestApp::with(database, &[("BACKEND_RATE_LIMIT_REQUESTS", "100")]).await)
    }
}

/// Invites and takes back until that is refused; how often it was not.
async fn flood(owner: &Member<'_>, email: &str) -> usize {
    for sent in 0..30 {
        let answer = invite(owner, email, &["cashier"]).await;
        if answer.status == 429 {
            return sent;
        }
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(delete(owner, answer.json()["id"].as_i64().unwrap()).await.status, 204);
    }
    panic!("flooded");
}

on_both_databases! {
    async fn links_and_mails_have_budgets(limited: Limited) {
        let app = &limited.0;
        let owner = app.member(&[Role::Owner]).await;
        for left in (0..5).rev() {
            let answer = show(app, "x").await;
            assert_eq!((answer.status, answer.one("ratelimit")), (400, &*format!("\"invitation\";r={left};t=60")));
        }
        assert_eq!((accept(app, "x").await.status, join(&owner, "x").await.status, show(app, "x").await.status), (429, 429, 429));

        assert_eq!(invite(&owner, &owner.email, &["cashier"]).await.one("ratelimit"), "\"invite\";r=5;t=60", "no mail, no count");
        for number in 0..5 {
            assert_eq!(invite(&owner, &format!("ann{number}@example.com"), &["cashier"]).await.status, 201);
        }
        let sixth = invite(&owner, "bob@example.com", &["cashier"]).await;
        assert_eq!((sixth.status, sixth.one("retry-after")), (429, "60"));
    }

    async fn one_organization_cannot_flood_a_mailbox_nor_keep_another_from_it(open: Open) {
        let app = &open.0;
        let (owner, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        assert_eq!(flood(&owner, "ann@example.com").await, 11);
        app.mails("ann@example.com", "You are invited", 11).await;
        assert_eq!(invite(&owner, "bob@example.com", &["cashier"]).await.status, 201, "others are not held up");
        assert_eq!(invite(&other, "ann@example.com", &["cashier"]).await.status, 201, "nor is another organization");
    }

    async fn all_organizations_together_have_an_end(open: Open) {
        let app = &open.0;
        for _ in 0..10 {
            assert_eq!(flood(&app.member(&[Role::Owner]).await, "ann@example.com").await, 11);
        }
        let last = app.member(&[Role::Owner]).await;
        assert_eq!(flood(&last, "ann@example.com").await, 0, "110, and no more at once");
        assert_eq!(invite(&last, "bob@example.com", &["cashier"]).await.status, 201);
        app.clock.advance(Duration::from_secs(2));
        assert_eq!(invite(&last, "ann@example.com", &["cashier"]).await.status, 201, "each further one waits");
    }
}
