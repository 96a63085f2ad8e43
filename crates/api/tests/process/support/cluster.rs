//! A PostgreSQL cluster that a test may stop and start again: in a temporary folder, on a port of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

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
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no PostgreSQL binaries, and CI must test with them");
            note("PostgreSQL half skipped: no PostgreSQL binaries are installed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("sme-pulse-outage-").tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let cluster = Self { bin, folder, port, as_root: rustix::process::geteuid().is_root() };
        if cluster.as_root {
            let id = Command::new("id").args(["-u", "postgres"]).output().unwrap().stdout;
            let id = String::from_utf8(id).unwrap().trim().parse().unwrap();
            std::fs::set_permissions(cluster.folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
            chown(cluster.folder.path(), Some(id), None).unwrap();
        }
        let data = cluster.data();
        cluster.run("initdb", &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D", &data]);
        Some(cluster)
    }

    /// The address of its maintenance database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' -c fsync=off",
            self.port
        );
        let log = format!("{folder}/log");
        self.run("pg_ctl", &["start", "-w", "-t", "60", "-o", &options, "-l", &log, "-D", &self.data()]);
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate", "-D", &self.data()]);
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
        // It may be stopped already.
        let _ = self.command("pg_ctl", &["stop", "-w", "-m", "immediate", "-D", &self.data()]).status();
    }
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
