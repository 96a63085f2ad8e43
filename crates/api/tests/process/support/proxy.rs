//! A real proxy in front of several servers: `HAProxy`, with the checks that `docs/deployment.md` recommends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command};

use tempfile::TempDir;

use super::{note, server::nowhere};

/// A running proxy; ended when dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Proxy {
    /// In front of servers on these ports of this machine, whether they run or not. `None`, with one line, when `HAProxy` is not
    /// installed.
    pub(crate) fn before(ports: &[u16]) -> Option<Self> {
        if Command::new("haproxy").arg("-v").stdout(nowhere()).stderr(nowhere()).status().is_err() {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no HAProxy, and CI must test with it");
            note("skipped: HAProxy is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let servers: Vec<_> = ports.iter().map(|port| format!("  server s{port} 127.0.0.1:{port} check")).collect();
        let servers = servers.join("\n");
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, configuration(port, &servers)).unwrap();
        let mut command = Command::new("haproxy");
        let child = command.arg("-db").arg("-f").arg(&file).stdout(nowhere()).stderr(nowhere()).spawn().unwrap();
        Some(Self { address: (Ipv4Addr::LOCALHOST, port).into(), child, _folder: folder })
    }

    /// Whether it sends requests to the server on this port.
    pub(crate) async fn knows(&self, port: u16) -> bool {
        let table = reqwest::get(format!("http://{}/proxy;csv", self.address)).await.unwrap().text().await.unwrap();
        let line = table.lines().find(|line| line.starts_with(&format!("product,s{port},")));
        line.is_some_and(|line| line.contains(",UP,"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// It asks each server five times a second whether it wants requests, and sends a request again only when nothing of it was sent.
fn configuration(port: u16, servers: &str) -> String {
    format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n  timeout http-request 10s\n  \
         option forwardfor\n  option redispatch\n  retries 3\n  retry-on conn-failure\n  \
         timeout check 5s\n  default-server inter 200ms fall 1 rise 1\n\
         frontend public\n  bind 127.0.0.1:{port}\n  default_backend product\n  stats uri /proxy\n\
         backend product\n  balance roundrobin\n  option httpchk GET /health/ready\n  http-check expect status 200\n{servers}\n"
    )
}
