//! `sme-pulse organizations`: an operator suspends a company while it is served, and lets it go on.

use std::time::Duration;

use sme_pulse_testing::on_both_databases;

use crate::support::{Home, KEY, until};

on_both_databases! {
    async fn a_suspended_organization_stops_at_once_and_goes_on_when_it_may(mut home: Home) {
        home.set("BACKEND_SECRET_KEY", KEY);
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        let mut server = home.serve().await;
        let token = server.log_in().await.token();
        assert_eq!(server.me(&token).await.status, 200);
        assert!(home.succeed(&["organizations", "list"]).starts_with("       1  active    "));

        assert!(home.succeed(&["organizations", "suspend", "1"]).ends_with(" is suspended.\n"));
        let refused = async || (server.me(&token).await.status == 401).then_some(());
        until("the token is refused", Duration::from_secs(30), refused).await;
        assert_eq!(server.log_in().await.status, 401);
        // Twice is once.
        assert!(home.succeed(&["organizations", "suspend", "1"]).ends_with(" is suspended.\n"));
        assert!(home.succeed(&["organizations", "list"]).contains("suspended"));

        assert!(home.succeed(&["organizations", "activate", "1"]).ends_with(" is active.\n"));
        assert_eq!(server.log_in().await.status, 200);
        server.stop().await;
        let trail = home.succeed(&["audit", "export", "--organization", "1"]);
        for (action, times) in [("organization.suspended", 1), ("organization.activated", 1)] {
            assert_eq!(trail.matches(action).count(), times, "{action}");
        }
        home.succeed(&["audit", "check"]);
    }

    async fn an_organization_that_is_not_there_is_named(mut home: Home) {
        home.set("BACKEND_SECRET_KEY", KEY);
        home.succeed(&["migrate"]);
        let done = home.run(&["organizations", "suspend", "7"]);
        assert!(done.code == Some(1) && done.complaint().contains("there is no organization 7"), "{done:?}");
        assert_eq!(home.run(&["organizations", "suspend", "x"]).code, Some(2));
    }
}
