//! What each route costs, and what that becomes as organizations grow: processor time of the server and of PostgreSQL, times
//! of answers, bytes of PostgreSQL's log, sizes. Printed as tables in markdown, for `docs/capacity.md`.

mod caller;
mod database;
mod people;
mod routes;
mod table;

use std::time::Duration;

use anyhow::ensure;

use crate::clock::now;
use crate::report::Row;
use crate::server::Product;
use crate::{BCRYPT_COST, Bench, note};
use database::Database;
use people::People;
use routes::{Route, Sample};

/// What is in every organization besides its suppliers, accounts and events.
const USERS: u32 = 3;
const CUSTOMERS: u32 = 50;
/// Fewer are all remembered before the round that is to find them forgotten, and tell nothing.
const COLD: usize = 1000;
/// How often the server starts again to forget everybody.
const STARTS: u32 = 3;
const BAR: f64 = 2.0;

/// One number of organizations.
struct Step {
    organizations: u32,
    /// How long writing those that were missing took, and how many these were.
    seeded: (Duration, u32),
    /// Bytes of the database after that, and before.
    size: (f64, f64),
    /// Resident memory of the server after the requests, in kibibytes.
    memory: u32,
    samples: Vec<Sample>,
}

/// Both engines, if there is a PostgreSQL.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    ensure!(
        bench.organizations.iter().all(|count| *count >= 2),
        "two organizations are the least: one reads, one writes"
    );
    let product = bench.prepare()?;
    let folder = product.folder();
    let mut rows = engine(bench, product, &Database::Embedded(folder), "SQLite")?;
    match &bench.postgres {
        Some((url, pgbench)) => {
            let database = Database::server(url, &pgbench.with_file_name("psql"))?;
            rows.extend(engine(bench, bench.prepare_on(url)?, &database, "PostgreSQL")?);
        }
        None => note(format_args!("no PostgreSQL: capacity is measured on SQLite alone")),
    }
    Ok(rows)
}

fn engine(bench: &Bench, mut product: Product, database: &Database, name: &str) -> anyhow::Result<Vec<Row>> {
    let log_in = costly_log_in(bench, &product, database)?;
    product.hash_cheaply();
    let (mut steps, mut there) = (Vec::<Step>::new(), 0);
    for organizations in bench.organizations.iter().copied() {
        note(format_args!("{name}: writing {} organizations", organizations.saturating_sub(there)));
        let before = database.size()?;
        let began = now();
        product.people(organizations, USERS, CUSTOMERS)?;
        let seeded = (began.elapsed(), organizations.saturating_sub(there));
        there = organizations;
        database.settle()?;
        let size = (database.size()?, before);
        let (samples, memory) = samples(bench, &product, database, organizations)?;
        steps.push(Step { organizations, seeded, size, memory, samples });
    }
    table::print(name, &log_in, &steps)?;
    Ok(bars(name, &steps))
}

/// The only one whose hash is that of production; its cost does not depend on how many organizations there are.
fn costly_log_in(bench: &Bench, product: &Product, database: &Database) -> anyhow::Result<Sample> {
    let server = product.serve(&[])?;
    note(format_args!("log-in, bcrypt cost {BCRYPT_COST}"));
    let mut callers = vec![caller::Sender::from(caller::log_in(server.address))];
    let sample = Route::LogIn.measure(&server, database, &mut callers, bench.round)?;
    server.stop()?;
    Ok(sample)
}

fn samples(
    bench: &Bench,
    product: &Product,
    database: &Database,
    organizations: u32,
) -> anyhow::Result<(Vec<Sample>, u32)> {
    let server = product.serve(&[])?;
    let people = People::sign_in(&server, organizations)?;
    server.stop()?;
    let mut samples = Vec::new();
    if people.readers.len() >= COLD {
        samples.push(cold(product, database, &people)?);
    }
    let server = product.serve(&[])?;
    for route in routes::STEADY {
        note(format_args!("{}", route.name()));
        let mut callers = people.callers(server.address, *route);
        samples.push(route.measure(&server, database, &mut callers, bench.round)?);
    }
    let (memory, _) = server.memory()?;
    server.stop()?;
    Ok((samples, memory))
}

/// The first request of a caller whom the server does not remember, on connections to the database that are warm.
fn cold(product: &Product, database: &Database, people: &People) -> anyhow::Result<Sample> {
    let mut sample = Sample::new(Route::MeCold);
    note(format_args!("{}", Route::MeCold.name()));
    for _ in 0..STARTS {
        let server = product.serve(&[])?;
        let (first, rest) = people.readers.split_at(people.readers.len() / 3);
        caller::drive(server.address, &mut people::once(server.address, first), None)?;
        sample
            .add(&server, database, || caller::drive(server.address, &mut people::once(server.address, rest), None))?;
        server.stop()?;
    }
    sample.finish();
    Ok(sample)
}

/// What other organizations have must not show in processor time either.
fn bars(engine: &str, steps: &[Step]) -> Vec<Row> {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Vec::new() };
    let cost = |step: &Step, route| step.samples.iter().find(|sample| sample.route == route).map(Sample::micros);
    let names: [&'static str; 2] = match engine {
        "SQLite" => ["capacity: list, SQLite", "capacity: search, SQLite"],
        _ => ["capacity: list, PostgreSQL", "capacity: search, PostgreSQL"],
    };
    let compared = names.into_iter().zip([Route::Customers, Route::Search]);
    compared
        .filter_map(|(path, route)| Some(table::growth(path, cost(first, route)?, cost(last, route)?, BAR)))
        .collect()
}
