//! What row-level security costs whole requests: the same server on the same database, with the policies of its tables
//! switched off and on again between rounds. Everything else, such as naming the organization to each transaction, stays.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::figures::{median, percentile, rate, ratio};
use crate::load::{self, Plan};
use crate::report::Row;
use crate::server::Server;
use crate::{Bench, lists, note, requests};

const CONNECTIONS: u32 = 8;
const WARM_UP: Duration = Duration::from_secs(1);
const ORGANIZATIONS: u32 = 100;
const CUSTOMERS: u32 = 100;
const BAR: f64 = 0.90;

/// Every table that has policies; they stay forced, so that switching on restores what was.
const SWITCH: &str = "DO $$ DECLARE a regclass; BEGIN FOR a IN SELECT oid FROM pg_class WHERE relforcerowsecurity LOOP \
    EXECUTE format('ALTER TABLE %s {} ROW LEVEL SECURITY', a); END LOOP; END $$;\n";

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let Some((url, pgbench)) = &bench.postgres else {
        note(format_args!("no PostgreSQL with pgbench: the rows of row-level security are left out"));
        return Ok(Vec::new());
    };
    let product = bench.prepare_on(url)?;
    product.fill(ORGANIZATIONS, CUSTOMERS)?;
    let server = product.serve(&[])?;
    let token = lists::token(&server)?;
    let paths = [
        ("walls: GET /auth/me, PostgreSQL", "/auth/me"),
        ("walls: customers, list", "/api/v1/customers"),
        ("walls: customers, search", "/api/v1/customers?search=coffee"),
        ("walls: users, list", "/api/v1/users"),
    ];
    let mut rows = Vec::new();
    for (name, path) in paths {
        rows.push(compare(bench, &server, (name, path), &token, |walls| switch(pgbench, url, walls))?);
    }
    server.stop()?;
    Ok(rows)
}

fn compare(
    bench: &Bench,
    server: &Server,
    (name, path): (&'static str, &str),
    token: &str,
    switch: impl Fn(bool) -> anyhow::Result<()>,
) -> anyhow::Result<Row> {
    let run = |duration| {
        let request = requests::get(server.address, path, Some(token));
        let plan = Plan {
            target: server.address,
            request,
            connections: CONNECTIONS,
            interval: None,
            duration,
            strangers: false,
        };
        load::run(&plan)?.all_ok()
    };
    let (mut without, mut with, mut ratios, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.rounds {
        let mut rates = [0.0; 2];
        for (walls, of_round) in [false, true].into_iter().zip(&mut rates) {
            switch(walls)?;
            run(WARM_UP)?;
            let report = run(bench.round)?;
            *of_round = rate(report.ok(), bench.round);
            if walls {
                times.extend(report.times);
            }
        }
        let [bare, walled] = rates;
        note(format_args!("{path}, round {round} of {}: without {bare:.0}/s, with {walled:.0}/s", bench.rounds));
        without.push(bare);
        with.push(walled);
        ratios.push(ratio(walled, bare));
    }
    times.sort_unstable();
    let middle = median(ratios);
    Ok(Row {
        path: name,
        floor: format!("{:.0}/s", median(without)),
        product: format!("{:.0}/s", median(with)),
        ratio: Some(middle),
        p50: Some(percentile(&times, 500)),
        p99: Some(percentile(&times, 990)),
        bar: "≥ 0.90",
        met: Some(middle >= BAR),
        remark: format!("{CONNECTIONS} connections; the floor is the same server while the policies are switched off"),
    })
}

fn switch(pgbench: &Path, url: &str, walls: bool) -> anyhow::Result<()> {
    let script = tempfile::NamedTempFile::new().context("no temporary file")?;
    fs::write(script.path(), SWITCH.replace("{}", if walls { "ENABLE" } else { "DISABLE" }))?;
    let mut command = Command::new(pgbench);
    command.args(["-n", "-c", "1", "-t", "1", "-f"]).arg(script.path()).arg(url).stdin(Stdio::null());
    let output = command.output().context("cannot run pgbench")?;
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
