//! From the start of the process to its first 200, on an existing database.

use std::time::Duration;

use crate::figures::{millis, percentile};
use crate::report::Row;
use crate::{Bench, note};

const BAR: Duration = Duration::from_millis(200);

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    note(format_args!("starting {} times", bench.starts));
    let product = bench.prepare()?;
    let mut times = Vec::new();
    for _ in 0..bench.starts {
        let server = product.serve(&[])?;
        times.push(server.started_in);
        server.stop()?;
    }
    times.sort_unstable();
    let middle = percentile(&times, 500);
    Ok(vec![Row {
        path: "start to first 200",
        floor: "-".to_owned(),
        product: format!("{:.0} ms", millis(middle)),
        p50: Some(middle),
        p99: Some(percentile(&times, 990)),
        bar: "≤ 200 ms",
        met: Some(middle <= BAR),
        remark: format!("median of {} starts on an existing SQLite file", bench.starts),
        ..Row::default()
    }])
}
