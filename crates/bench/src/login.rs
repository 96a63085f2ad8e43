//! Log-ins a second against a bare loop of the same hash on as many threads.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::figures::{median, percentile, rate, ratio};
use crate::load::{self, Plan, Report};
use crate::report::Row;
use crate::server::Server;
use crate::{BCRYPT_COST, Bench, note, requests};

/// A log-in takes a third of a second: short rounds would count too few.
pub(crate) const ROUND: Duration = Duration::from_secs(12);

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let product = bench.prepare()?;
    let server = product.serve(&[])?;
    let (mut floors, mut rates, mut ratios, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.rounds {
        let floor = bare(bench, ROUND)?;
        let report = saturated(bench, &server, ROUND)?;
        let full = steady_rate(&report)?;
        note(format_args!("round {round} of {}: floor {floor:.2}/s, log-ins {full:.2}/s", bench.rounds));
        floors.push(floor);
        rates.push(full);
        ratios.push(ratio(full, floor));
        times.extend(report.times);
    }
    server.stop()?;
    times.sort_unstable();
    let middle = median(ratios);
    Ok(vec![Row {
        path: "POST /auth/login",
        floor: format!("{:.2}/s", median(floors)),
        product: format!("{:.2}/s", median(rates)),
        ratio: Some(middle),
        p50: Some(percentile(&times, 500)),
        p99: Some(percentile(&times, 990)),
        bar: "≥ 0.90",
        met: Some(middle >= 0.90),
        remark: format!(
            "bcrypt cost {BCRYPT_COST} on {} thread(s), two log-ins under way for each",
            bench.hash_threads
        ),
    }])
}

/// Hashes a second of the bare loop.
pub(crate) fn bare(bench: &Bench, limit: Duration) -> anyhow::Result<f64> {
    let arguments = [bench.hash_threads.to_string(), BCRYPT_COST.to_string(), limit.as_secs().to_string()];
    let output =
        bench.cores.server(&bench.floor).arg("hash").args(arguments).output().context("cannot run the floor")?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("the floor named no rate")
}

/// Enough log-ins to keep every hashing thread busy, and no more.
fn saturated(bench: &Bench, server: &Server, duration: Duration) -> anyhow::Result<Report> {
    let connections = u32::try_from(bench.hash_threads)?.saturating_mul(2);
    let request = requests::login(server.address, requests::CREDENTIALS);
    load::run(&Plan { target: server.address, request, connections, interval: None, duration, strangers: false })?
        .all_ok()
}

/// Between the first and the last answer, so that neither the first wait nor what is cut off at the end counts.
pub(crate) fn steady_rate(report: &Report) -> anyhow::Result<f64> {
    let (first, last) = report.first.zip(report.last).context("no log-in was answered")?;
    ensure!(report.ok() > 1, "too few log-ins in a round");
    Ok(rate(report.ok() - 1, last - first))
}
