//! Servers under measurement: the product on a database of its own, and the bare floor.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::clock::now;
use crate::machine::Cores;
use crate::{BCRYPT_COST, reply};

const START_LIMIT: Duration = Duration::from_secs(20);
/// The product promises to end within 10 s.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A process that answers on a local port; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first 200.
    pub(crate) started_in: Duration,
}

/// The product's binary and a folder with a migrated, seeded SQLite database, unless that is elsewhere.
#[derive(Debug)]
pub(crate) struct Product {
    binary: PathBuf,
    cores: Cores,
    home: TempDir,
    hash_threads: usize,
    database: Option<String>,
    bcrypt_cost: u32,
}

impl Product {
    /// Migrates and seeds a new database: the one with this URL, or a file below the system's temporary folder.
    pub(crate) fn prepare(
        binary: &Path,
        cores: &Cores,
        hash_threads: usize,
        database: Option<&str>,
    ) -> anyhow::Result<Self> {
        let home = tempfile::Builder::new().prefix("sme-pulse-bench-").tempdir().context("no temporary folder")?;
        let database = database.map(str::to_owned);
        let product = Self {
            binary: binary.canonicalize()?,
            cores: cores.clone(),
            home,
            hash_threads,
            database,
            bcrypt_cost: BCRYPT_COST,
        };
        for step in ["migrate", "seed"] {
            let output = product.command(step).output().with_context(|| format!("cannot run {step}"))?;
            ensure!(output.status.success(), "{step} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(product)
    }

    /// Fills the database with demo organizations of one person each.
    pub(crate) fn fill(&self, organizations: u32, customers: u32) -> anyhow::Result<()> {
        self.people(organizations, 1, customers)
    }

    /// The same with as many people.
    pub(crate) fn people(&self, organizations: u32, users: u32, customers: u32) -> anyhow::Result<()> {
        let sizes = [("--organizations", organizations), ("--users", users), ("--customers", customers)];
        let mut command = self.command("seed-demo");
        for (name, count) in sizes {
            command.arg(name).arg(count.to_string());
        }
        let output = command.output().context("cannot run seed-demo")?;
        ensure!(output.status.success(), "seed-demo failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// What is hashed from now on costs as little as it may, where the hash is not what is measured.
    pub(crate) fn hash_cheaply(&mut self) {
        self.bcrypt_cost = 4;
    }

    /// Where an embedded database and what belongs to it lies.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Serves with the given settings besides the usual ones and waits for the first 200.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> anyhow::Result<Server> {
        let address = free_address()?;
        let mut command = self.command("serve");
        command.env("BACKEND_PORT", address.port().to_string()).envs(settings.iter().copied());
        let complaints = self.home.path().join("stderr");
        command.stderr(File::create(&complaints)?);
        let began = now();
        let child = command.spawn().context("cannot start the product")?;
        let mut server = Server { child, address, started_in: Duration::ZERO };
        server.started_in = server.first_answer(began).with_context(|| {
            let text = std::fs::read_to_string(&complaints).unwrap_or_default();
            format!("the product did not start: {}", text.trim())
        })?;
        Ok(server)
    }

    /// What the log file is set to when a row wants one.
    pub(crate) fn log_file(&self) -> String {
        self.home.path().join("app.log").display().to_string()
    }

    /// The caller's settings must not leak in; logs go to stdout as JSON, which nobody has to read.
    fn command(&self, step: &str) -> Command {
        let mut command = self.cores.server(&self.binary);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("BACKEND_") || text == "DATABASE_URL" || text == "REDIS_URL" {
                command.env_remove(&name);
            }
        }
        command.arg(step).current_dir(self.home.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("BACKEND_HASH_CONCURRENCY", self.hash_threads.to_string());
        command.env("BACKEND_RATE_LIMIT_ENABLED", "false").env("BACKEND_LOG_FILE", "");
        command.env("BACKEND_BCRYPT_COST", self.bcrypt_cost.to_string());
        command.envs(self.database.iter().map(|url| ("DATABASE_URL", url)));
        command
    }
}

impl Server {
    /// The bare actix server that answers `body` to everything.
    pub(crate) fn floor(binary: &Path, cores: &Cores, body: &[u8]) -> anyhow::Result<Self> {
        let file = tempfile::NamedTempFile::new().context("no temporary file")?;
        std::fs::write(file.path(), body)?;
        let mut command = cores.server(&binary.canonicalize()?);
        command.arg("http").arg(file.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let began = now();
        let mut child = command.spawn().context("cannot start the floor")?;
        let mut line = String::new();
        let output = child.stdout.take().context("the floor has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port: u16 = line.trim().parse().context("the floor named no port")?;
        Ok(Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), started_in: began.elapsed() })
    }

    /// Resident memory now and its highest mark, in kibibytes.
    pub(crate) fn memory(&self) -> anyhow::Result<(u32, u32)> {
        // `taskset` replaces itself by the program, so the child is the server.
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).context("this system tells no process sizes")?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        field("VmRSS:").zip(field("VmHWM:")).context("this system tells no process sizes")
    }

    /// The number of its process: `taskset` replaces itself by the program.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Processor time of all its threads so far.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(path).context("this system tells no processor times")?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
        let (_, fields) = text.rsplit_once(')').context("no process name")?;
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_millis(ticks * 1000 / second.max(1)))
    }

    /// Sends `request` alone on a new connection; status and body.
    pub(crate) fn ask(&self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(self.address).context("cannot connect")?;
        stream.set_read_timeout(Some(START_LIMIT))?;
        stream.write_all(request)?;
        reply::read(&mut stream)
    }

    /// Ends it as an operator does, and expects a clean end.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let deadline = now() + STOP_LIMIT;
        while now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the product ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the product did not end after SIGTERM")
    }

    fn first_answer(&mut self, began: Instant) -> anyhow::Result<Duration> {
        let request = crate::requests::get(self.address, "/health", None);
        while began.elapsed() < START_LIMIT {
            if self.ask(&request).is_ok_and(|(status, _)| status == 200) {
                return Ok(began.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("no answer within {} s", START_LIMIT.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, as it does after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    listener.local_addr().context("no free port")
}
