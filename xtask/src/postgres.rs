//! A throw-away PostgreSQL cluster for tests and measurements: in a temporary folder, on a free port, gone when dropped.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::process::Signals;

/// A free port can be taken by somebody else before the server has it.
const ATTEMPTS: u8 = 3;

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// As in production, for measurements.
    Durable,
    /// Fast, for tests: nothing outlives them anyway.
    Forgetful,
}

/// A running cluster; dropping it stops the server and removes its files.
#[derive(Debug)]
pub(crate) struct Cluster {
    url: String,
    version: String,
    tools: Tools,
    folder: TempDir,
}

/// The installed programs and the account that runs them: initdb refuses to run as root.
#[derive(Debug, Clone)]
struct Tools {
    bin: PathBuf,
    account: Option<&'static str>,
}

impl Cluster {
    /// `None` when no PostgreSQL server is installed here.
    pub(crate) fn start(commits: Commits, signals: &Signals) -> anyhow::Result<Option<Self>> {
        let Some(bin) = find_binaries() else { return Ok(None) };
        let account = if rustix::process::geteuid().is_root() { Some(unprivileged_account()?) } else { None };
        let tools = Tools { bin, account };
        let folder = tempfile::Builder::new().prefix("sme-pulse-pg-").tempdir().context("no temporary folder")?;
        let password = password()?;
        tools.create(folder.path(), &password)?;
        let version = tools.version()?;
        let mut attempt = 1;
        loop {
            let port = free_port()?;
            match tools.start(folder.path(), port, commits) {
                Ok(()) => {
                    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                    return Ok(Some(Self { url, version, tools, folder }));
                }
                Err(error) if attempt == ATTEMPTS || signals.stop_requested() => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// A superuser's URL of its maintenance database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The path of an installed program, if it is there.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.tools.bin.join(name)).filter(|path| path.is_file())
    }

    /// For messages: `PostgreSQL 16.4`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.tools.stop(self.folder.path());
    }
}

impl Tools {
    fn create(&self, folder: &Path, password: &str) -> anyhow::Result<()> {
        let secret = folder.join("password");
        std::fs::write(&secret, password).context("cannot write into the temporary folder")?;
        if let Some(account) = self.account {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
            let owner = id_of(account)?;
            for path in [folder, secret.as_path()] {
                std::os::unix::fs::chown(path, Some(owner), None).context("cannot give the folder away")?;
            }
        }
        let mut initdb = self.command("initdb", folder);
        initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        initdb.arg("--pwfile").arg(&secret).arg("-D").arg(folder.join("data"));
        finish(&mut initdb, "initdb")
    }

    fn start(&self, folder: &Path, port: u16, commits: Commits) -> anyhow::Result<()> {
        let mut settings = vec![
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", folder.display()),
            "max_connections=300".to_owned(),
        ];
        if commits == Commits::Forgetful {
            settings.extend(["fsync", "synchronous_commit", "full_page_writes"].map(|name| format!("{name}=off")));
        }
        let options = settings.iter().fold(String::new(), |all, one| format!("{all} -c '{one}'"));
        let mut start = self.command("pg_ctl", folder);
        start.args(["start", "-w", "-t", "60", "-o", &options, "-D"]).arg(folder.join("data"));
        start.arg("-l").arg(folder.join("log"));
        finish(&mut start, "pg_ctl start").with_context(|| {
            self.stop(folder);
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            format!("PostgreSQL did not start; its log:\n{log}")
        })
    }

    /// Nothing in it is worth a clean shutdown, and nobody needs to hear that it was not running.
    fn stop(&self, folder: &Path) {
        let mut stop = self.command("pg_ctl", folder);
        let _ = quiet(stop.args(["stop", "-m", "immediate", "-w", "-D"]).arg(folder.join("data"))).status();
    }

    fn version(&self) -> anyhow::Result<String> {
        let output =
            Command::new(self.bin.join("postgres")).arg("--version").output().context("cannot ask postgres")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number = text.split_whitespace().nth(2).unwrap_or("of unknown version");
        Ok(format!("PostgreSQL {number}"))
    }

    fn command(&self, program: &str, folder: &Path) -> Command {
        let path = self.bin.join(program);
        let mut command = match self.account {
            None => Command::new(path),
            Some(account) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={account}")).args(["--clear-groups", "--"]).arg(path);
                command
            }
        };
        // An unprivileged account may not be able to stay where root stands.
        command.current_dir(folder).env("LC_ALL", "C");
        for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS"] {
            command.env_remove(variable);
        }
        command
    }
}

fn find_binaries() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let packaged = newest_first("/usr/lib/postgresql").into_iter().map(|version| version.join("bin"));
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut places =
        packaged.chain([PathBuf::from("/usr/local/pgsql/bin")]).chain(configured).chain(on_path.unwrap_or_default());
    let complete = |place: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| place.join(name).is_file());
    places.find(complete)
}

fn newest_first(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut versions: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions
}

fn unprivileged_account() -> anyhow::Result<&'static str> {
    let known = ["postgres", "nobody"].into_iter().find(|account| id_of(account).is_ok());
    known.context("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
}

fn id_of(account: &str) -> anyhow::Result<u32> {
    let output = Command::new("id").args(["-u", account]).output().context("cannot run `id`")?;
    String::from_utf8_lossy(&output.stdout).trim().parse().with_context(|| format!("there is no user `{account}`"))
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}

/// Other accounts of this machine reach the port as well: without a secret they would be superusers for a while.
fn password() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("no randomness")?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// The server that `pg_ctl` leaves behind would keep a pipe open for ever, so its output goes to files only.
fn finish(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let mut complaints = tempfile::tempfile().context("no temporary file")?;
    let to_file = complaints.try_clone().context("no temporary file")?;
    let status = quiet(command).stderr(to_file).status().with_context(|| format!("cannot run {what}"))?;
    if status.success() {
        return Ok(());
    }
    let mut text = String::new();
    std::io::Seek::rewind(&mut complaints)?;
    complaints.read_to_string(&mut text)?;
    bail!("{what} failed: {}", text.trim())
}
