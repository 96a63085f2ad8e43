//! The benchmark: the product against floors built in the same run, in alternating rounds, since machines are noisy
//! and only ratios can be compared. Writes nothing but its table; started by `cargo xtask bench`.

mod capacity;
mod clock;
mod figures;
mod flood;
mod lists;
mod load;
mod login;
mod machine;
mod memory;
mod refresh;
mod reply;
mod report;
mod requests;
mod server;
mod start;
mod storm;
mod throughput;
mod verify;
mod walls;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::machine::Cores;
use crate::report::Row;
use crate::server::{Product, Server};

/// The default cost of the product, stated to both sides.
pub(crate) const BCRYPT_COST: u32 = 12;

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Measures the product against floors built in the same run")]
struct Cli {
    #[arg(long, hide = true)]
    product: PathBuf,
    #[arg(long, hide = true)]
    floor: PathBuf,
    /// A PostgreSQL database that may be written to, for the rows `refresh`, `lists`, `walls` and `capacity`
    #[arg(long, requires = "pgbench", hide = true)]
    postgres: Option<String>,
    #[arg(long, hide = true)]
    pgbench: Option<PathBuf>,
    /// Short rounds: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    /// Distinct client addresses for the memory row [default: 1000000, quick: 100000]
    #[arg(long)]
    addresses: Option<u32>,
    /// Numbers of organizations for the row `capacity`, from few to many
    #[arg(long, value_delimiter = ',', default_values_t = [10, 1_000, 100_000])]
    organizations: Vec<u32>,
    /// Only these rows; may be repeated. `capacity` takes a quarter of an hour and runs only when it is named
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Health,
    Me,
    Login,
    Refresh,
    Storm,
    Start,
    Memory,
    Lists,
    Walls,
    Verify,
    Capacity,
}

type Measure = fn(&Bench) -> anyhow::Result<Vec<Row>>;

/// What every row needs.
pub(crate) struct Bench {
    product: PathBuf,
    floor: PathBuf,
    /// The URL of a PostgreSQL database and the path of `pgbench`.
    postgres: Option<(String, PathBuf)>,
    cores: Cores,
    hash_threads: usize,
    rounds: u32,
    round: Duration,
    starts: u32,
    addresses: u32,
    organizations: Vec<u32>,
}

impl Bench {
    /// The product on a new database.
    pub(crate) fn prepare(&self) -> anyhow::Result<Product> {
        Product::prepare(&self.product, &self.cores, self.hash_threads, None)
    }

    /// The product on the PostgreSQL database with this URL.
    pub(crate) fn prepare_on(&self, url: &str) -> anyhow::Result<Product> {
        Product::prepare(&self.product, &self.cores, self.hash_threads, Some(url))
    }

    /// The bare server with this answer.
    pub(crate) fn bare(&self, body: &[u8]) -> anyhow::Result<Server> {
        Server::floor(&self.floor, &self.cores, body)
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// True when every bar was met.
fn run(cli: Cli) -> anyhow::Result<bool> {
    let cores = Cores::divide()?;
    let (rounds, round, starts, addresses) =
        if cli.quick { (2, Duration::from_secs(3), 5, 100_000) } else { (5, Duration::from_secs(8), 21, 1_000_000) };
    let bench = Bench {
        hash_threads: cores.server_count.saturating_sub(1).max(1),
        product: cli.product,
        floor: cli.floor,
        postgres: cli.postgres.zip(cli.pgbench),
        addresses: cli.addresses.unwrap_or(addresses),
        organizations: cli.organizations,
        rounds,
        round,
        starts,
        cores,
    };
    note(format_args!("{}; {} hashing thread(s)", bench.cores.describe(), bench.hash_threads));
    let parts: [(Part, Measure); 11] = [
        (Part::Health, throughput::health),
        (Part::Me, throughput::me),
        (Part::Login, login::measure),
        (Part::Refresh, refresh::measure),
        (Part::Storm, storm::measure),
        (Part::Start, start::measure),
        (Part::Memory, memory::measure),
        (Part::Lists, lists::measure),
        (Part::Walls, walls::measure),
        (Part::Verify, verify::measure),
        (Part::Capacity, capacity::measure),
    ];
    let mut rows = Vec::new();
    for (part, measure) in parts {
        let unasked = cli.only.is_empty() && part != Part::Capacity;
        if unasked || cli.only.contains(&part) {
            rows.extend(measure(&bench)?);
        }
    }
    let met = report::print(&rows)?;
    if cli.quick {
        note(format_args!("short rounds: repeat without --quick before quoting a figure"));
    }
    Ok(met)
}

/// Progress, on stderr, so that the table alone is on stdout.
pub(crate) fn note(line: std::fmt::Arguments<'_>) {
    // Progress that nobody reads is no reason to stop.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
