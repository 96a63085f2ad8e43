//! The database under the product: how large it is, and what it and the server use of the processors meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::server::Server;

/// Where the rows lie.
#[derive(Debug)]
pub(super) enum Database {
    /// The folder of an embedded one, which uses the server's own time.
    Embedded(PathBuf),
    /// A PostgreSQL on this machine: its URL, the path of `psql`, and the process that started all others of it.
    Server { url: String, psql: PathBuf, postmaster: u32 },
}

impl Database {
    pub(super) fn server(url: &str, psql: &Path) -> anyhow::Result<Self> {
        let folder = ask(psql, url, &["SHOW data_directory"])?;
        let text = fs::read_to_string(Path::new(&folder).join("postmaster.pid"))
            .context("PostgreSQL does not run on this machine, or its folder may not be read")?;
        let postmaster = text.lines().next().unwrap_or_default().trim().parse().context("no process of PostgreSQL")?;
        Ok(Self::Server { url: url.to_owned(), psql: psql.to_owned(), postmaster })
    }

    /// Bytes, with indexes.
    pub(super) fn size(&self) -> anyhow::Result<f64> {
        match self {
            Self::Embedded(folder) => {
                let files = fs::read_dir(folder).context("no folder of the database")?;
                let sizes = files.map(|file| Ok(file?.metadata()?.len()));
                let bytes: u64 = sizes.sum::<std::io::Result<u64>>()?;
                number(&bytes.to_string())
            }
            Self::Server { url, psql, .. } => {
                number(&ask(psql, url, &["SELECT pg_database_size(current_database())"])?)
            }
        }
    }

    /// Does now what PostgreSQL does of its own after many rows were written, so that it does not come between.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        if let Self::Server { url, psql, .. } = self {
            ask(psql, url, &["VACUUM ANALYZE", "CHECKPOINT"])?;
        }
        Ok(())
    }

    fn log(&self) -> anyhow::Result<Option<f64>> {
        match self {
            Self::Embedded(_) => Ok(None),
            Self::Server { url, psql, .. } => {
                number(&ask(psql, url, &["SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"])?).map(Some)
            }
        }
    }

    /// What each of its processes has used.
    fn processes(&self) -> anyhow::Result<BTreeMap<u32, Duration>> {
        let Self::Server { postmaster, .. } = self else { return Ok(BTreeMap::new()) };
        let mut used = BTreeMap::new();
        for entry in fs::read_dir("/proc").context("this system tells no processes")? {
            let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            // One may end while it is looked at.
            if let (Some(parent), Some(time)) = (parent(process), processor_time(process))
                && parent == *postmaster
            {
                used.insert(process, time);
            }
        }
        Ok(used)
    }
}

/// What was used between two looks.
pub(super) struct Used {
    pub(super) server: Duration,
    pub(super) database: Option<Duration>,
    pub(super) log: Option<f64>,
}

/// One look at what has been used.
pub(super) struct Reading {
    log: Option<f64>,
    server: Duration,
    database: BTreeMap<u32, Duration>,
}

impl Reading {
    pub(super) fn of(server: &Server, database: &Database) -> anyhow::Result<Self> {
        // Asking uses time of PostgreSQL, so it is done outside what is counted.
        let log = database.log()?;
        Ok(Self { log, database: database.processes()?, server: time_of(server)? })
    }

    #[expect(clippy::float_arithmetic, reason = "bytes of a report, never money")]
    pub(super) fn until(self, server: &Server, database: &Database) -> anyhow::Result<Used> {
        let (end, processes) = (time_of(server)?, database.processes()?);
        let log = database.log()?;
        let since =
            |process, time: &Duration| time.saturating_sub(self.database.get(process).copied().unwrap_or_default());
        let total = processes.iter().map(|(process, time)| since(process, time)).sum();
        Ok(Used {
            server: end.saturating_sub(self.server),
            database: matches!(database, Database::Server { .. }).then_some(total),
            log: log.zip(self.log).map(|(end, begin)| end - begin),
        })
    }
}

fn time_of(server: &Server) -> anyhow::Result<Duration> {
    processor_time(server.process()).context("this system tells no processor times")
}

/// Of all its threads, in user and system mode, to the nanosecond.
fn processor_time(process: u32) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        total += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
    }
    Some(total)
}

fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; the parent is the second field after it.
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The answer of the last statement.
fn ask(psql: &Path, url: &str, statements: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(psql);
    command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]).stdin(Stdio::null());
    for statement in statements {
        command.args(["-c", statement]);
    }
    let output = command.arg(url).output().context("cannot run psql")?;
    ensure!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn number(text: &str) -> anyhow::Result<f64> {
    text.parse().with_context(|| format!("`{text}` is no number"))
}
