//! A Redis server that a test starts, stops, kills and starts again: in a temporary folder, on a port of its own.
#![expect(clippy::unwrap_used, reason = "a test says what it found by panicking")]

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::database::say;

/// A free port can be taken by somebody else before the server has it.
const ATTEMPTS: u8 = 3;

/// A server that keeps nothing on the disk; killed and removed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    args: Vec<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one with these further arguments. `None`, with one line, when none is installed.
    pub fn start(args: &[&str]) -> Option<Self> {
        let mut server = Self::prepare(args)?;
        let mut attempts = 0..ATTEMPTS;
        let started = attempts.any(|_| {
            server.port = free_port();
            server.launch()
        });
        assert!(started, "redis-server did not start");
        Some(server)
    }

    /// As [`Self::start`], and nothing runs yet.
    pub fn prepare(args: &[&str]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no redis-server, and CI must test with it");
            say("skipped: redis-server is not installed");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("sme-pulse-redis-").tempdir().unwrap();
        Some(Self { folder, port: free_port(), args: args.iter().map(|&arg| arg.to_owned()).collect(), child: None })
    }

    /// Starts it, empty, and waits until it takes connections.
    pub fn restart(&mut self) {
        assert!(self.launch(), "redis-server did not start on port {}", self.port);
    }

    fn launch(&mut self) -> bool {
        self.kill();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.folder.path()).args(&self.args);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        self.child = Some(child);
        let ready = lines.by_ref().any(|line| line.contains("Ready to accept connections"));
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        ready
    }

    /// Its address, without a password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it without a warning; everything in it is lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// It stops answering and keeps its connections open.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Undoes [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// The answer to a command of a stranger without a password.
    pub fn cli(&self, args: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
