//! Stopping on a signal: what is in flight is finished, within a bound; a second signal ends it at once.

use std::io;

use actix_web::dev::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, heard from the moment this is made: one that arrives before the server runs is not lost, and
/// no longer ends the process by itself.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Takes over both signals for the rest of the process's life.
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of the two.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Runs the server until SIGTERM or SIGINT, then lets it finish the work in flight. A second signal ends it at once.
pub async fn run_until_signal(server: Server, mut signals: StopSignals) -> io::Result<()> {
    let handle = server.handle();
    let stopper = actix_web::rt::spawn(async move {
        for graceful in [true, false] {
            signals.next().await;
            // The command is sent by the call; waiting for its completion would delay the second signal.
            drop(handle.stop(graceful));
        }
    });
    let result = server.await;
    stopper.abort();
    result
}
