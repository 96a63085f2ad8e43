//! A PostgreSQL cluster that a test may stop and start again: in a temporary folder, on a port of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;

use super::{note, server::nowhere};

/// A cluster; stopped and removed when dropped.
pub(crate) struct Cluster {
    bin: PathBuf,
    folder: TempDir,
    port: u16,
    as_root: bool,
}

impl Cluster {
    /// Initialises a cluster and does not start it. `None`, with one line, when no PostgreSQL is installed.
    pub(crate) fn create() -> Option<Self> {
        let Some(bin) = binaries() else {
            assert_ne!(
                std::env::var("CI").as_deref(),
                Ok("true"),
                "no PostgreSQL binaries, and CI must test with them"
            );
            note("PostgreSQL half skipped: no PostgreSQL binaries are installed");
            return None;
        };
        let cluster = Self::empty(bin);
        let data = cluster.data();
        let args = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D", &data];
        cluster.run("initdb", &args);
        Some(cluster)
    }

    /// A folder and a port.
    fn empty(bin: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("sme-pulse-outage-").tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let cluster = Self { bin, folder, port, as_root: rustix::process::geteuid().is_root() };
        if cluster.as_root {
            let id = Command::new("id").args(["-u", "postgres"]).output().unwrap().stdout;
            let id = String::from_utf8(id).unwrap().trim().parse().unwrap();
            std::fs::set_permissions(cluster.folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
            chown(cluster.folder.path(), Some(id), None).unwrap();
        }
        cluster
    }

    /// A copy of a running cluster that follows it once it is started.
    pub(crate) fn standby_of(primary: &Self) -> Option<Self> {
        let standby = Self::empty(binaries()?);
        let (port, data) = (primary.port.to_string(), standby.data());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres"];
        standby.run(
            "pg_basebackup",
            &[&from[..], &["-D", &data, "-R", "-X", "stream", "-c", "fast", "--no-sync"]].concat(),
        );
        Some(standby)
    }

    /// The port it listens on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Makes a standby a primary, and waits until it is one.
    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["promote", "-w", "-t", "60", "-D", &self.data()]);
    }

    /// Changes a setting of the running cluster, for connections from now on.
    pub(crate) async fn set(&self, name: &str, value: &str) {
        let db = Database::connect(self.url()).await.unwrap();
        db.execute_unprepared(&format!("ALTER SYSTEM SET {name} = '{value}'")).await.unwrap();
        db.execute_unprepared("SELECT pg_reload_conf()").await.unwrap();
        db.close().await.unwrap();
    }

    /// The address of its maintenance database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&self) {
        self.start_with("");
    }

    /// The same with further options of the server.
    pub(crate) fn start_with(&self, further: &str) {
        let folder = self.folder.path().display();
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' -c fsync=off {further}",
            self.port
        );
        let log = format!("{folder}/log");
        self.run("pg_ctl", &["start", "-w", "-t", "60", "-o", &options, "-l", &log, "-D", &self.data()]);
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate", "-D", &self.data()]);
    }

    /// Every process of it stops answering and keeps its connections open, as behind a network that swallows packets.
    pub(crate) fn freeze(&self) {
        // The postmaster first, so that it makes no others.
        let postmaster = self.postmaster();
        kill_process(postmaster, Signal::STOP).unwrap();
        for child in children(postmaster) {
            signal(child, Signal::STOP);
        }
    }

    /// Undoes [`Self::freeze`].
    pub(crate) fn thaw(&self) {
        let postmaster = self.postmaster();
        for process in children(postmaster).into_iter().chain([postmaster]) {
            signal(process, Signal::CONT);
        }
    }

    fn postmaster(&self) -> Pid {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        Pid::from_raw(file.lines().next().unwrap().parse().unwrap()).unwrap()
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, args: &[&str]) {
        assert!(self.command(program, args).status().unwrap().success(), "{program} {args:?}");
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let path = self.bin.join(program);
        // The programs refuse to run as root.
        let mut command = if self.as_root { Command::new("setpriv") } else { Command::new(&path) };
        if self.as_root {
            command.args(["--reuid=postgres", "--clear-groups", "--"]).arg(&path);
        }
        command.args(args).current_dir(self.folder.path()).env("LC_ALL", "C");
        command.stdin(nowhere()).stdout(nowhere()).stderr(nowhere());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may be stopped already, and nothing is as stubborn as a frozen process.
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.thaw();
        }
        let _ = self.command("pg_ctl", &["stop", "-w", "-m", "immediate", "-D", &self.data()]).status();
    }
}

/// A helper process of the database may have ended by itself meanwhile.
fn signal(process: Pid, signal: Signal) {
    match kill_process(process, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => panic!("{error}"),
    }
}

/// The processes that this one started.
fn children(parent: Pid) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name before it is in brackets and may hold anything.
        let parent_of = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        parent_of == Some(parent.as_raw_pid())
    };
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(is_child).filter_map(Pid::from_raw).collect()
}

/// The newest installed version.
fn binaries() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    places.sort();
    places.reverse();
    places.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let complete = |place: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| place.join(name).is_file());
    places.into_iter().find(complete)
}
