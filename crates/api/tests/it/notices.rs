//! What PostgreSQL tells the replicas of sessions: every loss, and nothing else.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgListener;
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_postgres;

use super::support::{TestApp, claims};

const CHANNEL: &str = "sme_pulse_changes";

struct Ear(PgListener);

impl Ear {
    async fn on(app: &TestApp) -> Self {
        let mut listener = PgListener::connect_with(app.store.raw().get_postgres_connection_pool()).await.unwrap();
        listener.listen(CHANNEL).await.unwrap();
        Self(listener)
    }

    /// All that was told up to now; notices keep the order of their commits.
    async fn heard(&mut self, app: &TestApp) -> Vec<String> {
        app.sql(&format!("NOTIFY {CHANNEL}, 'enough'")).await;
        let mut all = Vec::new();
        loop {
            let payload = self.0.recv().await.unwrap().payload().to_owned();
            if payload == "enough" {
                return all;
            }
            all.push(payload);
        }
    }
}

async fn only_losses_are_told(app: TestApp) {
    let (member, other) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
    let mut ear = Ear::on(&app).await;
    let one = format!("WHERE id = '{}'", claims(&member.token)["sid"].as_str().unwrap());
    let user = vec![format!("u{}", member.user)];

    assert_eq!(app.refresh(&member.refresh_token).await.status, 200);
    app.sql(&format!("UPDATE auth.sessions SET expires_at = expires_at + interval '1 day' {one}")).await;
    app.clock.advance(Duration::from_mins(5));
    assert_eq!(member.get("/auth/me").await.status, 200);
    app.auth.write_last_seen().await.unwrap();
    app.sign_in(&other.email).await;
    assert_eq!(ear.heard(&app).await, Vec::<String>::new(), "nobody lost anything");

    let losses = [
        "expires_at = expires_at - interval '1 second'",
        "revoked_at = now()",
        "revoked_at = NULL",
        &format!("org_id = {}", other.org),
    ];
    for loss in losses {
        app.sql(&format!("UPDATE auth.sessions SET {loss} {one}")).await;
        assert_eq!(ear.heard(&app).await[..1], user, "{loss}");
    }
    app.sql(&format!("UPDATE auth.sessions SET user_id = {} {one}", other.user)).await;
    assert_eq!(ear.heard(&app).await, [format!("u{}", member.user), format!("u{}", other.user)]);
    app.sql(&format!("DELETE FROM auth.sessions {one}")).await;
    assert_eq!(ear.heard(&app).await, [format!("u{}", other.user)], "a live session is gone");

    app.clock.advance(Duration::from_hours(24 * 50));
    assert!(app.auth.remove_expired().await.unwrap() > Some(0));
    assert_eq!(ear.heard(&app).await, Vec::<String>::new(), "what ended long ago is removed quietly");
    let last = app.sign_in(&other.email).await;
    assert_eq!(last.post("/auth/logout").await.status, 204);
    assert_eq!(ear.heard(&app).await[..1], [format!("u{}", other.user)], "and that was for one transaction alone");
}

#[test]
fn replicas_are_told_of_every_session_that_lost_something_and_of_no_other() {
    on_postgres(only_losses_are_told);
}
