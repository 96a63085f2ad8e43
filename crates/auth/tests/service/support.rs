//! Two services over one database, as two replicas would be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, Statement};
use sme_pulse_auth::{
    mail::NoMailer,
    password::{Bcrypt, Passwords, PoolSettings},
    service::{AuthParts, AuthService, AuthSettings, LogIn, LogInError, LogInOutcome, ServiceKeys, TokenKeys},
    token::{Algorithm, Signer, Verifier},
};
use sme_pulse_domain::{audit::Origin, clock::Clock, email::Email, rng::Rng};
use sme_pulse_persistence::{DatabaseSettings, Store, seed};
use sme_pulse_testing::{Engine, Fixture, TestDatabase};

/// bcrypt of `123456` at cost 4.
const HASH: &str = "$2b$04$8jm5tGoJHgbO0XxqEIw5Luj6XyGV64.5cSPF8Vm5tXWoRj8m7d92m";
pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

pub(crate) struct Office {
    pub(crate) here: Replica,
    pub(crate) there: Replica,
    rng: Counter,
    database: TestDatabase,
}

pub(crate) struct Replica {
    pub(crate) auth: AuthService,
    pub(crate) clock: Arc<TestClock>,
    store: Store,
}

/// What a service is told.
pub(crate) struct Setup {
    pub(crate) keys: ServiceKeys,
    pub(crate) algorithm: Algorithm,
}

impl Default for Setup {
    fn default() -> Self {
        Self { keys: ServiceKeys::new(SECRET, None), algorithm: Algorithm::Hs256 }
    }
}

#[derive(Default)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_763_626_530, 0).unwrap() + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Counts up: unique and repeatable.
struct Counter(AtomicU64);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst).to_be_bytes()[0];
        }
    }
}

impl Fixture for Office {
    async fn on(database: TestDatabase) -> Self {
        let here = Replica::start(&database, 1, Setup::default()).await;
        let there = Replica::start(&database, 2, Setup::default()).await;
        Self { here, there, rng: Counter(AtomicU64::new(4_u64.rotate_right(4))), database }
    }
}

impl Office {
    pub(crate) fn engine(&self) -> Engine {
        self.database.engine()
    }

    /// The database as the operator's commands open it.
    pub(crate) async fn operator(&self) -> Store {
        let rng: Arc<dyn Rng> = Arc::new(Counter(AtomicU64::new(5_u64.rotate_right(4))));
        Store::open_for_operator(&settings(&self.database), rng).await.unwrap()
    }

    /// What no replica draws.
    pub(crate) const fn rng(&self) -> &dyn Rng {
        &self.rng
    }

    /// A third service over the database, which has other keys for what is not signed.
    pub(crate) async fn with_keys(&self, keys: ServiceKeys) -> Replica {
        Replica::start(&self.database, 3, Setup { keys, ..Setup::default() }).await
    }

    /// A further service over the database that was told to sign with this, and is ready to.
    pub(crate) async fn signing_with(&self, number: u64, algorithm: Algorithm) -> Replica {
        let replica = Replica::start(&self.database, number, Setup { algorithm, ..Setup::default() }).await;
        replica.auth.prepare_keys().await.unwrap();
        replica
    }

    /// The same, not ready yet.
    pub(crate) async fn set_up(&self, number: u64, setup: Setup) -> Replica {
        Replica::start(&self.database, number, setup).await
    }

    /// The first column of a query, as texts.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = if self.engine() == Engine::Sqlite { sql.replace("auth.", "") } else { sql.to_owned() };
        let db = self.database.connect().await;
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// A statement of a third party, with the schemas taken off on SQLite.
    pub(crate) async fn sql(&self, sql: &str) {
        self.database.connect().await.execute_unprepared(&self.dialect(sql)).await.unwrap();
    }

    /// The first column of a query, as integers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let db = self.database.connect().await;
        let statement = Statement::from_string(db.get_database_backend(), self.dialect(sql));
        let rows = db.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    fn dialect(&self, sql: &str) -> String {
        match self.engine() {
            Engine::Sqlite => sql.replace("core.", "").replace("auth.", ""),
            Engine::Postgres => sql.to_owned(),
        }
    }
}

fn settings(database: &TestDatabase) -> DatabaseSettings {
    match database.file() {
        Some(path) => DatabaseSettings::Sqlite { path },
        None => DatabaseSettings::Postgres { url: database.url().to_owned(), pool_size: 1, max_overflow: 4 },
    }
}

impl Replica {
    async fn start(database: &TestDatabase, number: u64, Setup { keys, algorithm }: Setup) -> Self {
        let settings = settings(database);
        let rng: Arc<dyn Rng> = Arc::new(Counter(AtomicU64::new(number.rotate_right(4))));
        let operator = Store::open_for_operator(&settings, Arc::clone(&rng)).await.unwrap();
        operator.migrate_up().await.unwrap();
        let clock = Arc::<TestClock>::default();
        seed::run(&operator, HASH, clock.now()).await.unwrap();
        operator.close().await.unwrap();
        let store = Store::open(&settings, Arc::clone(&rng)).await.unwrap();
        let pool = PoolSettings::for_threads(1);
        let symmetric = if algorithm.is_symmetric() { algorithm } else { Algorithm::Hs256 };
        let auth = AuthService::new(AuthParts {
            store: store.clone(),
            passwords: Passwords::start(Bcrypt::new(4), pool, clock.clone(), Arc::clone(&rng)).unwrap(),
            tokens: TokenKeys::new(
                Signer::new(SECRET, symmetric, "i", "a"),
                Verifier::new(SECRET, symmetric).issuer("i").audience("a"),
            ),
            keys,
            settings: AuthSettings {
                key_algorithm: Some(algorithm).filter(|algorithm| !algorithm.is_symmetric()),
                ..AuthSettings::default()
            },
            mailer: Arc::new(NoMailer),
            clock: clock.clone(),
            rng,
        });
        Self { auth, clock, store }
    }

    pub(crate) async fn token(&self) -> String {
        match self.log_in("123456", None).await {
            Ok(LogInOutcome::SignedIn(done)) => done.token,
            Ok(LogInOutcome::FactorNeeded(_)) => panic!("no second factor here"),
            Err(error) => panic!("{error}"),
        }
    }

    /// An attempt of the seeded administrator, with what the device kept of an earlier one.
    pub(crate) async fn log_in(&self, password: &str, device: Option<String>) -> Result<LogInOutcome, LogInError> {
        let email = Email::parse("admin@sme.com").unwrap();
        let password = password.to_owned().into();
        self.auth.log_in(LogIn { email, password, user_agent: None, device, origin: Origin::default() }).await
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Removes everything and builds the schema anew.
    pub(crate) async fn rebuild(&self) {
        self.store.migrate_fresh().await.unwrap();
    }

    /// How often the state of a caller was read from the database.
    pub(crate) fn reads(&self) -> u64 {
        self.store.principal_reads()
    }
}

/// Asks until it is so; a change may take a second to arrive, and a machine under load some more.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap_or_else(|_| panic!("not within 10 s: {what}"));
}
