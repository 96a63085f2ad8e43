//! The tables in markdown, with the figures of all sizes in each cell.
#![expect(clippy::float_arithmetic, reason = "figures of a report, never money")]

use std::io::Write as _;

use anyhow::Context as _;

use super::Step;
use super::routes::Sample;
use crate::figures::{megabytes, millis, percentile, ratio};
use crate::report::Row;

pub(super) fn print(engine: &str, log_in: &Sample, steps: &[Step]) -> anyhow::Result<()> {
    let mut lines = vec![
        format!("\n### {engine}\n"),
        format!("Organizations: {}\n", joined(steps.iter().map(|step| thousands(step.organizations)))),
        "| Route | Server | PostgreSQL | Log | p50 | p99 |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
        line(&[log_in]),
    ];
    let mut routes: Vec<_> = steps.iter().flat_map(|step| &step.samples).map(|sample| sample.route).collect();
    routes.sort_by_key(|route| super::routes::STEADY.iter().position(|known| known == route));
    routes.dedup();
    for route in routes {
        let of_step = |step: &'_ Step| step.samples.iter().position(|sample| sample.route == route);
        let samples: Vec<_> = steps.iter().filter_map(|step| step.samples.get(of_step(step)?)).collect();
        lines.push(line(&samples));
    }
    lines.push(String::new());
    lines.push("| Organizations | Written | in | Database | of one organization | Memory of the server |".to_owned());
    lines.push("|---|---|---|---|---|---|".to_owned());
    lines.extend(steps.iter().map(grown));
    writeln!(std::io::stdout().lock(), "{}", lines.join("\n")).context("nobody reads the table")
}

fn line(samples: &[&Sample]) -> String {
    let name = samples.first().map_or("", |sample| sample.route.name());
    let all = |of: &dyn Fn(&Sample) -> String| joined(samples.iter().map(|sample| of(sample)));
    let time = |per_mille| all(&|sample| format!("{:.2}", millis(percentile(&sample.times, per_mille))));
    let or_none = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.0}"));
    format!(
        "| {name} | {} µs | {} µs | {} B | {} ms | {} ms |",
        all(&|sample| format!("{:.0}", sample.server_micros())),
        all(&|sample| or_none(sample.database_micros())),
        all(&|sample| or_none(sample.log_bytes())),
        time(500),
        time(990)
    )
}

fn grown(step: &Step) -> String {
    let (size, before) = step.size;
    let (took, written) = step.seeded;
    format!(
        "| {} | {} | {:.1} s | {:.1} MB | {:.1} kB | {:.1} MB |",
        thousands(step.organizations),
        thousands(written),
        took.as_secs_f64(),
        size / 1_000_000.0,
        (size - before) / f64::from(written.max(1)) / 1000.0,
        megabytes(step.memory)
    )
}

/// Processor time of a request among few and among many organizations.
pub(super) fn growth(path: &'static str, few: f64, many: f64, bar: f64) -> Row {
    let slower = ratio(many, few);
    Row {
        path,
        floor: format!("{few:.0} µs"),
        product: format!("{many:.0} µs"),
        ratio: Some(slower),
        bar: "≤ 2.00",
        met: Some(slower <= bar),
        remark: "processor time of server and database with the fewest and with the most organizations".to_owned(),
        ..Row::default()
    }
}

fn joined(figures: impl Iterator<Item = String>) -> String {
    figures.collect::<Vec<_>>().join(" / ")
}

fn thousands(number: u32) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
