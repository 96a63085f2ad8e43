//! The table.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;

use crate::figures::millis;

/// One measured path.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) path: &'static str,
    pub(crate) floor: String,
    pub(crate) product: String,
    pub(crate) ratio: Option<f64>,
    pub(crate) p50: Option<Duration>,
    pub(crate) p99: Option<Duration>,
    pub(crate) bar: &'static str,
    /// `None` for a row that has no bar.
    pub(crate) met: Option<bool>,
    /// What a reader needs to judge the figures.
    pub(crate) remark: String,
}

/// True when every bar was met.
pub(crate) fn print(rows: &[Row]) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    let mut lines = vec![format!(
        "{:<38} {:>12} {:>12} {:>6} {:>9} {:>9}  {:<10} {}",
        "path", "floor", "product", "ratio", "p50 ms", "p99 ms", "bar", "met"
    )];
    for row in rows {
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let time = |time: Option<Duration>| time.map_or_else(|| "-".to_owned(), |time| format!("{:.2}", millis(time)));
        let met = row.met.map_or("-", |met| if met { "yes" } else { "NO" });
        lines.push(format!(
            "{:<38} {:>12} {:>12} {ratio:>6} {:>9} {:>9}  {:<10} {met}",
            row.path,
            row.floor,
            row.product,
            time(row.p50),
            time(row.p99),
            row.bar
        ));
    }
    lines.push(String::new());
    let remarks = rows.iter().filter(|row| !row.remark.is_empty());
    lines.extend(remarks.map(|row| format!("{}: {}", row.path, row.remark)));
    let bars = rows.iter().filter_map(|row| row.met);
    let (all, met) = (bars.clone().count(), bars.filter(|met| *met).count());
    lines.push(format!("{met} of {all} bars met"));
    writeln!(out, "\n{}", lines.join("\n")).context("nobody reads the table")?;
    Ok(met == all)
}
