//! The application, wired as the binary wires it.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::dev::ServerHandle;
use reqwest::{Method, RequestBuilder, Response, header::HeaderMap};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;
use sme_pulse_api::{
    app::Application,
    command::auth_service,
    config::{Config, Variables},
    random::SystemRng,
    routes::mount::RouteInfo,
};
use sme_pulse_auth::service::AuthService;
use sme_pulse_domain::{clock::Clock, rng::Rng};
use sme_pulse_persistence::{DatabaseSettings, Store, seed};
use sme_pulse_testing::{Engine, Fixture, TestDatabase};

use tempfile::TempDir;

use super::{clock::TestClock, statements};

/// bcrypt of `123456` at cost 4: what every seeded and inserted user has.
pub(crate) const HASH: &str = "$2b$04$8jm5tGoJHgbO0XxqEIw5Luj6XyGV64.5cSPF8Vm5tXWoRj8m7d92m";
pub(crate) const PASSWORD: &str = "123456";
/// What tokens are signed with.
pub(super) const SECRET: &str = "it-tests-0123456789abcdefghijklmnop";

/// A running application. The seeds are in the database.
pub(crate) struct TestApp {
    pub(crate) clock: Arc<TestClock>,
    /// What the application works with: on PostgreSQL under row-level security.
    pub(crate) store: Store,
    /// What the test looks with.
    operator: Store,
    pub(crate) auth: Arc<AuthService>,
    pub(crate) routes: Vec<RouteInfo>,
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    /// Where mails are put.
    pub(crate) mails: TempDir,
    server: ServerHandle,
    /// Last, so that it outlives the connections to it.
    database: TestDatabase,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The value of a header that must be there exactly once.
    pub(crate) fn one(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "{name} in {self:?}");
        values[0].to_str().unwrap()
    }

    /// The answer without what differs between any two: the request id, the date and the time it took.
    pub(crate) fn comparable(&self) -> String {
        let id = self.one("x-request-id");
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.retain(|line| !["x-request-id", "date", "x-process-time"].iter().any(|name| line.starts_with(name)));
        headers.sort();
        format!("{} {} {}", self.status, headers.join(", "), self.text.replace(id, "ID"))
    }

    /// Asserts the envelope of section 3.1 with these values, byte for byte.
    pub(crate) fn assert_envelope(&self, status: u16, error: &str, detail: &str, code: &str) {
        let id = self.one("x-request-id");
        let text = format!(r#"{{"error":"{error}","detail":"{detail}","request_id":"{id}","error_code":"{code}"}}"#);
        assert_eq!((self.status, &self.text), (status, &text));
        assert_eq!(self.one("content-type"), "application/json");
    }
}

impl Fixture for TestApp {
    async fn on(database: TestDatabase) -> Self {
        // The log-in budget is off unless a test is about it.
        Self::with(database, &[("BACKEND_RATE_LIMIT_ENABLED", "false")]).await
    }
}

impl TestApp {
    /// With settings of the test's own over the defaults.
    pub(crate) async fn with(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let fast = [("BACKEND_BCRYPT_COST", "4"), ("BACKEND_SECRET_KEY", SECRET)];
        let mails = TempDir::new().unwrap();
        let folder = [("BACKEND_MAIL_DIR", mails.path().to_str().unwrap())];
        let variables = Variables::from_pairs(fast.iter().chain(&folder).chain(settings).copied());
        let (config, _) = Config::load(&variables).unwrap();
        let settings = database_settings(&database);
        let operator = Store::open_for_operator(&settings, Arc::new(SystemRng)).await.unwrap();
        operator.migrate_up().await.unwrap();
        let clock = Arc::<TestClock>::default();
        seed::run(&operator, HASH, clock.now()).await.unwrap();
        let store = match database.engine() {
            Engine::Sqlite => operator.clone(),
            Engine::Postgres => Store::open(&settings, Arc::new(SystemRng)).await.unwrap(),
        };
        // Not before: seeds are the operator's.
        statements::record(database.engine());

        let shared: (Arc<dyn Clock>, Arc<dyn Rng>) = (clock.clone(), Arc::new(SystemRng));
        let secret = config.tokens.key.resolve(&SystemRng).unwrap();
        let auth = auth_service(&config, store.clone(), &secret, &shared.0, &shared.1).unwrap();
        auth.prepare_keys().await.unwrap();
        let application = Application::new(&config, store.clone(), auth, &shared.0, &shared.1).unwrap();
        let (routes, auth) = (application.route_table(), application.auth());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listening = application.listen(listener, 1).unwrap();
        let base = format!("http://{}", listening.address);
        let server = listening.server.handle();
        tokio::task::spawn_local(listening.server);
        Self { clock, store, operator, auth, routes, http: reqwest::Client::new(), base, mails, server, database }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Self::send(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn send(request: RequestBuilder) -> Answer {
        let response: Response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    /// Asks until the answer has this status: a change made beside the product, as `sql` makes it, counts within 1 s.
    pub(crate) async fn until(status: u16, ask: impl AsyncFn() -> Answer) -> Answer {
        let asking = async {
            loop {
                let answer = ask().await;
                if answer.status == status {
                    return answer;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(1), asking).await.unwrap_or_else(|_| panic!("no {status} within 1 s"))
    }

    /// A statement outside the product, with `core.`, `finance.`, `analytics.` and `auth.` taken off on SQLite.
    pub(crate) async fn sql(&self, sql: &str) {
        self.operator.raw().execute_unprepared(&self.dialect(sql)).await.unwrap();
    }

    /// The first column of a query, as integers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let db = self.operator.raw();
        let statement = Statement::from_string(db.get_database_backend(), self.dialect(sql));
        let rows = db.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<i64>(0).unwrap()).collect()
    }

    /// The first column of a query, as texts.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<Option<String>> {
        let db = self.operator.raw();
        let statement = Statement::from_string(db.get_database_backend(), self.dialect(sql));
        let rows = db.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// An expression for the whole seconds since 1970 of a timestamp column.
    pub(crate) fn epoch(&self, column: &str) -> String {
        match self.engine() {
            Engine::Postgres => format!("CAST(FLOOR(EXTRACT(EPOCH FROM {column})) AS bigint)"),
            Engine::Sqlite => format!("CAST(strftime('%s', {column}) AS INTEGER)"),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.database.engine()
    }

    fn dialect(&self, sql: &str) -> String {
        dialect(self.engine(), sql)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

pub(super) fn dialect(engine: Engine, sql: &str) -> String {
    if engine == Engine::Postgres {
        return sql.to_owned();
    }
    ["core.", "finance.", "analytics.", "auth."].iter().fold(sql.to_owned(), |sql, schema| sql.replace(schema, ""))
}

pub(super) fn database_settings(database: &TestDatabase) -> DatabaseSettings {
    match database.file() {
        Some(path) => DatabaseSettings::Sqlite { path },
        None => DatabaseSettings::Postgres { url: database.url().to_owned(), pool_size: 1, max_overflow: 7 },
    }
}
