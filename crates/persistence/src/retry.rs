//! Trying a transaction again when another one was in its way.

use std::time::Duration;

use tokio::time::Instant;

use crate::StoreError;

/// Tries after the first: a deadlock or a busy file is over after one or two, more would only add load.
const RETRIES: u32 = 3;

/// No further try after this long: one that has waited for SQLite's other writer in vain has waited enough, and holds
/// a connection that others need.
const PATIENCE: Duration = Duration::from_secs(4);

/// Runs the whole transaction again while it fails for a reason that passes, at most three times more. The closure
/// must begin and commit by itself, so that a failed attempt leaves nothing behind.
pub async fn retrying<T, E, F>(mut transaction: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: AsStoreError,
{
    let mut left = RETRIES;
    let started = Instant::now();
    loop {
        match transaction().await {
            Err(error)
                if left > 0
                    && started.elapsed() < PATIENCE
                    && error.as_store_error().is_some_and(StoreError::is_transient) =>
            {
                left = left.saturating_sub(1);
            }
            result => return result,
        }
    }
}

/// An error that may have come from the storage.
pub trait AsStoreError {
    /// The storage's error, if that is what it is.
    fn as_store_error(&self) -> Option<&StoreError>;
}

impl AsStoreError for StoreError {
    fn as_store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use sea_orm::DbErr;

    use super::*;

    async fn attempts(error: fn() -> StoreError) -> u32 {
        let tries = Cell::new(0);
        let result: Result<(), _> = retrying(|| {
            tries.set(tries.get() + 1);
            async { Err(error()) }
        })
        .await;
        assert!(result.is_err());
        tries.get()
    }

    #[tokio::test]
    async fn only_what_passes_is_tried_again_and_not_for_ever() {
        assert_eq!(attempts(|| StoreError::Busy(DbErr::Custom(String::new()))).await, 4);
        assert_eq!(attempts(|| StoreError::Failed(DbErr::Custom(String::new()))).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_in_vain_for_the_other_writer_does_not_wait_again() {
        let tries = Cell::new(0);
        let result: Result<(), _> = retrying(|| {
            tries.set(tries.get() + 1);
            async {
                tokio::time::advance(Duration::from_secs(5)).await;
                Err(StoreError::Busy(DbErr::Custom(String::new())))
            }
        })
        .await;
        assert!(result.is_err());
        assert_eq!(tries.get(), 1);
    }
}
