//! The one way in which migrations send statements, so that a plan can tell them.

use std::cell::RefCell;
use std::future::Future;

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr};

tokio::task_local! {
    static SENT: RefCell<Vec<String>>;
}

/// Sends one or more statements of a migration. A plan shows what is sent this way, and nothing else.
pub async fn perform(db: &impl ConnectionTrait, sql: &str) -> Result<(), DbErr> {
    db.execute_unprepared(sql).await?;
    // Outside a plan nobody listens.
    let _ = SENT.try_with(|sent| sent.borrow_mut().push(sql.trim().to_owned()));
    Ok(())
}

/// Does the work and tells what was sent in it, in order.
pub(crate) async fn recorded<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    let listening = async {
        let done = work.await;
        (done, SENT.with(RefCell::take))
    };
    SENT.scope(RefCell::default(), listening).await
}
