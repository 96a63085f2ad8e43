//! Requests a second of a path of the product against a bare server with the same answer.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::figures::{median, micros, percentile, rate, ratio};
use crate::load::{self, Plan, Report};
use crate::report::Row;
use crate::server::Server;
use crate::{Bench, note, requests};

const CONNECTIONS: u32 = 64;
const WARM_UP: Duration = Duration::from_secs(1);

/// `GET /health` with the access log on stdout, and with the log file or metrics besides.
pub(crate) fn health(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let product = bench.prepare()?;
    let mut rows = Vec::new();
    let server = product.serve(&[])?;
    let measured = compare(bench, &server, |at| requests::get(at, "/health", None))?;
    rows.push(measured.row("GET /health", "≥ 0.42", Some(0.42)));
    server.stop()?;
    let server = product.serve(&[("BACKEND_LOG_FILE", &product.log_file())])?;
    let measured = compare(bench, &server, |at| requests::get(at, "/health", None))?;
    rows.push(measured.row("GET /health, log file as well", "", None));
    server.stop()?;
    // Port 0: nobody asks for the figures, which are counted all the same.
    let server = product.serve(&[("BACKEND_METRICS_ADDR", "127.0.0.1:0")])?;
    let measured = compare(bench, &server, |at| requests::get(at, "/health", None))?;
    rows.push(measured.row("GET /health, metrics as well", "≥ 0.42", Some(0.42)));
    server.stop()?;
    Ok(rows)
}

/// `GET /auth/me` with one token, its principal cached.
pub(crate) fn me(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let product = bench.prepare()?;
    let server = product.serve(&[])?;
    let (status, body) = server.ask(&requests::login(server.address, requests::CREDENTIALS))?;
    ensure!(status == 200, "the log-in was answered {status}");
    let answer: serde_json::Value = serde_json::from_slice(&body).context("the log-in answer is not JSON")?;
    let token = answer.get("access_token").and_then(serde_json::Value::as_str).context("no access token")?;
    let measured = compare(bench, &server, |at| requests::get(at, "/auth/me", Some(token)))?;
    let row = measured.row("GET /auth/me", "≥ 0.30", Some(0.30));
    server.stop()?;
    Ok(vec![row])
}

/// Alternating rounds of floor and product.
#[derive(Default)]
struct Measured {
    floor: Vec<f64>,
    product: Vec<f64>,
    times: Vec<Duration>,
    floor_cost: Cost,
    product_cost: Cost,
}

/// Processor time of a server over all rounds. Unlike rates it hardly suffers from other work on the machine.
#[derive(Default)]
struct Cost {
    used: Duration,
    answers: u32,
}

impl Cost {
    /// The report of `work`, whose cost for `server` is added.
    fn of(&mut self, server: &Server, work: impl FnOnce() -> anyhow::Result<Report>) -> anyhow::Result<Report> {
        let before = server.processor_time()?;
        let report = work()?;
        self.used += server.processor_time()?.saturating_sub(before);
        self.answers = self.answers.saturating_add(report.ok());
        Ok(report)
    }

    fn micros_each(&self) -> f64 {
        ratio(micros(self.used), f64::from(self.answers))
    }
}

fn compare(
    bench: &Bench,
    product: &Server,
    request: impl Fn(std::net::SocketAddr) -> Vec<u8>,
) -> anyhow::Result<Measured> {
    let request = request(product.address);
    let (status, body) = product.ask(&request)?;
    ensure!(status == 200, "the first request was answered {status}");
    let floor = bench.bare(&body)?;
    let plan = |server: &Server, duration| Plan {
        target: server.address,
        request: request.clone(),
        connections: CONNECTIONS,
        interval: None,
        duration,
        strangers: false,
    };
    for server in [&floor, product] {
        load::run(&plan(server, WARM_UP))?.all_ok()?;
    }
    let mut measured = Measured::default();
    for round in 1..=bench.rounds {
        let bare = measured.floor_cost.of(&floor, || load::run(&plan(&floor, bench.round))?.all_ok())?;
        let full = measured.product_cost.of(product, || load::run(&plan(product, bench.round))?.all_ok())?;
        let (floor, product) = (rate(bare.ok(), bench.round), rate(full.ok(), bench.round));
        note(format_args!("round {round} of {}: floor {floor:.0}/s, product {product:.0}/s", bench.rounds));
        measured.floor.push(floor);
        measured.product.push(product);
        measured.times.extend(full.times);
    }
    measured.times.sort_unstable();
    Ok(measured)
}

impl Measured {
    fn row(self, path: &'static str, bar: &'static str, least: Option<f64>) -> Row {
        let ratios = self.floor.iter().zip(&self.product).map(|(floor, product)| ratio(*product, *floor)).collect();
        let middle = median(ratios);
        let (floor_cost, product_cost) = (self.floor_cost.micros_each(), self.product_cost.micros_each());
        Row {
            path,
            floor: format!("{:.0}/s", median(self.floor)),
            product: format!("{:.0}/s", median(self.product)),
            ratio: Some(middle),
            p50: Some(percentile(&self.times, 500)),
            p99: Some(percentile(&self.times, 990)),
            bar,
            met: least.map(|least| middle >= least),
            remark: format!(
                "{CONNECTIONS} connections; processor time of a request: floor {floor_cost:.1} µs, product {product_cost:.1} µs, \
                 ratio {:.2}",
                ratio(floor_cost, product_cost)
            ),
        }
    }
}
