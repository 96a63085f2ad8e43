//! The database: whether it answers, what it is, whether its schema and rows are usable, and what the clock says.

use std::{fs::File, io::Read as _, path::Path, sync::Arc, time::Duration};

use chrono::TimeDelta;
use password_hash::PasswordVerifier as _;
use sme_pulse_auth::service::{KeySet, ServiceKeys};
use sme_pulse_domain::email::Email;
use sme_pulse_persistence::{DatabaseSettings, EngineFacts, RowSecurity, Store, seed::ADMIN_EMAIL};

use super::{super::serve::hasher, Doctor, told};
use crate::config::{DatabaseTarget, Seed};

/// A database that is farther away makes every request slow.
const SLOW: Duration = Duration::from_millis(20);
/// Clocks that differ by less do no harm, by more do harm to tokens.
const SMALL: TimeDelta = TimeDelta::seconds(5);
const LARGE: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn check(doctor: &mut Doctor<'_>) {
    let opened = match &doctor.config.database.target {
        DatabaseTarget::Sqlite { path } if !path.exists() => {
            let advice = "`sme-pulse migrate` or `serve` makes it";
            return doctor.warn("database", format!("there is no {}", path.display()), advice);
        }
        DatabaseTarget::Sqlite { path } => Store::open_to_read(path, Arc::clone(&doctor.rng)).await,
        DatabaseTarget::Postgres { url } => Store::open_for_operator(&one(url.expose()), Arc::clone(&doctor.rng)).await,
    };
    match opened {
        Ok(store) => {
            if answers(doctor, &store).await && schema(doctor, &store).await {
                rows(doctor, &store).await;
            }
            // It was only read.
            let _ = store.close().await;
        }
        Err(error) => doctor.fail("database", told(error), "is the path or address right, and may this user open it?"),
    }
    if let DatabaseTarget::Postgres { url } = &doctor.config.database.target {
        let url = url.expose().to_owned();
        row_security(doctor, &url).await;
    }
}

/// One connection.
fn one(url: &str) -> DatabaseSettings {
    DatabaseSettings::Postgres { url: url.to_owned(), pool_size: 1, max_overflow: 0 }
}

async fn answers(doctor: &mut Doctor<'_>, store: &Store) -> bool {
    if let Err(error) = store.engine_facts().await {
        doctor.fail("database", told(error), "is it running, and are host, name, user and password right?");
        return false;
    }
    // The second one, for which nothing had to be opened.
    let began = doctor.clock.monotonic();
    let Ok(facts) = store.engine_facts().await else { return false };
    let took = doctor.clock.monotonic().saturating_sub(began);
    let text = format!("{} answers within {} µs", facts.version, took.as_micros());
    if took > SLOW {
        doctor.warn("database", text, "put it closer to the server: every request waits for it");
    } else {
        doctor.ok("database", text);
    }
    if !facts.is_supported {
        doctor.warn("version", facts.version.clone(), "upgrade to PostgreSQL 14 or later");
    }
    if let DatabaseTarget::Sqlite { path } = &doctor.config.database.target {
        journal(doctor, path);
    }
    clock(doctor, &facts);
    true
}

/// The file itself says it: whoever looks without touching it is told of another journal by the engine.
fn journal(doctor: &mut Doctor<'_>, path: &Path) {
    let mut head = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    match (read, head) {
        (Ok(()), [.., 2, 2]) => doctor.ok("journal", "write-ahead log"),
        (Ok(()), _) => doctor.ok("journal", "none yet; the next start makes a write-ahead log"),
        (Err(error), _) => {
            doctor.fail("journal", error.to_string(), "give the file to the user that the server runs as");
        }
    }
}

fn clock(doctor: &mut Doctor<'_>, facts: &EngineFacts) {
    let Some(there) = facts.now else { return };
    let apart = doctor.clock.now().signed_duration_since(there).abs();
    let text = format!("it differs from the database's by {} ms", apart.num_milliseconds());
    match apart {
        apart if apart > LARGE => doctor.fail("clock", text, "let both follow a time server"),
        apart if apart > SMALL => doctor.warn("clock", text, "let both follow a time server"),
        _ => doctor.ok("clock", text),
    }
}

/// False when its rows cannot be looked at.
async fn schema(doctor: &mut Doctor<'_>, store: &Store) -> bool {
    match store.damage(true).await {
        Ok(damage) if damage.is_empty() => {}
        Ok(damage) => {
            doctor.fail("integrity", damage.join("; "), "stop the server and restore a backup; see docs/backup.md");
            return false;
        }
        Err(error) => {
            doctor.fail("integrity", told(error), "stop the server and restore a backup; see docs/backup.md");
            return false;
        }
    }
    match store.schema_standing().await {
        Ok(standing) if !standing.unknown.is_empty() && !standing.pending.is_empty() => {
            let (lacks, has) = (standing.pending.join(", "), standing.unknown.join(", "));
            let seen = format!("it lacks {lacks} and has {has}, which this program does not know");
            doctor.fail("schema", seen, "use the program that made it, or restore a backup");
            false
        }
        Ok(standing) if !standing.unknown.is_empty() => {
            let seen = format!("it is newer than this program, which can serve it: {}", standing.unknown.join(", "));
            doctor.warn("schema", seen, "go on to the version that has these migrations; see docs/migrations.md");
            true
        }
        Ok(standing) if standing.pending.is_empty() => {
            doctor.ok("schema", format!("current, {} changes", standing.applied.len()));
            true
        }
        Ok(standing) if doctor.config.database.auto_migrate => {
            doctor.warn(
                "schema",
                format!("{} changes are pending", standing.pending.len()),
                "the next start applies them",
            );
            false
        }
        Ok(standing) => {
            doctor.fail("schema", format!("{} changes are pending", standing.pending.len()), "run `sme-pulse migrate`");
            false
        }
        Err(error) => {
            doctor.fail("schema", told(error), "may this role read public.seaql_migrations?");
            false
        }
    }
}

async fn rows(doctor: &mut Doctor<'_>, store: &Store) {
    match store.contents().await {
        Ok(contents) => {
            let ahead = contents.newest_event.map(|at| at.signed_duration_since(doctor.clock.now()));
            if ahead.is_some_and(|ahead| ahead > LARGE) {
                let text = "the newest audit event lies in the future: the clock has gone back, or was ahead";
                doctor.fail("clock", text, "set the clock before the server starts");
            }
            doctor.ok("rows", format!("{} organizations, {} users", contents.organizations, contents.users));
        }
        Err(error) => doctor.fail("rows", told(error), "is this the role that owns the tables?"),
    }
    keys(doctor, store).await;
    default_password(doctor, store).await;
}

/// Private keys open with the secrets that are configured.
async fn keys(doctor: &mut Doctor<'_>, store: &Store) {
    let tokens = &doctor.config.tokens;
    let secret = match tokens.key.existing() {
        Ok(Some(secret)) => secret,
        Ok(None) => return doctor.ok("keys", "there is no signing key yet; the first start makes one"),
        Err(error) => return doctor.fail("keys", told(error), "see docs/configuration.md, Secrets"),
    };
    let encryption = tokens.encryption.as_ref().map(|key| key.expose().as_bytes());
    let keys = ServiceKeys::new(secret.expose().as_bytes(), encryption);
    let set = KeySet::new(store.clone(), &keys, Arc::clone(&doctor.clock), Arc::clone(&doctor.rng));
    match set.closed().await {
        Ok(closed) if closed.is_empty() => doctor.ok("keys", "all private keys open"),
        Ok(closed) => doctor.fail(
            "keys",
            format!("these do not open: {}", closed.join(", ")),
            "use the BACKEND_SECRET_KEY and BACKEND_ENCRYPTION_KEY they were made with; see docs/keys.md, Emergency",
        ),
        Err(error) => doctor.fail("keys", told(error), "may this role read auth.signing_keys?"),
    }
}

/// The password that everybody knows, of the user that the seeder makes.
async fn default_password(doctor: &mut Doctor<'_>, store: &Store) {
    if doctor.config.environment.is_development() {
        return;
    }
    let Ok(email) = Email::parse(ADMIN_EMAIL) else { return };
    let account = match store.account_by_email(&email).await {
        Ok(account) => account,
        Err(error) => return doctor.fail("passwords", told(error), ""),
    };
    let known = account.filter(|account| account.user.status.is_active()).is_some_and(|account| {
        hasher(&doctor.config.passwords)
            .verify_password(Seed::DEFAULT_PASSWORD.as_bytes(), &account.password_hash)
            .is_ok()
    });
    if known {
        let text = format!("{ADMIN_EMAIL} still has the password that everybody knows");
        doctor.fail("passwords", text, "run `sme-pulse users reset-password` for it");
    } else {
        doctor.ok("passwords", "nobody has the password of the demo");
    }
}

/// As the connections that serve requests see it.
async fn row_security(doctor: &mut Doctor<'_>, url: &str) {
    let Ok(store) = Store::open(&one(url), Arc::clone(&doctor.rng)).await else { return };
    match store.row_security().await {
        Ok(Some(RowSecurity { role, in_force: true, owner: false })) => {
            doctor.ok("row security", format!("in force for {role}"));
        }
        Ok(Some(RowSecurity { role, in_force: true, owner: true })) => doctor.warn(
            "row security",
            format!("in force, but {role} owns the tables and could drop it"),
            "see what `sme-pulse migrate` says at its end",
        ),
        Ok(Some(RowSecurity { role, in_force: false, .. })) => doctor.warn(
            "row security",
            format!("not in force: {role} is a superuser or has BYPASSRLS"),
            "see what `sme-pulse migrate` says at its end",
        ),
        // Said before: no schema, or no answer.
        Ok(None) | Err(_) => {}
    }
    // It was only read.
    let _ = store.close().await;
}
