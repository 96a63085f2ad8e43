//! The guards in the handlers of axum, through a router as a service builds it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod service;

use std::sync::Arc;

use axum::{Extension, Router};
use sme_pulse_auth::{AccessError, guard::axum::authenticator, testing::Issuer};
use sme_pulse_domain::{
    ids::{OrgId, UserId},
    role::Role,
};

use service::{GUARDED, Proved, Unsure, ask, routes, service, status};

#[tokio::test]
async fn only_one_good_token_opens_a_door() {
    let issuer = Issuer::new();
    let app = service(issuer.verifier());
    let token = issuer.token().user(7).org(3).roles([]).mint();
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
        let header = format!("{scheme} {token} ");
        assert_eq!(ask(&app, "/signed-in", &[header.as_bytes()]).await, (200, "7 of 3".to_owned()), "{scheme}");
    }
    let good = format!("Bearer {token}");
    let good = good.as_bytes();
    let expired = format!("Bearer {}", issuer.token().lives(-60).mint());
    let foreign = format!("Bearer {}", Issuer::new().token().mint());
    let basic = format!("Basic {token}");
    let glued = format!("Bearer{token}");
    let broken = [good, b"\xff"].concat();
    let refused: [&[&[u8]]; 13] = [
        &[],
        &[b""],
        &[b"Bearer"],
        &[b"Bearer "],
        &[b"Bearer x"],
        &[token.as_bytes()],
        &[basic.as_bytes()],
        &[glued.as_bytes()],
        &[expired.as_bytes()],
        &[foreign.as_bytes()],
        &[&broken],
        &[good, good],
        &[good, b"Basic dXNlcjpw"],
    ];
    for headers in refused {
        for path in GUARDED {
            assert_eq!(ask(&app, path, headers).await.0, 401, "{path} with {headers:?}");
        }
        let nobody = if headers.is_empty() { 200 } else { 401 };
        assert_eq!(ask(&app, "/anybody", headers).await.0, nobody, "{headers:?}");
    }
}

#[tokio::test]
async fn a_caller_of_whom_something_else_is_demanded_is_refused() {
    let issuer = Issuer::new();
    let app = service(issuer.verifier());
    for (role, users, books) in [(Role::Admin, 200, 403), (Role::Accountant, 403, 200), (Role::Cashier, 403, 403)] {
        let token = issuer.token().roles([role]).mint();
        assert_eq!(status(&app, "/users", &token).await, users, "{role:?}");
        assert_eq!(status(&app, "/observer", &token).await, users, "{role:?}");
        assert_eq!(status(&app, "/books", &token).await, books, "{role:?}");
    }
}

#[tokio::test]
async fn an_optional_user_is_nobody_only_without_a_header() {
    let issuer = Issuer::new();
    let app = service(issuer.verifier());
    let header = format!("Bearer {}", issuer.token().org(3).mint());
    assert_eq!(ask(&app, "/anybody", &[]).await, (200, "None".to_owned()));
    assert_eq!(ask(&app, "/anybody", &[header.as_bytes()]).await, (200, "Some(3)".to_owned()));
}

#[tokio::test]
async fn a_recent_user_has_proved_it_lately_and_is_allowed_as_well() {
    let issuer = Issuer::new();
    let (owner, cashier) = (issuer.token().mint(), issuer.token().roles([Role::Cashier]).mint());
    assert_eq!(status(&service(Proved(issuer.verifier(), 4)), "/recent", &owner).await, 200);
    let forbidden = AccessError::Forbidden { user: UserId::new(1), org: OrgId::new(1) }.to_string();
    let late = "the caller has not proved who they are lately".to_owned();
    let unproved = service(issuer.verifier());
    for (app, token, text) in [
        (service(Proved(issuer.verifier(), 5)), &owner, &late),
        (unproved, &owner, &late),
        (service(Proved(issuer.verifier(), 4)), &cashier, &forbidden),
    ] {
        let header = format!("Bearer {token}");
        assert_eq!(ask(&app, "/recent", &[header.as_bytes()]).await, (403, text.clone()));
    }
}

#[tokio::test]
async fn without_an_authenticator_no_door_is_open() {
    let issuer = Issuer::new();
    let token = issuer.token().mint();
    let verifier = || Arc::new(issuer.verifier());
    // None at all; one under a type that nobody looks for; one that was added before the routes.
    let apps = [
        routes(),
        routes().layer(Extension(verifier())),
        Router::new().layer(Extension(authenticator(issuer.verifier()))).merge(routes()),
    ];
    for app in apps {
        for path in GUARDED {
            assert_eq!(status(&app, path, &token).await, 500, "{path}");
            assert_eq!(ask(&app, path, &[]).await.0, 500, "{path}: whoever asks, the mistake is not theirs");
        }
        assert_eq!(status(&app, "/anybody", &token).await, 500);
        assert_eq!(ask(&app, "/anybody", &[]).await, (200, "None".to_owned()), "there was no token to look at");
    }
}

#[tokio::test]
async fn what_cannot_be_decided_is_no_fault_of_the_callers_and_opens_nothing() {
    let app = service(Unsure);
    for path in GUARDED.iter().chain(&["/anybody"]) {
        assert_eq!(status(&app, path, "x").await, 503, "{path}");
    }
    assert_eq!(ask(&app, "/users", &[]).await.0, 401, "without a token there is nothing to decide");
}
