//! The store (a pool) and its transactions. A repository is lent its transaction; dropping one rolls back.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    AccessMode, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionSession, TransactionTrait,
};
use sme_pulse_domain::{rng::Rng, tenant::TenantScope};

use crate::{
    DatabaseSettings, Engine, StoreError,
    connection::{Normalised, SharedPool, Transaction},
    migrations::lock_path,
};

/// How long the readiness probe waits for the database.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the opening of a busy SQLite file is tried again, and the pause before that: 5 s, as for its writers.
const OPEN_ATTEMPTS: u32 = 200;
const OPEN_PAUSE: Duration = Duration::from_millis(25);

/// The database. Clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: SharedPool,
    engine: Engine,
    migration_lock: Option<PathBuf>,
    file: Option<PathBuf>,
    principal_reads: Arc<AtomicU64>,
    rng: Arc<dyn Rng>,
}

impl Store {
    /// Prepares the pool. Nothing is sent yet: an unreachable database shows at the first use. The randomness salts the
    /// personal data in audit events.
    pub async fn open(settings: &DatabaseSettings, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        let pool = connect(settings).await?;
        Ok(Self {
            pool: Arc::new(Normalised(pool)),
            engine: settings.engine(),
            migration_lock: lock_path(settings),
            file: settings.file(),
            principal_reads: Arc::default(),
            rng,
        })
    }

    /// Which engine answers.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Opens the unit of work in which one tenant's rows can be read and written.
    pub async fn begin(&self, scope: TenantScope) -> Result<TenantTx, StoreError> {
        Ok(TenantTx { tx: self.transaction().await?, scope, rng: Arc::clone(&self.rng) })
    }

    /// Opens a consistent view of one tenant's rows. It takes no write lock, and nothing can be written in it.
    pub async fn begin_read(&self, scope: TenantScope) -> Result<TenantTx, StoreError> {
        Ok(TenantTx { tx: self.view().await?, scope, rng: Arc::clone(&self.rng) })
    }

    /// Opens a consistent view of what belongs to no tenant, or to all: the audit trail as a whole.
    pub async fn begin_system_read(&self) -> Result<SystemTx, StoreError> {
        Ok(SystemTx { tx: self.view().await?, engine: self.engine, rng: Arc::clone(&self.rng) })
    }

    /// Opens a unit of work outside any tenant: seeds, and events of which nobody knows whose they are.
    pub async fn begin_system(&self) -> Result<SystemTx, StoreError> {
        Ok(SystemTx { tx: self.transaction().await?, engine: self.engine, rng: Arc::clone(&self.rng) })
    }

    /// Whether the database answers within 2 s and its migrations are current.
    pub async fn is_ready(&self) -> bool {
        let pending = sme_pulse_migration::pending(&self.pool.0);
        matches!(tokio::time::timeout(READY_TIMEOUT, pending).await, Ok(Ok(0)))
    }

    /// The raw pool, for migrations and tests of the schema; it converts no values.
    pub fn raw(&self) -> &DatabaseConnection {
        &self.pool.0
    }

    /// Lets go of the connections that nobody uses now, so that the next use opens one. A connection to PostgreSQL dies
    /// with the runtime that opened it; whoever outlives that runtime calls this before going on.
    pub fn forget_idle(&self) {
        if self.engine == Engine::Postgres {
            let pool = self.pool.0.get_postgres_connection_pool();
            while let Some(idle) = pool.try_acquire() {
                drop(idle.detach());
            }
        }
    }

    /// Ends all connections; on SQLite this also folds the write-ahead log back into the file.
    pub async fn close(&self) -> Result<(), StoreError> {
        Ok(self.pool.0.clone().close().await?)
    }

    pub(crate) fn pool(&self) -> &impl ConnectionTrait {
        &*self.pool
    }

    /// How often the state of a caller has been read: what the memory in front of it did not know.
    pub fn principal_reads(&self) -> u64 {
        self.principal_reads.load(Ordering::Relaxed)
    }

    pub(crate) fn count_principal_read(&self) {
        self.principal_reads.fetch_add(1, Ordering::Relaxed);
    }

    /// The embedded database's file.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(crate) fn migration_lock(&self) -> Option<&Path> {
        self.migration_lock.as_deref()
    }

    async fn view(&self) -> Result<Transaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: (self.engine == Engine::Postgres).then_some(IsolationLevel::RepeatableRead),
            access_mode: (self.engine == Engine::Postgres).then_some(AccessMode::ReadOnly),
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
        };
        Ok(Normalised(self.pool.0.begin_with_options(options).await?))
    }

    async fn transaction(&self) -> Result<Transaction, StoreError> {
        // SQLite cannot turn a read lock into a write lock while another writer waits, so writers take it at once.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Normalised(self.pool.0.begin_with_options(options).await?))
    }
}

/// A transaction inside one organization.
pub struct TenantTx {
    tx: Transaction,
    scope: TenantScope,
    rng: Arc<dyn Rng>,
}

impl TenantTx {
    /// Makes everything done in it permanent.
    pub async fn commit(self) -> Result<(), StoreError> {
        commit(self.tx.0).await
    }

    /// The same transaction, confined to another organization from now on: for what one person does to their account
    /// and in an organization that is not their home, both or neither.
    #[expect(clippy::unused_async, reason = "whoever moves may have to tell the database")]
    pub async fn go_on_in(self, scope: TenantScope) -> Result<Self, StoreError> {
        Ok(Self { scope, ..self })
    }

    /// The organization it is confined to.
    pub const fn scope(&self) -> TenantScope {
        self.scope
    }

    pub(crate) const fn connection(&self) -> &Transaction {
        &self.tx
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.rng
    }
}

/// A transaction outside any organization.
pub struct SystemTx {
    tx: Transaction,
    engine: Engine,
    rng: Arc<dyn Rng>,
}

impl SystemTx {
    /// Makes everything done in it permanent.
    pub async fn commit(self) -> Result<(), StoreError> {
        commit(self.tx.0).await
    }

    pub(crate) const fn connection(&self) -> &Transaction {
        &self.tx
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        &*self.rng
    }

    pub(crate) const fn engine(&self) -> Engine {
        self.engine
    }

    /// The same transaction, confined to an organization from now on: to one that has just been founded in it.
    #[expect(clippy::unused_async, reason = "whoever moves may have to tell the database")]
    pub async fn go_on_in(self, scope: TenantScope) -> Result<TenantTx, StoreError> {
        Ok(TenantTx { tx: self.tx, scope, rng: self.rng })
    }
}

/// A new SQLite file changes its journal once, and refuses whoever opens it at that moment without waiting as it does
/// otherwise. So two processes that start together on nothing try again.
async fn connect(settings: &DatabaseSettings) -> Result<DatabaseConnection, StoreError> {
    let mut left = OPEN_ATTEMPTS;
    loop {
        match Database::connect(settings.connect_options()).await.map_err(StoreError::from) {
            Err(error) if left > 0 && error.is_transient() => {
                left = left.saturating_sub(1);
                tokio::time::sleep(OPEN_PAUSE).await;
            }
            result => return result,
        }
    }
}

async fn commit(tx: DatabaseTransaction) -> Result<(), StoreError> {
    Ok(TransactionSession::commit(tx).await?)
}
