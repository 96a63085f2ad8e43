//! Refreshes a second on PostgreSQL against `pgbench` with the update alone: prepared, one row for each connection,
//! committed to disk.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use tempfile::TempDir;

use crate::clock::now;
use crate::figures::{median, percentile, rate, ratio};
use crate::report::Row;
use crate::server::Server;
use crate::{Bench, note, reply, requests};

const CONNECTIONS: u16 = 8;
const WARM_UP: Duration = Duration::from_secs(1);

/// A row for each client of the floor, in the product's own table with its indexes and triggers.
const ROWS: &str = "INSERT INTO auth.sessions (id, user_id, org_id, expires_at) \
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, u.id, u.org_id, now() + interval '14 days' \
    FROM generate_series(0, 999) AS n, core.users AS u WHERE u.email = 'admin@sme.com' ON CONFLICT (id) DO NOTHING;\n";

/// What a refresh writes, and nothing else.
const UPDATE: &str = "UPDATE auth.sessions SET refresh_counter = refresh_counter + 1, \
    expires_at = now() + interval '14 days', last_seen_at = now(), updated_at = now() \
    WHERE id = ('00000000-0000-4000-8000-' || lpad(:client_id::text, 12, '0'))::uuid \
    AND refresh_counter >= 0 AND revoked_at IS NULL AND expires_at > now();\n";

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let Some((url, pgbench)) = &bench.postgres else {
        note(format_args!("no PostgreSQL with pgbench: the row of refreshes is left out"));
        return Ok(Vec::new());
    };
    let product = bench.prepare_on(url)?;
    let server = product.serve(&[])?;
    let floor = Floor::new(pgbench, url)?;
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::sign_in(&server)?);
    }
    let (mut floors, mut rates, mut ratios, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    refresh(&mut clients, WARM_UP)?;
    for round in 1..=bench.rounds {
        let bare = floor.run(bench.round)?;
        let answered = refresh(&mut clients, bench.round)?;
        let full = rate(u32::try_from(answered.len())?, bench.round);
        note(format_args!("round {round} of {}: floor {bare:.0}/s, refreshes {full:.0}/s", bench.rounds));
        floors.push(bare);
        rates.push(full);
        ratios.push(ratio(full, bare));
        times.extend(answered);
    }
    server.stop()?;
    times.sort_unstable();
    let middle = median(ratios);
    Ok(vec![Row {
        path: "POST /auth/refresh, PostgreSQL",
        floor: format!("{:.0}/s", median(floors)),
        product: format!("{:.0}/s", median(rates)),
        ratio: Some(middle),
        p50: Some(percentile(&times, 500)),
        p99: Some(percentile(&times, 990)),
        bar: "≥ 0.60",
        met: Some(middle >= 0.60),
        remark: format!(
            "{CONNECTIONS} connections, a session each; the floor is pgbench -M prepared with the update alone"
        ),
    }])
}

/// The bare update.
struct Floor<'a> {
    pgbench: &'a std::path::Path,
    url: &'a str,
    scripts: TempDir,
}

impl<'a> Floor<'a> {
    fn new(pgbench: &'a std::path::Path, url: &'a str) -> anyhow::Result<Self> {
        let floor = Self { pgbench, url, scripts: tempfile::tempdir().context("no temporary folder")? };
        fs::write(floor.scripts.path().join("rows"), ROWS)?;
        fs::write(floor.scripts.path().join("update"), UPDATE)?;
        floor.pgbench("rows", &["-c", "1", "-t", "1"])?;
        floor.run(WARM_UP)?;
        Ok(floor)
    }

    /// Updates a second.
    fn run(&self, duration: Duration) -> anyhow::Result<f64> {
        let (clients, seconds) = (CONNECTIONS.to_string(), duration.as_secs().max(1).to_string());
        let output = self.pgbench("update", &["-M", "prepared", "-c", &clients, "-T", &seconds])?;
        let rate = output.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rate| rate.split_whitespace().next()).context("pgbench named no rate")?;
        rate.parse().context("pgbench named no rate")
    }

    fn pgbench(&self, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let script = self.scripts.path().join(script);
        let mut command = Command::new(self.pgbench);
        command.arg("-n").args(arguments).arg("-f").arg(script).arg(self.url).stdin(Stdio::null());
        let output = command.output().context("cannot run pgbench")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {}", complaint.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// One device, and the newest refresh token of its session.
struct Client {
    address: SocketAddr,
    refresh_token: String,
}

/// Every client refreshes one token after the other; the time of each answer.
fn refresh(clients: &mut [Client], duration: Duration) -> anyhow::Result<Vec<Duration>> {
    let end = now() + duration;
    thread::scope(|scope| {
        let running: Vec<_> = clients.iter_mut().map(|client| scope.spawn(move || client.refresh_until(end))).collect();
        let mut times = Vec::new();
        for client in running {
            times.extend(client.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        Ok(times)
    })
}

impl Client {
    fn sign_in(server: &Server) -> anyhow::Result<Self> {
        let (status, body) = server.ask(&requests::login(server.address, requests::CREDENTIALS))?;
        ensure!(status == 200, "the log-in was answered {status}");
        Ok(Self { address: server.address, refresh_token: token_in(&body)? })
    }

    fn refresh_until(&mut self, end: std::time::Instant) -> anyhow::Result<Vec<Duration>> {
        // A new one for each round: the server closes what is idle while the floor runs.
        let mut stream = TcpStream::connect(self.address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        let mut times = Vec::new();
        loop {
            let began = now();
            stream.write_all(&requests::refresh(self.address, &self.refresh_token))?;
            let (status, body) = reply::read(&mut stream)?;
            ensure!(status == 200, "a refresh was answered {status}");
            self.refresh_token = token_in(&body)?;
            let answered = now();
            if answered >= end {
                return Ok(times);
            }
            times.push(answered - began);
        }
    }
}

/// The refresh token of a log-in or of a refresh.
pub(crate) fn token_in(body: &[u8]) -> anyhow::Result<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).context("the answer is not JSON")?;
    let token = answer.get("refresh_token").and_then(serde_json::Value::as_str);
    Ok(token.context("no refresh token")?.to_owned())
}
