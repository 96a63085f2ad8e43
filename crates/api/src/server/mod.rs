//! How the HTTP server listens, bounds its connections, and stops.

mod descriptors;
mod stop;
mod stream;
mod ticks;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use actix_http::{HttpService, Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Extensions, Server, Service, ServiceFactory};
use actix_web::rt::net::TcpStream;

pub use stop::{Departure, StopSignals, run_until_signal};
pub(crate) use ticks::tick;

use crate::edge::Edge;
use stream::Socket;

/// The bounds of a server, as `docs/api.md` promises them.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Threads that serve requests.
    pub workers: usize,
    /// Connections of one worker, at the most; further ones wait in the backlog. Fewer where the system permits fewer open files.
    pub connections: usize,
    /// A client has this many seconds for a complete request head, on each request of a connection.
    pub head_seconds: u32,
    /// A client that takes nothing of an answer for this many seconds, give or take one, is cut off: what it does not read fills
    /// memory.
    pub stuck_seconds: u32,
    /// A connection without a request is closed after this long.
    pub keep_alive: Duration,
    /// An unread body is read and dropped for this long, so that the client sees the answer before the end.
    pub linger: Duration,
    /// Work in flight has this many seconds after a stop, give or take one; the process must be gone within 10.
    pub stop_seconds: u64,
}

impl Bounds {
    /// The promised bounds for a number of worker threads.
    pub fn for_workers(workers: usize) -> Self {
        Self {
            workers: workers.max(1),
            connections: 10_000,
            head_seconds: 10,
            stuck_seconds: 30,
            keep_alive: Duration::from_secs(50),
            linger: Duration::from_secs(1),
            stop_seconds: 6,
        }
    }
}

/// A server that accepts connections as soon as its future is polled.
pub struct Listening {
    /// Where it listens; tells the port that was chosen for port 0.
    pub address: SocketAddr,
    /// Runs until the server has stopped; its `handle()` stops it.
    pub server: Server,
}

/// Prepares a server on a bound listener. The factory runs once in each worker; the application it makes must be
/// wrapped in the same edge.
pub fn listen<F, I, S, B>(listener: TcpListener, bounds: Bounds, edge: Edge, factory: F) -> io::Result<Listening>
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
    let bounds = Bounds { connections: descriptors::connections(bounds), ..bounds };
    let address = listener.local_addr()?;
    let builder = Server::build()
        .workers(bounds.workers)
        .max_concurrent_connections(bounds.connections)
        .shutdown_timeout(bounds.stop_seconds)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let service = move || {
        let (edge, stopping, app) = (edge.clone(), stopping.clone(), factory());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(bounds.keep_alive)
            .client_request_timeout(Duration::from_secs(u64::from(bounds.head_seconds)))
            .client_disconnect_timeout(bounds.linger)
            .local_addr(address)
            .on_connect_ext(|socket: &Socket, data: &mut Extensions| {
                data.insert(Rc::clone(socket.connection()));
            })
            .h1(map_config(app.into_factory().map_err(|error| error.into().error_response()), |()| {
                AppConfig::default()
            }));
        fn_service(move |stream: TcpStream| {
            let edge = edge.clone();
            async move {
                let peer = stream.peer_addr().ok();
                // A client that is already gone makes this fail, and is found out by the first read as well.
                let _ = stream.set_nodelay(true);
                Ok((Socket::new(stream, peer, edge, bounds), peer))
            }
        })
        .and_then(http)
    };
    let server = builder.listen("http", listener, service)?.run();
    Ok(Listening { address, server })
}
