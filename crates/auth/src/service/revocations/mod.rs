//! What is taken back before its time, as this process knows it: the newest number, which goes into every token, and the
//! entries that followers are told.
//!
//! **The order that everything rests on:** a token's position is taken ([`Hub::position`]) *before* the roles and the status
//! that decide about the token are read. The change and its number are committed together, so whoever knows the number reads
//! what is after the change. A position that is too old costs its holder a refresh; one that is too new would let a right
//! live on that was taken away.

mod list;
mod message;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sme_pulse_domain::clock::Clock;
use sme_pulse_persistence::{Engine, Store, StoreError};
use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

use super::{AuthParts, errands::chain, news::News};
use list::List;
pub use message::{Progress, RevocationMessage, RevocationNews, RevocationsError};

/// Rows of one read.
const AT_ONCE: u32 = 1_000;
/// What the clocks of the database and of this machine may differ by, and how long the transaction of a change may last.
const LEEWAY: TimeDelta = TimeDelta::minutes(5);
/// Between the lifetime of tokens and the time for which a revocation is remembered, besides the configured leeway.
const MARGIN: TimeDelta = TimeDelta::minutes(1);
/// How long a token waits for its position. What fails is tried again for the next one.
const PATIENCE: Duration = Duration::from_millis(250);
/// How much longer rows stay in the database than anybody needs them.
const ROWS_STAY: TimeDelta = TimeDelta::hours(1);

/// Where a token stands among the revocations. There is no other way to one than [`Hub::position`], and no token without
/// one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position(pub(super) u64);

/// One per process.
pub(super) struct Hub {
    store: Store,
    clock: Arc<dyn Clock>,
    /// How long a revocation concerns somebody: longer than any token lives.
    keep: TimeDelta,
    list: RwLock<List>,
    newest: AtomicU64,
    /// Changes made here so far, and how many of them a complete read has come after.
    told: AtomicU64,
    read: AtomicU64,
    /// One reader at a time; when the last complete read began.
    reader: Mutex<Option<Duration>>,
    published: watch::Sender<u64>,
}

impl Hub {
    pub(super) fn new(parts: &AuthParts) -> Arc<Self> {
        let leeway = TimeDelta::seconds(parts.tokens.verifier().leeway().into());
        Arc::new(Self {
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            keep: parts.settings.token_lifetime + leeway + MARGIN,
            list: RwLock::default(),
            newest: AtomicU64::new(0),
            // The first token waits for the first read.
            told: AtomicU64::new(1),
            read: AtomicU64::new(0),
            reader: Mutex::new(None),
            published: watch::Sender::new(0),
        })
    }

    /// Notes that something was taken back just now: the next position waits until it is known here.
    pub(super) fn expect(&self) {
        self.told.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of the newest revocation, to be asked for before anything is read that goes into a token. It costs a read
    /// only after a change made here. While the database cannot be read it is the last one known, so tokens are refused more,
    /// never less.
    pub(super) async fn position(&self) -> Position {
        if self.is_behind() {
            // Whoever reads in the background tells of a failure.
            let _ = timeout(PATIENCE, self.catch_up()).await;
        }
        Position(self.newest.load(Ordering::SeqCst))
    }

    fn is_behind(&self) -> bool {
        self.read.load(Ordering::SeqCst) < self.told.load(Ordering::SeqCst)
    }

    /// Reads until everything that was told before this call is known; who waited while another one read that far is done.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let goal = self.told.load(Ordering::SeqCst);
        let mut last = self.reader.lock().await;
        if self.read.load(Ordering::SeqCst) >= goal {
            return Ok(());
        }
        self.read_on(&mut last).await
    }

    /// Makes sure that what is known was read not longer ago than this.
    async fn be_fresh(&self, age: Duration) -> Result<(), StoreError> {
        let mut last = self.reader.lock().await;
        let is_fresh = last.is_some_and(|at| self.clock.monotonic().saturating_sub(at) <= age);
        if is_fresh && !self.is_behind() { Ok(()) } else { self.read_on(&mut last).await }
    }

    /// Reads, however short ago it was read.
    async fn look(&self) -> Result<(), StoreError> {
        self.read_on(&mut *self.reader.lock().await).await
    }

    /// One statement when nothing is new.
    async fn read_on(&self, last: &mut Option<Duration>) -> Result<(), StoreError> {
        let (began, goal) = (self.clock.monotonic(), self.told.load(Ordering::SeqCst));
        let known = self.newest.load(Ordering::SeqCst);
        let there = self.store.newest_revocation().await?;
        if last.is_none() || there < known {
            if there < known {
                tracing::error!(known, there, "The list of revocations has gone back; replace the signing keys");
            }
            self.begin_anew(there, began).await?;
        } else if there > known {
            self.read_after(known, began).await?;
        }
        let keep = self.keep.to_std().unwrap_or(Duration::MAX);
        let newest = {
            let mut known = self.list.write().unwrap_or_else(PoisonError::into_inner);
            known.forget(began, keep);
            known.newest()
        };
        self.newest.store(newest, Ordering::SeqCst);
        self.read.fetch_max(goal, Ordering::SeqCst);
        *last = Some(began);
        self.published.send_if_modified(|published| std::mem::replace(published, newest) != newest);
        Ok(())
    }

    /// Everything young enough, in place of whatever was known.
    async fn begin_anew(&self, there: u64, seen: Duration) -> Result<(), StoreError> {
        let since = before(self.clock.now(), self.keep + LEEWAY);
        let first = self.store.revocations_after(0, since, AT_ONCE).await?;
        let floor = first.first().map_or(there, |row| row.seq.saturating_sub(1));
        let (mut list, mut rows) = (List::beginning_at(floor), first);
        while let Some(newest) = rows.last().map(|row| row.seq) {
            list.add(rows, seen);
            rows = self.store.revocations_after(newest, since, AT_ONCE).await?;
        }
        list.reach(there);
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = list;
        Ok(())
    }

    /// However old it is: it is news.
    async fn read_after(&self, known: u64, seen: Duration) -> Result<(), StoreError> {
        let mut known = known;
        loop {
            let rows = self.store.revocations_after(known, DateTime::UNIX_EPOCH, AT_ONCE).await?;
            let Some(newest) = rows.last().map(|row| row.seq) else { return Ok(()) };
            self.list.write().unwrap_or_else(PoisonError::into_inner).add(rows, seen);
            known = newest;
        }
    }

    /// Rows older than this concern nobody any more.
    pub(super) fn rows_stay_since(&self) -> DateTime<Utc> {
        before(self.clock.now(), self.keep + ROWS_STAY)
    }
}

fn before(now: DateTime<Utc>, time: TimeDelta) -> DateTime<Utc> {
    now.checked_sub_signed(time).unwrap_or(DateTime::UNIX_EPOCH)
}

/// How often the list is read without being asked. PostgreSQL tells of news by itself; of what another process writes to a
/// SQLite file nobody tells.
const fn interval(engine: Engine) -> Duration {
    match engine {
        Engine::Sqlite => Duration::from_millis(250),
        Engine::Postgres => Duration::from_secs(1),
    }
}

/// Reads on whenever there is news and now and then, for as long as it runs.
pub(super) async fn keep_reading(hub: Arc<Hub>, news: Arc<News>) {
    let mut heard = news.revocations.subscribe();
    let mut deaf = false;
    loop {
        match hub.look().await {
            Ok(()) => deaf = false,
            Err(error) if !std::mem::replace(&mut deaf, true) => {
                tracing::warn!(error = chain(&error), "Revocations cannot be read");
            }
            Err(_) => {}
        }
        // Whether news or the pause ended it makes no difference.
        let _ = timeout(interval(hub.store.engine()), hear(&hub, &mut heard)).await;
    }
}

/// Returns with news. On a SQLite file every commit may be a change of anything, so there only what was done here counts.
async fn hear(hub: &Hub, heard: &mut watch::Receiver<()>) {
    while heard.changed().await.is_ok() {
        if hub.store.engine() == Engine::Postgres {
            // Who asks for a position meanwhile waits for it.
            hub.expect();
        }
        if hub.is_behind() {
            return;
        }
    }
    std::future::pending::<()>().await;
}
