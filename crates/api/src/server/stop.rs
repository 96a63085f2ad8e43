//! Stopping on a signal: what is in flight is finished, within a bound; a second signal ends it at once.

use std::io;

use actix_web::dev::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT. From its making on they no longer end the process by themselves, so there is one of it, made
/// before anything that must not be torn apart.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Begins to listen; must be called inside a runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of them. One that came since the last call counts.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Runs the server until a signal, then ends what has no end of its own and lets it finish the work in flight. A second signal ends
/// that at once.
pub async fn run_until_signal(
    server: Server,
    mut signals: StopSignals,
    end_streams: impl Fn() + 'static,
) -> io::Result<()> {
    let handle = server.handle();
    let stopper = actix_web::rt::spawn(async move {
        for graceful in [true, false] {
            signals.next().await;
            end_streams();
            // The command is sent by the call; waiting for its completion would delay the second signal.
            drop(handle.stop(graceful));
        }
    });
    let result = server.await;
    stopper.abort();
    result
}
