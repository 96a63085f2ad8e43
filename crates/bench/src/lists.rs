//! List and search of one organization's ten customers while the table holds ten rows and while it holds 200,000: what the
//! others have must not show.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::figures::{micros, percentile, ratio};
use crate::load::{self, Plan};
use crate::report::Row;
use crate::server::{Product, Server};
use crate::{Bench, note, requests};

/// Few enough that the time of an answer is measured, and not that of a queue.
const CONNECTIONS: u32 = 2;
const WARM_UP: Duration = Duration::from_secs(1);
/// The organization that asks, and its customers.
const OWN: u32 = 10;
const ORGANIZATIONS: u32 = 1001;
const CUSTOMERS: u32 = 200;
const OWNER: &str = r#"{"email":"u1.o1.s1@example.com","password":"123456"}"#;
const BAR: f64 = 2.0;

/// Both engines, if there is a PostgreSQL.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let names = ["customers, list, SQLite", "customers, search, SQLite"];
    let mut rows = rows(bench, &bench.prepare()?, names)?;
    match &bench.postgres {
        Some((url, _)) => {
            let names = ["customers, list, PostgreSQL", "customers, search, PostgreSQL"];
            rows.extend(self::rows(bench, &bench.prepare_on(url)?, names)?);
        }
        None => note(format_args!("no PostgreSQL: lists are measured on SQLite alone")),
    }
    Ok(rows)
}

fn rows(bench: &Bench, product: &Product, names: [&'static str; 2]) -> anyhow::Result<Vec<Row>> {
    product.fill(1, OWN)?;
    let small = measured(bench, product)?;
    note(format_args!(
        "writing {} customers of {} other organizations",
        (ORGANIZATIONS - 1) * CUSTOMERS,
        ORGANIZATIONS - 1
    ));
    // The organization that asks is there and stays as it is.
    product.fill(ORGANIZATIONS, CUSTOMERS)?;
    let large = measured(bench, product)?;
    Ok(names.into_iter().zip(small.into_iter().zip(large)).map(|(path, (few, many))| row(path, &few, &many)).collect())
}

fn row(path: &'static str, few: &[Duration], many: &[Duration]) -> Row {
    let at = |times: &[Duration], per_mille| format!("{:.0} µs", micros(percentile(times, per_mille)));
    let slower = ratio(micros(percentile(many, 990)), micros(percentile(few, 990)));
    Row {
        path,
        floor: at(few, 990),
        product: at(many, 990),
        ratio: Some(slower),
        p50: Some(percentile(many, 500)),
        p99: Some(percentile(many, 990)),
        bar: "≤ 2.00",
        met: Some(slower <= BAR),
        remark: format!(
            "floor and product are the p99 with {OWN} and with {} rows in the table; p50 {} and {}; {CONNECTIONS} connections",
            OWN + (ORGANIZATIONS - 1) * CUSTOMERS,
            at(few, 500),
            at(many, 500)
        ),
    }
}

/// The sorted times of lists and of searches, in alternating rounds.
fn measured(bench: &Bench, product: &Product) -> anyhow::Result<[Vec<Duration>; 2]> {
    let server = product.serve(&[])?;
    let token = token(&server)?;
    let paths = ["/api/v1/customers", "/api/v1/customers?search=coffee"];
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=bench.rounds {
        for (path, times) in paths.iter().zip(&mut times) {
            let plan = Plan {
                target: server.address,
                request: requests::get(server.address, path, Some(&token)),
                connections: CONNECTIONS,
                interval: None,
                duration: if round == 0 { WARM_UP } else { bench.round },
                strangers: false,
            };
            let report = load::run(&plan)?.all_ok()?;
            // The first round is there to warm up.
            if round > 0 {
                times.extend(report.times);
            }
        }
        note(format_args!("round {round} of {}", bench.rounds));
    }
    server.stop()?;
    for times in &mut times {
        times.sort_unstable();
    }
    Ok(times)
}

/// An access token of the first organization's owner.
pub(crate) fn token(server: &Server) -> anyhow::Result<String> {
    let (status, body) = server.ask(&requests::login(server.address, OWNER))?;
    ensure!(status == 200, "the log-in was answered {status}");
    let answer: serde_json::Value = serde_json::from_slice(&body).context("the log-in answer is not JSON")?;
    answer.get("access_token").and_then(serde_json::Value::as_str).map(str::to_owned).context("no access token")
}
