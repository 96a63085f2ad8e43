//! Child processes in the foreground: waits for them whatever signal arrives, and passes on the signals that the
//! terminal did not deliver to them itself.

use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::clock::now;
use crate::say::say;

const POLL: Duration = Duration::from_millis(20);
/// The server promises to end within 10 s of a signal; beyond this it is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// The signals that ask to stop, noted instead of obeyed so that children are always waited for.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    interrupt: Arc<AtomicBool>,
    terminate: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

impl Signals {
    /// From here on Ctrl-C and SIGTERM no longer end this process by themselves.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let signals = Self { interrupt: Arc::default(), terminate: Arc::default(), stopping: Arc::default() };
        signal_hook::flag::register(SIGINT, Arc::clone(&signals.interrupt)).context("cannot watch for Ctrl-C")?;
        for signal in [SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&signals.terminate)).context("cannot watch for signals")?;
        }
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&signals.stopping)).context("cannot watch for signals")?;
        }
        Ok(signals)
    }

    /// True once any of them has arrived.
    pub(crate) fn stop_requested(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// What a child has to be sent now, each request once. A terminal sends Ctrl-C to the whole foreground group, so
    /// the child has it already; a SIGINT from elsewhere reached this process alone.
    fn to_pass_on(&self) -> Option<Signal> {
        if self.terminate.swap(false, Ordering::SeqCst) {
            return Some(Signal::TERM);
        }
        (self.interrupt.swap(false, Ordering::SeqCst) && !in_terminal_foreground()).then_some(Signal::INT)
    }
}

fn in_terminal_foreground() -> bool {
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By itself; 0 is success.
    Exited(u8),
    /// Because the person or the system asked for it.
    Stopped,
    /// By a signal nobody here asked for, or without a code.
    Died(i32),
}

impl Outcome {
    fn of(status: ExitStatus, stopping: bool) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        match (status.code(), status.signal()) {
            (Some(0), _) | (None, Some(SIGINT | SIGTERM | SIGHUP)) if stopping => Self::Stopped,
            (Some(code), _) => Self::Exited(u8::try_from(code).unwrap_or(1)),
            (None, signal) => Self::Died(signal.unwrap_or_default()),
        }
    }

    /// What this process exits with when the child was all it had to do.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Stopped => 130,
            Self::Died(_) => 1,
        }
    }

    /// For messages: `exit code 2`, `signal 9`.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Exited(code) => format!("exit code {code}"),
            Self::Stopped => "a request to stop".to_owned(),
            Self::Died(signal) => format!("signal {signal}"),
        }
    }
}

/// Runs `command` to its end.
pub(crate) fn run(command: &mut Command, signals: &Signals) -> anyhow::Result<Outcome> {
    let child = spawn(command)?;
    wait(child, signals, None, || {})
}

/// Like [`run`], killed after `limit`.
pub(crate) fn run_within(command: &mut Command, signals: &Signals, limit: Duration) -> anyhow::Result<Outcome> {
    let child = spawn(command)?;
    wait(child, signals, now().checked_add(limit), || {})
}

/// Starts `command` without the variables that `cargo run` gave to this process: build scripts of dependencies watch
/// them, and would run again after each change between `cargo xtask` and plain `cargo`.
pub(crate) fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.spawn().with_context(|| format!("cannot start `{}`", command.get_program().to_string_lossy()))
}

/// Waits for `child`, calling `tick` about fifty times a second.
pub(crate) fn wait(
    mut child: Child,
    signals: &Signals,
    deadline: Option<Instant>,
    mut tick: impl FnMut(),
) -> anyhow::Result<Outcome> {
    let mut kill_at = deadline;
    let mut patience_began = false;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child process")? {
            return Ok(Outcome::of(status, signals.stop_requested()));
        }
        if let Some(signal) = signals.to_pass_on() {
            // The child may have ended in this very moment; the next turn finds out.
            let _ = rustix::process::kill_process(Pid::from_child(&child), signal);
        }
        if signals.stop_requested() && !patience_began {
            patience_began = true;
            kill_at = now().checked_add(PATIENCE);
        }
        if kill_at.is_some_and(|at| now() >= at) {
            say("no end in time: killing the process");
            child.kill().context("cannot kill a child process")?;
            kill_at = None;
        }
        tick();
        std::thread::sleep(POLL);
    }
}
