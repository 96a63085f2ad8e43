//! Resident memory, idle and after a great many distinct client addresses.

use anyhow::ensure;

use crate::figures::megabytes;
use crate::report::Row;
use crate::{Bench, flood, note, requests};

const IDLE_BAR: f64 = 40.0;
const FLOOD_BAR: f64 = 150.0;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let product = bench.prepare()?;
    // A window longer than the row, so that no address is forgotten because its time is up.
    let settings = [
        ("BACKEND_RATE_LIMIT_ENABLED", "true"),
        ("BACKEND_RATE_LIMIT_WINDOW", "3600"),
        ("BACKEND_TRUSTED_PROXIES", "127.0.0.1/32"),
    ];
    let server = product.serve(&settings)?;
    let (status, _) = server.ask(&requests::login(server.address, requests::CREDENTIALS))?;
    ensure!(status == 200, "the log-in was answered {status}");
    let (idle, _) = server.memory()?;
    note(format_args!("{} distinct client addresses", bench.addresses));
    flood::run(server.address, bench.addresses, |done| note(format_args!("{done} addresses seen")))?;
    let (after, peak) = server.memory()?;
    server.stop()?;
    Ok(vec![
        row("memory idle", idle, "≤ 40 MB", IDLE_BAR, "resident, after one log-in on SQLite".to_owned()),
        row(
            "memory after many client addresses",
            after,
            "≤ 150 MB",
            FLOOD_BAR,
            format!("{} addresses; at most {:.0} MB meanwhile", bench.addresses, megabytes(peak)),
        ),
    ])
}

fn row(path: &'static str, size: u32, bar: &'static str, most: f64, remark: String) -> Row {
    Row {
        path,
        floor: "-".to_owned(),
        product: format!("{:.1} MB", megabytes(size)),
        bar,
        met: Some(megabytes(size) <= most),
        remark,
        ..Row::default()
    }
}
