//! The binary itself, started as an operator starts it, and the log it leaves behind.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
};

use reqwest::{Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use sme_pulse_domain::clock::Clock as _;
use sme_pulse_persistence::{Store, seed};
use sme_pulse_testing::{Engine, Fixture, TestDatabase};
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
    child: Child,
    output: Receiver<String>,
    seen: Vec<String>,
    folder: TempDir,
    engine: Engine,
    _database: TestDatabase,
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
        let store = Store::open(&database_settings(&database)).await.unwrap();
        store.migrate_up().await.unwrap();
        seed::run(&store, HASH, TestClock::default().now()).await.unwrap();
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sme-pulse"))
            .env_clear()
            .current_dir(folder.path())
            .env("DATABASE_URL", database.url())
            .env("BACKEND_PORT", "0")
            .env("BACKEND_POOL_SIZE", "1")
            .env("BACKEND_SECRET_KEY", SECRET)
            .env("BACKEND_BCRYPT_COST", "4")
            .env("BACKEND_LOG_FILE", "logs/it.log")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, output) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut seen = Vec::new();
        let base = loop {
            let line = output.recv().unwrap_or_else(|_| panic!("the server ended: {seen:?}"));
            seen.push(line.clone());
            if line.contains("Server started") {
                break format!("http://{}", address(&line));
            }
        };
        let engine = database.engine();
        Self { base, store, http: reqwest::Client::new(), child, output, seen, folder, engine, _database: database }
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
        self.store.raw().execute_unprepared(&dialect(self.engine, sql)).await.unwrap();
    }

    /// Tells it to stop, and returns all it wrote.
    pub(crate) fn stop(mut self) -> Written {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.seen.extend(self.output.iter());
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let path: PathBuf = self.folder.path().join("logs/it.log");
        let file = std::fs::read_to_string(path).unwrap_or_default();
        let stdout = self.seen.iter().fold(String::new(), |text, line| text + line + "\n");
        Written { file, stdout, stderr }
    }
}

impl Drop for Process {
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
