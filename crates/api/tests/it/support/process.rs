//! The binary itself, started as an operator starts it, and the log it leaves behind.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::Arc,
    sync::mpsc::{self, Receiver},
};

use reqwest::{Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;
use sme_pulse_api::random::SystemRng;
use sme_pulse_domain::clock::Clock as _;
use sme_pulse_persistence::{Store, seed};
use sme_pulse_testing::{Fixture, TestDatabase};
use tempfile::TempDir;

use super::{
    Answer, TestApp, TestClock,
    app::{HASH, SECRET, database_settings, dialect},
    raw::raw,
};

/// A running server process over a seeded database.
pub(crate) struct Process {
    pub(crate) base: String,
    store: Store,
    http: reqwest::Client,
    running: Running,
    settings: Vec<(String, String)>,
    folder: TempDir,
    database: TestDatabase,
}

/// One life of the process.
struct Running {
    base: String,
    child: Child,
    output: Receiver<String>,
    seen: Vec<String>,
}

/// What a process wrote in its life.
pub(crate) struct Written {
    pub(crate) file: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Written {
    /// The lines of the file, parsed; every line must be one JSON object.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.file.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}

impl Fixture for Process {
    async fn on(database: TestDatabase) -> Self {
        Self::start(database, &[("BACKEND_RATE_LIMIT_REQUESTS", "1000")]).await
    }
}

impl Process {
    /// Waits until the server says that it has started.
    pub(crate) async fn start(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let store = Store::open_for_operator(&database_settings(&database), Arc::new(SystemRng)).await.unwrap();
        store.migrate_up().await.unwrap();
        seed::run(&store, HASH, TestClock::default().now()).await.unwrap();
        let folder = TempDir::new().unwrap();
        let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let running = Running::spawn(&folder, &database, &settings);
        Self { base: running.base.clone(), store, http: reqwest::Client::new(), running, settings, folder, database }
    }

    /// Kills it as a power cut would, and starts it again on what is left.
    pub(crate) fn kill_and_restart(&mut self) {
        self.running.child.kill().unwrap();
        self.running.child.wait().unwrap();
        self.running = Running::spawn(&self.folder, &self.database, &self.settings);
        self.base.clone_from(&self.running.base);
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base))
    }

    /// A log-in with any body.
    pub(crate) async fn log_in(&self, body: &Value) -> Answer {
        TestApp::send(self.request("POST", "/api/v1/auth/login").json(body)).await
    }

    pub(crate) async fn me(&self, token: &str) -> Answer {
        TestApp::send(self.request("GET", "/api/v1/auth/me").bearer_auth(token)).await
    }

    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> Answer {
        raw(&self.base, bytes).await
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.store.raw().execute_unprepared(&dialect(self.database.engine(), sql)).await.unwrap();
    }

    /// The first number of a query.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let db = self.store.raw();
        let sql = dialect(self.database.engine(), sql);
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }

    /// Its working directory.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Tells it to stop, and returns all it wrote in its last life; the file holds all lives.
    pub(crate) fn stop(mut self) -> Written {
        let running = &mut self.running;
        kill_process(Pid::from_child(&running.child), Signal::TERM).unwrap();
        let status = running.child.wait().unwrap();
        assert!(status.success(), "{status}");
        running.seen.extend(running.output.iter());
        let mut stderr = String::new();
        running.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let file = std::fs::read_to_string(self.folder.path().join("logs/it.log")).unwrap_or_default();
        let stdout = running.seen.iter().fold(String::new(), |text, line| text + line + "\n");
        Written { file, stdout, stderr }
    }
}

impl Running {
    fn spawn(folder: &TempDir, database: &TestDatabase, settings: &[(String, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sme-pulse"))
            .env_clear()
            .current_dir(folder.path())
            .env("DATABASE_URL", database.url())
            .env("BACKEND_PORT", "0")
            .env("BACKEND_POOL_SIZE", "1")
            .env("BACKEND_SECRET_KEY", SECRET)
            .env("BACKEND_BCRYPT_COST", "4")
            .env("BACKEND_LOG_FILE", "logs/it.log")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, output) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        // Whole from the start, so that it is ended even when it never comes up.
        let mut running = Self { base: String::new(), child, output, seen: Vec::new() };
        while running.base.is_empty() {
            let line = running.output.recv().unwrap_or_else(|_| panic!("the server ended: {:?}", running.seen));
            if line.contains("Server started") {
                running.base = format!("http://{}", address(&line));
            }
            running.seen.push(line);
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only a failing test gets here with a living process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `address=…` or `"address":"…"`.
fn address(line: &str) -> &str {
    let after = line.split("address").nth(1).unwrap().trim_start_matches(['"', '=', ':']);
    after.split(['"', ' ']).next().unwrap()
}
