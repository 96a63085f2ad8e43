//! The commands of the binary: each reads the configuration, does one thing, and says how it went by its exit code
//! (0 success, 1 failure, 2 configuration error).

mod audit;
mod backup;
mod config_check;
mod database_file;
mod db;
mod doctor;
mod health_check;
mod keys;
mod migrate;
mod organizations;
mod restore;
mod seed;
mod seed_demo;
mod serve;
mod service_accounts;
mod users;
mod watched;

use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use sme_pulse_domain::{
    clock::{Clock, SystemClock},
    rng::Rng,
};
use sme_pulse_persistence::{DatabaseSettings, Store};

use crate::{
    config::{Config, ConfigError, Database, DatabaseTarget, KeyError, Variables},
    random::SystemRng,
    telemetry::{self, Console, TelemetryGuard},
};
use audit::AuditAction;
use backup::BackupArgs;
use config_check::ConfigAction;
use db::DbAction;
use keys::KeysAction;
pub use migrate::MigrateAction;
use organizations::OrganizationsAction;
use restore::RestoreArgs;
use seed_demo::DemoArgs;
pub use serve::auth_service;
use service_accounts::ServiceAccountAction;
use users::UsersAction;

/// Identity, tenants and ledgers for small-business products.
#[derive(Debug, Clone, Parser)]
#[command(name = "sme-pulse", version)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Serve the API (the default).
    Serve,
    /// Change or show the database's schema.
    #[command(args_conflicts_with_subcommands = true)]
    Migrate {
        /// Print what is pending as SQL, with the locks it takes, and change nothing; the same as `migrate plan`.
        #[arg(long)]
        plan: bool,
        #[command(subcommand)]
        action: Option<MigrateAction>,
    },
    /// Write the roles, the demo company and its administrator; a second run repairs what is missing.
    Seed {
        /// Allow it outside development.
        #[arg(long)]
        force: bool,
    },
    /// Fill the database with demo organizations; the same seed gives the same rows.
    SeedDemo(DemoArgs),
    /// Export, check and sign the audit trail, and take personal data out of it.
    Audit {
        #[command(subcommand)]
        action: AuditAction,
    },
    /// Show the organizations, suspend one, or let it go on.
    Organizations {
        #[command(subcommand)]
        action: OrganizationsAction,
    },
    /// List, make, rotate and end the keys that access tokens are signed with.
    Keys {
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Make, list and revoke keys for services that check tokens by themselves.
    ServiceAccounts {
        #[command(subcommand)]
        action: ServiceAccountAction,
    },
    /// Copy the SQLite database into one file while it is in use, and check the copy.
    Backup(BackupArgs),
    /// Put a backup in the place of the SQLite database, after checking it; the old one is kept aside.
    Restore(RestoreArgs),
    /// Copy all data from one database into an empty one of the other engine.
    Db {
        #[command(subcommand)]
        action: DbAction,
    },
    /// Make owners, set passwords, let people in or keep them out, and import them.
    Users {
        #[command(subcommand)]
        action: UsersAction,
    },
    /// Look at everything that a server needs, change nothing, and say what to do.
    Doctor {
        /// One JSON object instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Ask the server on the configured address whether it is alive; for container health checks.
    Healthcheck,
}

/// Runs the command line.
pub fn run(line: CommandLine) -> ExitCode {
    match dispatch(line.command.unwrap_or(Command::Serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let misconfigured = error.is::<ConfigError>() || matches!(error.downcast_ref(), Some(KeyError::Config(_)));
            report(&error, misconfigured);
            ExitCode::from(if misconfigured { 2 } else { 1 })
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    // For people without this installation: no configuration, no database.
    if let Command::Audit { action: AuditAction::Verify(file) } = &command {
        return audit::verify(file);
    }
    let variables = Variables::of_process(Path::new("."))?;
    let (config, warnings) = Config::load(&variables)?;
    if matches!(command, Command::Healthcheck) {
        return health_check::run(&config);
    }
    // Before the log, which would make its file.
    if let Command::Config { action: ConfigAction::Check } = command {
        return config_check::run(&config, &warnings);
    }
    if let Command::Doctor { json } = command {
        let runtime = actix_web::rt::System::new();
        return runtime.block_on(doctor::run(&config, &warnings, json));
    }
    // Where standard output is the result, the log goes beside it.
    let console = if matches!(command, Command::Serve) { Console::Stdout } else { Console::Stderr };
    let collector = config.collector.as_ref().filter(|_| matches!(command, Command::Serve));
    let telemetry = telemetry::init(&config.log, console, collector)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let parts = Parts { config, clock: Arc::new(SystemClock::default()), rng: Arc::new(SystemRng), telemetry };
    let runtime = actix_web::rt::System::new();
    match command {
        Command::Serve => runtime.block_on(serve::run(parts)),
        Command::Migrate { plan: true, .. } => runtime.block_on(migrate::run(parts, MigrateAction::Plan)),
        Command::Migrate { action, .. } => runtime.block_on(migrate::run(parts, action.unwrap_or_default())),
        Command::Seed { force } => runtime.block_on(seed::run(parts, force)),
        Command::SeedDemo(args) => runtime.block_on(seed_demo::run(parts, args)),
        Command::Backup(args) => runtime.block_on(backup::run(parts, args)),
        Command::Restore(args) => runtime.block_on(restore::run(parts, args)),
        Command::Db { action: DbAction::Copy(args) } => runtime.block_on(db::copy(parts, args)),
        Command::Users { action } => runtime.block_on(users::run(parts, action)),
        Command::Keys { action } => runtime.block_on(keys::run(parts, action)),
        Command::Audit { action } => runtime.block_on(audit::run(parts, action)),
        Command::Organizations { action } => runtime.block_on(organizations::run(parts, action)),
        Command::ServiceAccounts { action } => runtime.block_on(service_accounts::run(parts, action)),
        Command::Config { .. } | Command::Doctor { .. } | Command::Healthcheck => Ok(()),
    }
}

/// What every command is given.
struct Parts {
    config: Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// Writes the rest of the log when the command ends.
    telemetry: TelemetryGuard,
}

/// The store that serves requests from the configured database.
async fn open_store(database: &Database, rng: &Arc<dyn Rng>) -> anyhow::Result<Store> {
    Ok(Store::open(&store_settings(database)?, Arc::clone(rng)).await?)
}

/// The store for what the operator does, who sees all organizations.
async fn open_operator_store(database: &Database, rng: &Arc<dyn Rng>) -> anyhow::Result<Store> {
    Ok(Store::open_for_operator(&store_settings(database)?, Arc::clone(rng)).await?)
}

/// Where the rows are; the folder of an embedded file is made.
fn store_settings(database: &Database) -> anyhow::Result<DatabaseSettings> {
    let settings = match &database.target {
        DatabaseTarget::Sqlite { path } => {
            let folder = database.target.data_folder();
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create the folder {}", folder.display()))?;
            keep_private(path).with_context(|| format!("cannot create the database {}", path.display()))?;
            DatabaseSettings::Sqlite { path: path.clone() }
        }
        DatabaseTarget::Postgres { url } => DatabaseSettings::Postgres {
            url: url.expose().to_owned(),
            pool_size: database.pool_size,
            max_overflow: database.max_overflow,
        },
    };
    Ok(settings)
}

/// A new database file is readable by its owner alone, because it holds password hashes; SQLite gives the files beside it
/// the same mode. An existing one stays as its owner wants it.
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The last word on standard error; the log may not exist yet.
fn report(error: &anyhow::Error, misconfigured: bool) {
    let name = if misconfigured { "" } else { "sme-pulse: " };
    // Nobody may be left to read it, and the exit code says the same.
    let _ = writeln!(std::io::stderr(), "{name}{error:#}");
}

/// The result of a command.
fn print(text: &str) {
    // A reader that has seen enough, as `head` has, is no failure of what was done.
    let _ = writeln!(std::io::stdout(), "{text}");
}
