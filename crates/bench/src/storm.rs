//! What health checks, the hashing threads and memory feel of ten times more log-ins than can be done.

use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};

use crate::figures::{interval, median, megabytes, percentile, ratio};
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

/// What the rounds gave.
#[derive(Default)]
struct Rounds {
    idle: Vec<Duration>,
    stormy: Vec<Duration>,
    ratios: Vec<f64>,
    times: Vec<Duration>,
    floors: Vec<f64>,
    rates: Vec<f64>,
    kept: Vec<f64>,
    memory: Vec<u32>,
    answers: Report,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let product = bench.prepare()?;
    let server = product.serve(&[])?;
    let capacity = login::bare(bench, LEAD)?;
    let pace = interval(STRANGERS, capacity) / TIMES_CAPACITY;
    let mut rounds = Rounds::default();
    probe(&server, LEAD)?;
    for round in 1..=bench.rounds {
        let said = rounds.add(bench, &server, pace)?;
        note(format_args!("round {round} of {}: {said}", bench.rounds));
    }
    let peak = server.memory()?.1;
    server.stop()?;
    let clean = rounds.answers.statuses.keys().all(|status| [200, 429, 503].contains(status));
    ensure!(clean, "a log-in in the storm was neither done nor refused: {:?}", rounds.answers.statuses);
    rounds.rows(capacity, peak)
}

impl Rounds {
    fn add(&mut self, bench: &Bench, server: &Server, pace: Duration) -> anyhow::Result<String> {
        let calm = percentile(&probe(server, bench.round)?.times, 990);
        let floor = login::bare(bench, login::ROUND)?;
        let (probed, answered) = storm(server, pace, login::ROUND)?;
        let rough = percentile(&probed.times, 990);
        let done = login::steady_rate(&answered)?;
        self.idle.push(calm);
        self.stormy.push(rough);
        self.ratios.push(ratio(rough.as_secs_f64(), calm.as_secs_f64()));
        self.times.extend(probed.times);
        self.floors.push(floor);
        self.rates.push(done);
        self.kept.push(ratio(done, floor));
        self.memory.push(server.memory()?.0);
        self.answers.slowest = self.answers.slowest.max(answered.slowest);
        for (status, count) in answered.statuses {
            *self.answers.statuses.entry(status).or_default() += count;
        }
        Ok(format!("p99 idle {calm:?}, in the storm {rough:?}; {floor:.2} hashes/s bare, {done:.2} log-ins/s"))
    }

    fn rows(mut self, capacity: f64, peak: u32) -> anyhow::Result<Vec<Row>> {
        self.times.sort_unstable();
        let (slower, throughput) = (median(self.ratios), median(self.kept));
        let (first, last) = self.memory.first().zip(self.memory.last()).context("no round was run")?;
        let grown = ratio(f64::from(*last), f64::from(*first));
        let Report { statuses, slowest, .. } = self.answers;
        let health = Row {
            path: "GET /health p99 in a login storm",
            floor: in_millis(&self.idle),
            product: in_millis(&self.stormy),
            ratio: Some(slower),
            p50: Some(percentile(&self.times, 500)),
            p99: Some(percentile(&self.times, 990)),
            bar: "≤ 2.00",
            met: Some(slower <= 2.0),
            remark: format!(
                "floor is the p99 without a storm; {TIMES_CAPACITY} x {capacity:.1} log-ins/s were answered {statuses:?}, the slowest in {slowest:?}"
            ),
        };
        let hashing = Row {
            path: "log-ins in that storm",
            floor: format!("{:.2}/s", median(self.floors)),
            product: format!("{:.2}/s", median(self.rates)),
            ratio: Some(throughput),
            bar: "≥ 0.85",
            met: Some(throughput >= 0.85),
            remark: "floor is a bare loop of the same hash; log-ins from the first to the last success".to_owned(),
            ..Row::default()
        };
        let memory = Row {
            path: "memory in that storm",
            floor: format!("{:.1} MB", megabytes(*first)),
            product: format!("{:.1} MB", megabytes(*last)),
            ratio: Some(grown),
            bar: "≤ 1.10",
            met: Some(grown <= 1.1),
            remark: format!("after the first round and after the last; at most {:.1} MB", megabytes(peak)),
            ..Row::default()
        };
        Ok(vec![health, hashing, memory])
    }
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
