//! Stopping on a signal: what is in flight is finished, within a bound; a second signal ends it at once.

use std::io;

use actix_web::dev::Server;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the server until SIGTERM or SIGINT, then lets it finish the work in flight. A second signal ends it at once.
pub async fn run_until_signal(server: Server) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let handle = server.handle();
    let stopper = actix_web::rt::spawn(async move {
        for graceful in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // The command is sent by the call; waiting for its completion would delay the second signal.
            drop(handle.stop(graceful));
        }
    });
    let result = server.await;
    stopper.abort();
    result
}
