//! A serving process: its log, its address, and its end.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Home, until};

/// Far beyond what a start or a log line takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) http: reqwest::Client,
    child: Child,
    lines: UnboundedReceiver<String>,
    /// What was read of the log so far.
    pub(crate) log: Vec<Value>,
}

impl Server {
    pub(super) async fn start(home: &Home, mut command: Command) -> Self {
        let complaints = home.folder().join("stderr.txt");
        let mut child = command.stderr(File::create(&complaints).unwrap()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let mut server = Self { address: ([127, 0, 0, 1], 0).into(), http, child, lines, log: Vec::new() };
        let Some(started) = server.heard("Server started").await else {
            let text = std::fs::read_to_string(complaints).unwrap();
            panic!("the server did not start: {text} {:?}", server.log)
        };
        server.address = started["address"].as_str().unwrap().parse().unwrap();
        server
    }

    /// The next log line with this text; `None` when the log ends before it.
    pub(crate) async fn heard(&mut self, message: &str) -> Option<Value> {
        loop {
            let Ok(line) = tokio::time::timeout(PATIENCE, self.lines.recv()).await else {
                panic!("no line {message:?} in the log: {:?}", self.log)
            };
            let event: Value = serde_json::from_str(&line?).unwrap();
            self.log.push(event.clone());
            if event["msg"] == message {
                return Some(event);
            }
        }
    }

    /// Everything that is in the log when the process has ended.
    pub(crate) async fn rest_of_log(&mut self) {
        assert_eq!(self.heard("\0").await, None);
    }

    /// Lets go of the other end of its standard output.
    pub(crate) fn stop_reading(&mut self) {
        self.lines.close();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Ends it without a warning, and returns when it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The exit status, within so many seconds.
    pub(crate) async fn ended(&mut self, seconds: u64) -> ExitStatus {
        let child = &mut self.child;
        until("the server ends", Duration::from_secs(seconds), async || child.try_wait().unwrap()).await
    }

    /// Stops it as a service manager does, and requires a clean end.
    pub(crate) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended(10).await.code(), Some(0));
    }

    /// The files and sockets it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// The memory it occupies, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps a pipe that nobody reads out of the way.
pub(super) fn nowhere() -> Stdio {
    Stdio::null()
}
