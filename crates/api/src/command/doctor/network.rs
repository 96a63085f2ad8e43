//! What is reached over the network besides the database: the mail server, Redis, and the server's own port.

use std::{
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use super::{super::health_check, Doctor};
use crate::limit::SharedLog;

const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn check(doctor: &mut Doctor<'_>) {
    let config = doctor.config;
    if let Some(smtp) = &config.mail.smtp {
        let place = format!("{} port {}", smtp.host, smtp.port);
        match connect((smtp.host.as_str(), smtp.port)) {
            Ok(()) => doctor.ok("mail", format!("{place} takes connections")),
            Err(error) => doctor.fail(
                "mail",
                format!("{place}: {error}"),
                "is BACKEND_SMTP_URL right, and does a firewall let it through?",
            ),
        }
    }
    redis(doctor).await;
    port(doctor);
}

/// Asked as the server asks it, with the trial write that finds out whether it takes any.
async fn redis(doctor: &mut Doctor<'_>) {
    let Some(url) = doctor.config.rate_limit.redis.clone() else { return };
    let shared = SharedLog::new(url);
    shared.connect().await;
    if shared.state().up {
        doctor.ok("redis", "it answers and takes writes");
    } else {
        doctor.fail(
            "redis",
            "it does not answer within a second, or refuses to write",
            "is REDIS_URL right, with its password, and is it a primary with memory left?",
        );
    }
}

fn port(doctor: &mut Doctor<'_>) {
    let (host, port) = (doctor.config.server.host.as_str(), doctor.config.server.port);
    let place = format!("{host} port {port}");
    if port == 0 {
        return doctor.ok("port", "the system chooses one");
    }
    if health_check::run(doctor.config).is_ok() {
        return doctor.ok("port", format!("a healthy server answers on {place}"));
    }
    match TcpListener::bind((host, port)) {
        Ok(_free) => doctor.ok("port", format!("{place} is free")),
        Err(error) => {
            doctor.fail("port", format!("{place}: {error}"), "stop what uses it, or set BACKEND_PORT or BACKEND_HOST");
        }
    }
}

/// Whether somebody takes connections there.
fn connect(place: (&str, u16)) -> std::io::Result<()> {
    let addresses: Vec<SocketAddr> = place.to_socket_addrs()?.collect();
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
