//! Stopping on a signal: first nobody should send more, then what is in flight is finished, within a bound; a further signal
//! ends it sooner.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// Whether the server has been told to stop, for whoever asks if it should be sent requests.
#[derive(Debug, Default)]
pub struct Departure(AtomicBool);

impl Departure {
    /// True from the first signal on.
    pub fn is_announced(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn announce(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs the server until a signal. Then it serves for the time of the drain as before, but says that it is not ready; ends what has no
/// end of its own, and lets the server finish the work in flight. Each further signal cuts short what is going on.
pub async fn run_until_signal(
    server: Server,
    mut signals: StopSignals,
    (departure, drain): (Arc<Departure>, Duration),
    end_streams: impl Fn() + 'static,
) -> io::Result<()> {
    let handle = server.handle();
    let stopper = actix_web::rt::spawn(async move {
        signals.next().await;
        departure.announce();
        if !drain.is_zero() {
            tracing::info!(seconds = drain.as_secs(), "Server draining");
            // Whichever comes first.
            let _ = tokio::time::timeout(drain, signals.next()).await;
        }
        end_streams();
        // The command is sent by the call; waiting for its completion would delay the next signal.
        drop(handle.stop(true));
        signals.next().await;
        drop(handle.stop(false));
    });
    let result = server.await;
    stopper.abort();
    result
}
