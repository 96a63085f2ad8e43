//! Where the server will answer, whether that place is free, and the banner once it really answers there.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::say::say;

const PROBE_EVERY: Duration = Duration::from_millis(100);
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The configured address, read as the server reads it: environment, then `.env`, an empty value counting as unset.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    host: String,
    port: u16,
    password: &'static str,
    /// Whether there is one.
    console: bool,
}

impl Address {
    /// A port that is no number is left to the server's own message; the default stands in for it here.
    pub(crate) fn configured() -> anyhow::Result<Self> {
        let file = env_file()?;
        let value = |name: &str| {
            let set = std::env::var(name).ok().filter(|value| !value.is_empty());
            let in_file = || file.iter().find(|(key, value)| key == name && !value.is_empty());
            set.or_else(|| in_file().map(|(_, value)| value.clone()))
        };
        let password = match value("BACKEND_SEED_ADMIN_PASSWORD") {
            Some(_) => "from BACKEND_SEED_ADMIN_PASSWORD",
            None => "123456",
        };
        let host = value("BACKEND_HOST").unwrap_or_else(|| "127.0.0.1".to_owned());
        let port = value("BACKEND_PORT").and_then(|port| port.trim().parse().ok()).unwrap_or(8000);
        let off = |text: String| ["false", "0", "no", "off"].contains(&text.to_ascii_lowercase().as_str());
        let console = !value("BACKEND_CONSOLE_ENABLED").is_some_and(off);
        Ok(Self { host: host.trim().to_owned(), port, password, console })
    }

    /// An early and plain answer to the commonest reason why a server does not start.
    pub(crate) fn refuse_if_taken(&self) -> anyhow::Result<()> {
        let Ok(mut addresses) = (self.host.as_str(), self.port).to_socket_addrs() else { return Ok(()) };
        let Some(address) = addresses.next() else { return Ok(()) };
        match TcpListener::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
                "port {} on {} is already taken; stop the program that listens there, or set BACKEND_PORT to another port",
                self.port,
                self.host
            ),
            // Anything else is for the server to report.
            _ => Ok(()),
        }
    }

    /// Where a client on this machine reaches it: a wildcard is no destination.
    fn reachable(&self) -> Option<SocketAddr> {
        let address = (self.host.as_str(), self.port).to_socket_addrs().ok()?.next()?;
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Some(SocketAddr::new(ip, address.port()))
    }

    fn banner(&self, address: SocketAddr) -> String {
        let rule = "=".repeat(70);
        let console = format!("  Console               http://{address}/console\n");
        let console = if self.console { console.as_str() } else { "" };
        format!(
            "\n{rule}\n  SME Pulse answers at  http://{address}\n{console}  API documentation     http://{address}/api/docs\n  \
             Development login     admin@sme.com, password {}\n  Stop with Ctrl-C\n{rule}\n",
            self.password
        )
    }
}

fn env_file() -> anyhow::Result<Vec<(String, String)>> {
    match dotenvy::from_path_iter(cargo::root().join(".env")) {
        Ok(entries) => entries.collect::<Result<_, _>>().context("the file .env is malformed"),
        Err(error) if error.not_found() => Ok(Vec::new()),
        Err(error) => Err(error).context("cannot read the file .env"),
    }
}

/// Asks `/health` from a thread of its own until it answers, then shows the banner once.
#[derive(Debug)]
pub(crate) struct Watch {
    answers: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    banner: Option<String>,
}

impl Watch {
    /// With port 0 the server alone knows its address, so nothing is announced.
    pub(crate) fn start(address: &Address) -> Self {
        let target = address.reachable().filter(|target| target.port() != 0);
        let watch = Self { answers: Arc::default(), over: Arc::default(), banner: target.map(|at| address.banner(at)) };
        if let Some(target) = target {
            let (answers, over) = (Arc::clone(&watch.answers), Arc::clone(&watch.over));
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    if healthy(target).unwrap_or(false) {
                        // The access line of this very probe goes first, so that the banner stays last on the screen.
                        std::thread::sleep(PROBE_EVERY);
                        answers.store(true, Ordering::SeqCst);
                        return;
                    }
                    std::thread::sleep(PROBE_EVERY);
                }
            });
        }
        watch
    }

    /// Called while the server process is known to live: another process answering there is not announced.
    pub(crate) fn announce_once(&mut self) {
        if self.answers.load(Ordering::SeqCst)
            && let Some(banner) = self.banner.take()
        {
            say(banner);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

fn healthy(target: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&target, PROBE_TIMEOUT)?;
    stream.set_read_timeout(Some(PROBE_TIMEOUT))?;
    stream.set_write_timeout(Some(PROBE_TIMEOUT))?;
    // In one piece: `write!` into the socket would send a packet for every part.
    stream.write_all(format!("GET /health HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    // Read to the end, or the server sees a lost client.
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(&status == b"HTTP/1.1 200")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_names_the_console_where_there_is_one() {
        let banner = |console| {
            let address = Address { host: "127.0.0.1".to_owned(), port: 8000, password: "123456", console };
            address.banner(address.reachable().unwrap())
        };
        assert!(banner(true).contains("Console               http://127.0.0.1:8000/console\n"));
        assert!(!banner(false).contains("console"));
        assert!(banner(false).contains("http://127.0.0.1:8000\n  API documentation"));
    }
}
