//! `sme-pulse healthcheck`: for containers, whose images have no HTTP client.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Succeeds when the server on the configured address answers `GET /health` with 200.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let addresses = (config.server.host.as_str(), config.server.port).to_socket_addrs()?;
    let address = addresses.map(reachable).next().context("BACKEND_HOST has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).context("the server does not answer")?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).context("the server does not answer")?;
    if start != *b"HTTP/1.1 200" {
        bail!("the server is not healthy");
    }
    Ok(())
}

/// A server that listens on every address is asked on the loopback one.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(v6) if v6.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
