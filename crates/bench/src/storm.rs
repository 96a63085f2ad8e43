//! What health checks feel of ten times more log-ins than the hashing threads can do.

use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::figures::{interval, median, percentile, ratio};
use crate::load::{self, Plan, Report};
use crate::report::Row;
use crate::server::Server;
use crate::{Bench, login, note, requests};

const STRANGERS: u32 = 200;
const TIMES_CAPACITY: u32 = 10;
const PROBES: u32 = 4;
const PROBE_EVERY: Duration = Duration::from_millis(5);
/// The queue fills before anything is measured.
const LEAD: Duration = Duration::from_secs(2);

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let product = bench.prepare()?;
    let server = product.serve(&[])?;
    let capacity = login::bare(bench, LEAD)?;
    let pace = interval(STRANGERS, capacity) / TIMES_CAPACITY;
    let (mut idle, mut stormy, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut times, mut answers) = (Vec::new(), Report::default());
    probe(&server, LEAD)?;
    for round in 1..=bench.rounds {
        let calm = percentile(&probe(&server, bench.round)?.times, 990);
        let (probed, refused) = storm(&server, pace, bench.round)?;
        let rough = percentile(&probed.times, 990);
        note(format_args!("round {round} of {}: p99 idle {calm:?}, in the storm {rough:?}", bench.rounds));
        idle.push(calm);
        stormy.push(rough);
        ratios.push(ratio(rough.as_secs_f64(), calm.as_secs_f64()));
        times.extend(probed.times);
        answers.slowest = answers.slowest.max(refused.slowest);
        for (status, count) in refused.statuses {
            *answers.statuses.entry(status).or_default() += count;
        }
    }
    server.stop()?;
    let clean = answers.statuses.keys().all(|status| [200, 429, 503].contains(status));
    ensure!(clean, "a log-in in the storm was neither done nor refused: {:?}", answers.statuses);
    times.sort_unstable();
    let middle = median(ratios);
    Ok(vec![Row {
        path: "GET /health p99 in a login storm",
        floor: in_millis(&idle),
        product: in_millis(&stormy),
        ratio: Some(middle),
        p50: Some(percentile(&times, 500)),
        p99: Some(percentile(&times, 990)),
        bar: "≤ 2.00",
        met: Some(middle <= 2.0),
        remark: format!(
            "floor is the p99 without a storm; {TIMES_CAPACITY} x {capacity:.1} log-ins/s were answered {:?}, the slowest in {:?}",
            answers.statuses, answers.slowest
        ),
    }])
}

fn storm(server: &Server, pace: Duration, duration: Duration) -> anyhow::Result<(Report, Report)> {
    let plan = Plan {
        target: server.address,
        request: requests::login(server.address, requests::CREDENTIALS),
        connections: STRANGERS,
        interval: Some(pace),
        duration: LEAD + duration,
        strangers: true,
    };
    let storm = std::thread::spawn(move || load::run(&plan));
    std::thread::sleep(LEAD);
    let probed = probe(server, duration)?;
    let refused = storm.join().map_err(|_| anyhow!("the storm's thread panicked"))??;
    Ok((probed, refused))
}

fn probe(server: &Server, duration: Duration) -> anyhow::Result<Report> {
    let request = requests::get(server.address, "/health", None);
    let interval = Some(PROBE_EVERY);
    load::run(&Plan { target: server.address, request, connections: PROBES, interval, duration, strangers: false })?
        .all_ok()
}

fn in_millis(times: &[Duration]) -> String {
    format!("{:.2} ms", median(times.iter().map(|time| crate::figures::millis(*time)).collect()))
}
