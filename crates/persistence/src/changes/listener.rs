//! Listens to PostgreSQL's notices on a connection of its own, and knows when it is deaf.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::sqlx::{self, PgPool, postgres::PgListener};
use sme_pulse_domain::ids::{OrgId, UserId};

use super::{Change, OnChange};

/// The channel of the triggers in the migration `change_notices`.
const CHANNEL: &str = "sme_pulse_changes";
/// A silent connection is asked whether it is still there this often, and has this long to answer: together less than
/// the second within which a change must be seen everywhere.
const ASK_AFTER: Duration = Duration::from_millis(500);
const ANSWER_WITHIN: Duration = Duration::from_millis(400);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(250);

/// Runs until the pool is closed.
pub(super) async fn run(pool: PgPool, live: Arc<AtomicBool>, on_change: OnChange) {
    let mut told = false;
    while !pool.is_closed() {
        if let Ok(mut listener) = connect(&pool).await {
            // What happened while nobody listened is unknown, so everything is forgotten before anything is believed.
            on_change(Change::Everything);
            let hearing = Hearing::begin(&live);
            told = false;
            listen(&mut listener, &on_change).await;
            drop(hearing);
        }
        if !pool.is_closed() && !std::mem::replace(&mut told, true) {
            tracing::warn!("No news of changes from the database; every request asks it until they are back");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// While it lives, news are believed to arrive; it ends with the task, however that ends.
struct Hearing<'a>(&'a AtomicBool);

impl<'a> Hearing<'a> {
    fn begin(live: &'a AtomicBool) -> Self {
        live.store(true, Ordering::Release);
        Self(live)
    }
}

impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn connect(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Returns when the connection is lost or does not answer.
async fn listen(listener: &mut PgListener, on_change: &OnChange) {
    loop {
        match tokio::time::timeout(ASK_AFTER, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => on_change(change(notice.payload())),
            Ok(Ok(None) | Err(_)) => return,
            Err(_silence) => {
                let question = sqlx::query("SELECT 1").execute(&mut *listener);
                if !matches!(tokio::time::timeout(ANSWER_WITHIN, question).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

/// `k` keys, `r` revocations, `u7` a user, `o3` an organization; `*` is everything. A notice that this version does not understand may concern anything.
fn change(payload: &str) -> Change {
    match payload {
        "k" => return Change::Keys,
        "r" => return Change::Revocations,
        _ => {}
    }
    let id = |text: &str| text.parse().ok();
    let user = payload.strip_prefix('u').and_then(id).map(|id| Change::User(UserId::new(id)));
    let organization = || payload.strip_prefix('o').and_then(id).map(|id| Change::Organization(OrgId::new(id)));
    user.or_else(organization).unwrap_or(Change::Everything)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_notice_concerns_everything() {
        assert_eq!(change("u7"), Change::User(UserId::new(7)));
        assert_eq!(change("o3"), Change::Organization(OrgId::new(3)));
        assert_eq!((change("k"), change("r")), (Change::Keys, Change::Revocations));
        for odd in ["", "u", "x1", "u7x"] {
            assert_eq!(change(odd), Change::Everything, "{odd:?}");
        }
    }
}
