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
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    TransactionOptions, TransactionSession, TransactionTrait,
};
use sme_pulse_domain::{
    ids::{OrgId, UserId},
    rng::Rng,
    tenant::TenantScope,
};
use tokio::time::Instant;
use tracing::Span;

use crate::{
    DatabaseSettings, Engine, StoreError,
    connection::{Faults, Normalised, SharedPool, Transaction},
    embedded::InUse,
    migrations::lock_path,
    settings::{self, OpenedSince, Purpose},
};

/// How long the readiness probe waits for the database.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the opening of a busy SQLite file is tried again, and the pause before that: 5 s, as for its writers.
const OPEN_ATTEMPTS: u32 = 200;
const OPEN_PAUSE: Duration = Duration::from_millis(25);

/// What a pool knows of itself at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolFigures {
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// How many there may be.
    pub most: u32,
    /// Statements and transactions since the start that got no connection.
    pub refused: u64,
    /// Those that lost theirs.
    pub lost: u64,
}

/// The database. Clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: SharedPool,
    settings: DatabaseSettings,
    purpose: Purpose,
    opened_since: OpenedSince,
    engine: Engine,
    migration_lock: Option<PathBuf>,
    file: Option<PathBuf>,
    /// Tells whoever would replace the file that it is in use.
    _in_use: Option<Arc<InUse>>,
    principal_reads: Arc<AtomicU64>,
    rng: Arc<dyn Rng>,
}

impl Store {
    /// Prepares a pool that serves requests: on PostgreSQL row-level security confines each transaction to the organization
    /// it names. Nothing is sent yet: an unreachable database shows at the first use. The randomness salts the personal
    /// data in audit events.
    pub async fn open(settings: &DatabaseSettings, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        Self::open_for(Purpose::Serve, settings, rng).await
    }

    /// Prepares a pool for the operator's commands, which concern all organizations. It is the same on SQLite; on PostgreSQL
    /// it sees them all only if the role it connects as owns the tables.
    pub async fn open_for_operator(settings: &DatabaseSettings, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        Self::open_for(Purpose::Operate, settings, rng).await
    }

    async fn open_for(purpose: Purpose, settings: &DatabaseSettings, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        let in_use = settings.file().map(|path| InUse::shared(&path)).transpose()?.map(Arc::new);
        let opened_since = OpenedSince::default();
        let pool = connect(settings, purpose, &opened_since).await?;
        Ok(Self {
            pool: Arc::new(Normalised::new(pool, Faults::default(), Span::none())),
            settings: settings.clone(),
            purpose,
            opened_since,
            engine: settings.engine(),
            migration_lock: lock_path(settings),
            file: settings.file(),
            _in_use: in_use,
            principal_reads: Arc::default(),
            rng,
        })
    }

    /// Opens an embedded file to look at it: nothing can be written, and no file is made. It is the operator's.
    pub async fn open_to_read(path: &Path, rng: Arc<dyn Rng>) -> Result<Self, StoreError> {
        let pool = Database::connect(settings::read_only(path)).await?;
        Ok(Self {
            pool: Arc::new(Normalised::new(pool, Faults::default(), Span::none())),
            settings: DatabaseSettings::Sqlite { path: path.to_owned() },
            purpose: Purpose::Operate,
            opened_since: OpenedSince::default(),
            engine: Engine::Sqlite,
            migration_lock: None,
            file: None,
            _in_use: None,
            principal_reads: Arc::default(),
            rng,
        })
    }

    /// A pool for what only the operator may do, and whether it is one to be closed afterwards.
    pub(crate) async fn operator_pool(&self) -> Result<(DatabaseConnection, bool), StoreError> {
        match (self.purpose, self.settings.operator_options()) {
            (Purpose::Serve, Some(options)) => Ok((Database::connect(options).await?, true)),
            (Purpose::Operate, _) | (_, None) => Ok((self.pool.0.clone(), false)),
        }
    }

    /// Connections that are open now may have another role than they should, and are not used again.
    pub(crate) fn reconnect(&self) {
        self.opened_since.send_replace(Some(Instant::now()));
    }

    /// Which engine answers.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Opens the unit of work in which one tenant's rows can be read and written.
    pub async fn begin(&self, scope: TenantScope) -> Result<TenantTx, StoreError> {
        let tx = self.transaction((scope.org().get(), scope.actor())).await?;
        Ok(TenantTx { tx, scope, rng: Arc::clone(&self.rng) })
    }

    /// Opens a consistent view of one tenant's rows. It takes no write lock, and nothing can be written in it.
    pub async fn begin_read(&self, scope: TenantScope) -> Result<TenantTx, StoreError> {
        let tx = self.view((scope.org().get(), scope.actor())).await?;
        Ok(TenantTx { tx, scope, rng: Arc::clone(&self.rng) })
    }

    /// Opens a consistent view of what belongs to no tenant, or to all: the audit trail as a whole.
    pub async fn begin_system_read(&self) -> Result<SystemTx, StoreError> {
        Ok(SystemTx { tx: self.view((OUTSIDE, None)).await?, engine: self.engine, rng: Arc::clone(&self.rng) })
    }

    /// Opens a unit of work outside any tenant: seeds, and events of which nobody knows whose they are.
    pub async fn begin_system(&self) -> Result<SystemTx, StoreError> {
        Ok(SystemTx { tx: self.transaction((OUTSIDE, None)).await?, engine: self.engine, rng: Arc::clone(&self.rng) })
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

    /// The pool as it is now.
    pub fn figures(&self) -> PoolFigures {
        let (open, idle, most) = match self.engine {
            Engine::Postgres => {
                let pool = self.pool.0.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            Engine::Sqlite => {
                let pool = self.pool.0.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        PoolFigures { open, idle, most, refused: self.pool.1.refused(), lost: self.pool.1.lost() }
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

    async fn view(&self, caller: (i64, Option<UserId>)) -> Result<Transaction, StoreError> {
        let tx = self.begin_as(SqliteTransactionMode::Deferred).await?;
        if self.engine == Engine::Postgres {
            let first = format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; {}", acting_as(caller));
            tx.execute_unprepared(&first).await?;
        }
        Ok(tx)
    }

    async fn transaction(&self, caller: (i64, Option<UserId>)) -> Result<Transaction, StoreError> {
        // SQLite cannot turn a read lock into a write lock while another writer waits, so writers take it at once.
        let tx = self.begin_as(SqliteTransactionMode::Immediate).await?;
        if self.engine == Engine::Postgres {
            tx.execute_unprepared(&acting_as(caller)).await?;
        }
        Ok(tx)
    }

    /// Of a transaction that belongs to a request; the work of the background is no trace of anything.
    fn span(&self) -> Span {
        if Span::current().is_disabled() {
            return Span::none();
        }
        tracing::info_span!("database.transaction", otel.kind = "client", db.system.name = self.engine.name())
    }

    async fn begin_as(&self, mode: SqliteTransactionMode) -> Result<Transaction, StoreError> {
        let options = TransactionOptions { sqlite_transaction_mode: Some(mode), ..TransactionOptions::default() };
        let faults = self.pool.1.clone();
        let span = self.span();
        let begun = faults.watch(self.pool.0.begin_with_options(options).await);
        Ok(Normalised::new(begun?, faults, span))
    }
}

/// What stands for no organization: the events outside any are recorded in its name, and no row of one is seen.
const OUTSIDE: i64 = 0;

/// The statements that name the organization and the person to row-level security, until the transaction ends or goes on
/// as others. Numbers, so nothing has to be quoted; all in one message, so that they cost one round trip together. Nobody
/// is named too, or whoever acted before would go on to.
fn acting_as((org, actor): (i64, Option<UserId>)) -> String {
    let actor = actor.map(|actor| actor.to_string()).unwrap_or_default();
    format!("SET LOCAL sme_pulse.org_id = '{org}'; SET LOCAL sme_pulse.user_id = '{actor}'")
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
    pub async fn go_on_in(self, scope: TenantScope) -> Result<Self, StoreError> {
        if self.tx.get_database_backend() == DbBackend::Postgres {
            self.tx.execute_unprepared(&acting_as((scope.org().get(), scope.actor()))).await?;
        }
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

    /// Goes on in the name of an organization, or of none.
    pub(crate) async fn act_for(&self, org: Option<OrgId>) -> Result<(), StoreError> {
        if self.engine == Engine::Postgres {
            self.tx.execute_unprepared(&acting_as((org.map_or(OUTSIDE, OrgId::get), None))).await?;
        }
        Ok(())
    }

    /// The same transaction, confined to an organization from now on: to one that has just been founded in it.
    pub async fn go_on_in(self, scope: TenantScope) -> Result<TenantTx, StoreError> {
        if self.engine == Engine::Postgres {
            self.tx.execute_unprepared(&acting_as((scope.org().get(), scope.actor()))).await?;
        }
        Ok(TenantTx { tx: self.tx, scope, rng: self.rng })
    }
}

/// A new SQLite file changes its journal once, and refuses whoever opens it at that moment without waiting as it does
/// otherwise. So two processes that start together on nothing try again.
async fn connect(
    settings: &DatabaseSettings,
    purpose: Purpose,
    opened_since: &OpenedSince,
) -> Result<DatabaseConnection, StoreError> {
    let mut left = OPEN_ATTEMPTS;
    loop {
        match Database::connect(settings.connect_options(purpose, opened_since)).await.map_err(StoreError::from) {
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
