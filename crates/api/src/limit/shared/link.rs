//! The one connection to Redis: opened, watched and opened again, so that no request ever waits for that.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{
    script::{List, SharedStamp, Step},
    state::Counter,
};
use crate::{config::SecretUrl, limit::Decision};

/// The longest that a request waits for Redis.
const PATIENCE: Duration = Duration::from_millis(250);
/// The longest that an attempt to connect takes, its first write included.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// Between attempts to connect: doubled after each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a quiet connection is tried, so that no request has to find out that it is dead.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Written and taken back to see whether Redis takes writes, which a `PING` would not show.
const PROBE: List<'static> = List { key: "sme-pulse:limit:probe", requests: 1_000_000, window: Duration::from_mins(1) };

/// Why Redis is not asked.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("no answer in time")]
    Slow,
}

/// While it is down, nobody waits for it.
pub(super) struct Link {
    url: SecretUrl,
    /// `None` while Redis is down.
    connection: ArcSwapOption<MultiplexedConnection>,
    lost: Notify,
    /// The present outage stands in the log.
    told: AtomicBool,
    pub(super) errors: Counter,
}

impl Link {
    pub(super) fn new(url: SecretUrl) -> Self {
        let (connection, lost) = (ArcSwapOption::empty(), Notify::new());
        Self { url, connection, lost, told: AtomicBool::new(false), errors: Counter::default() }
    }

    pub(super) fn is_up(&self) -> bool {
        self.connection.load().is_some()
    }

    /// `None` when Redis is down, or turns out to be: then the step may have been done or not.
    pub(super) async fn run(&self, step: Step, list: List<'_>) -> Option<(Decision, SharedStamp)> {
        let connection = self.connection.load_full()?;
        match within(PATIENCE, step.run(list, &mut MultiplexedConnection::clone(&connection))).await {
            Ok(answer) => Some(answer),
            Err(fault) => {
                self.give_up(&connection, &fault);
                None
            }
        }
    }

    /// One attempt, which is over within a second.
    pub(super) async fn connect(&self) {
        match within(CONNECT_PATIENCE, open(&self.url)).await {
            Ok(connection) => {
                self.told.store(false, Ordering::Release);
                self.connection.store(Some(Arc::new(connection)));
                tracing::info!("Rate limits are shared");
            }
            Err(fault) => self.tell(&fault),
        }
    }

    /// Connects whenever there is no connection, for ever.
    pub(super) async fn keep(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(connection) = self.connection.load_full() else {
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                self.connect().await;
                continue;
            };
            if timeout(HEARTBEAT, self.lost.notified()).await.is_ok() {
                continue;
            }
            match within(CONNECT_PATIENCE, probe(&mut MultiplexedConnection::clone(&connection))).await {
                // It has held for a while, so the next outage may be a short one.
                Ok(()) => pause = FIRST_PAUSE,
                Err(fault) => self.give_up(&connection, &fault),
            }
        }
    }

    /// Only this connection: there may be a new one by now.
    fn give_up(&self, connection: &Arc<MultiplexedConnection>, fault: &Fault) {
        let found = self.connection.compare_and_swap(Arc::as_ptr(connection), None);
        if found.as_ref().is_some_and(|found| Arc::ptr_eq(found, connection)) {
            self.lost.notify_one();
            self.tell(fault);
        } else {
            self.errors.add();
        }
    }

    /// Once in an outage.
    fn tell(&self, fault: &Fault) {
        self.errors.add();
        if self.told.swap(true, Ordering::AcqRel) {
            tracing::debug!(error = %fault, "Redis is still unavailable");
        } else {
            tracing::warn!(error = %fault, "Rate limits are not shared, this process limits alone");
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("url", &self.url).field("up", &self.is_up()).finish_non_exhaustive()
    }
}

async fn open(url: &SecretUrl) -> Result<MultiplexedConnection, RedisError> {
    // The bounds are those of the callers here.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let client = Client::open(url.expose())?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    probe(&mut connection).await?;
    Ok(connection)
}

async fn probe(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let (_, stamp) = Step::Admit.run(PROBE, connection).await?;
    Step::Refund(stamp).run(PROBE, connection).await?;
    Ok(())
}

async fn within<T>(bound: Duration, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, Fault> {
    match timeout(bound, work).await {
        Ok(done) => Ok(done?),
        Err(_elapsed) => Err(Fault::Slow),
    }
}
