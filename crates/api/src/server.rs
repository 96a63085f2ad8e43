//! How the HTTP server listens, bounds its connections, and stops.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::{Request, Response};
use actix_service::IntoServiceFactory;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, Service, ServiceFactory};
use actix_web::{Error, HttpServer};
use tokio::signal::unix::{SignalKind, signal};

/// A client has this long for a complete request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection without a request is closed after this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Unread bodies are read and dropped for this long, so that the client sees the answer before the end.
const LINGER: Duration = Duration::from_secs(1);
/// Work in flight has this long after a stop; the process must be gone within 10 s.
const SHUTDOWN_SECONDS: u64 = 8;
/// Connections of one worker; further ones wait in the backlog.
const CONNECTIONS_PER_WORKER: usize = 10_000;

/// A server that accepts connections as soon as its future is polled.
pub struct Listening {
    /// Where it listens; tells the port that was chosen for port 0.
    pub address: SocketAddr,
    /// Runs until the server has stopped; its `handle()` stops it.
    pub server: Server,
}

/// Prepares a server on a bound listener; the factory runs once in each worker.
pub fn listen<F, I, S, B>(listener: TcpListener, workers: usize, factory: F) -> io::Result<Listening>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let server = HttpServer::new(factory)
        .workers(workers.max(1))
        .max_connections(CONNECTIONS_PER_WORKER)
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(LINGER)
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(Listening { address, server })
}

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
