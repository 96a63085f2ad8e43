//! `sme-pulse serve`: configuration, storage, hashing, server, in this order; and the way back when told to stop.

use std::{net::TcpListener, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use sme_pulse_auth::{
    password::{Argon2id, Bcrypt, Hasher, Passwords, PoolSettings},
    service::{AuthParts, AuthService, AuthSettings, KeySetError, ServiceKeys, TokenKeys},
    token::{Algorithm, Signer, Verifier},
};
use sme_pulse_domain::{clock::Clock, rng::Rng};
use sme_pulse_persistence::{MigrationError, RowSecurity, Store};

use super::{Parts, open_store, watched::Watched};
use crate::{
    app::Application,
    background::Background,
    config::{self, Config, HasherKind, Secret, Tokens},
    error::chain,
    mail,
    metrics::Tasks,
    server::{self, StopSignals},
    telemetry,
};

/// How often an unreachable database is tried again for its pending migrations.
const MIGRATION_RETRY: Duration = Duration::from_secs(2);
/// How long the connections may take to end; with the server's own bound it stays below 10 s.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) async fn run(parts: Parts) -> anyhow::Result<()> {
    let config = &parts.config;
    let mut signals = StopSignals::listen()?;
    let secret = config.tokens.key.resolve(&*parts.rng)?;
    telemetry::log_settings(config.effective());
    // The port first: a second server on it must not touch the database.
    let (host, port) = (config.server.host.as_str(), config.server.port);
    let listener = TcpListener::bind((host, port)).with_context(|| format!("cannot listen on {host} port {port}"))?;
    let watched = Watched::prepare(config)?;

    let store = open_store(&config.database, &parts.rng).await?;
    tokio::select! {
        prepared = prepare_schema(&store, config.database.auto_migrate) => prepared?,
        // A migration that is cut off takes itself back.
        () = signals.next() => return close(&store).await,
    }
    let auth = auth_service(config, store.clone(), &secret, &parts.clock, &parts.rng)?;
    prepare_keys(&auth).await?;
    let application = Application::new(config, store.clone(), auth, &parts.clock, &parts.rng)?;
    if let Some(shared) = application.limits().shared() {
        // Before the first request, if Redis is there. If not, the background goes on trying.
        shared.connect().await;
    }
    let tasks = Arc::new(Tasks::new(Arc::clone(&parts.clock)));
    let background = Background::start(&application, store.clone(), &tasks, parts.telemetry.figures());
    let (application, watching) = match watched {
        Some(watched) => watched.start(&parts, application, &store, tasks)?,
        None => (application, None),
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (followers, leaving) = (application.followers(), (application.departure(), config.server.drain));
    let listening = application.listen(listener, workers)?;
    tracing::info!(address = %listening.address, environment = config.environment.name(), "Server started");
    server::run_until_signal(listening.server, signals, leaving, move || followers.end()).await?;
    // Until the work in flight is done, somebody may want to watch it.
    let finish_watching = async {
        if let Some(watching) = watching {
            watching.finish().await;
        }
    };
    tokio::join!(background.stop(), parts.telemetry.finish_traces(), finish_watching);
    close(&store).await
}

/// Ends the connections. A database that no longer answers must not hold up the end of the process.
async fn close(store: &Store) -> anyhow::Result<()> {
    match tokio::time::timeout(CLOSE_TIMEOUT, store.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "The database was not closed cleanly"),
        Err(_) => tracing::warn!("The database was not closed in time"),
    }
    tracing::info!("Server stopped");
    Ok(())
}

/// Pending changes run or stop the start; an unreachable database does neither: requests are answered 503 until it
/// is back, and the changes run then.
async fn prepare_schema(store: &Store, auto_migrate: bool) -> anyhow::Result<()> {
    match migrate_or_check(store, auto_migrate).await {
        Ok(0) => {
            tell_newer_schema(store).await;
            tell_row_security(store).await;
            Ok(())
        }
        Ok(pending) => bail!("{pending} migrations are pending; run `sme-pulse migrate` or set BACKEND_AUTO_MIGRATE"),
        Err(MigrationError::Unreachable(error)) => {
            tracing::warn!(error = chain(&error), "The database is not reachable yet");
            actix_web::rt::spawn(keep_trying(store.clone(), auto_migrate));
            Ok(())
        }
        Err(refused) => Err(refused).context("the database's schema is not usable"),
    }
}

/// How many changes are still pending.
async fn migrate_or_check(store: &Store, auto_migrate: bool) -> Result<usize, MigrationError> {
    if !auto_migrate {
        return store.pending_migrations().await;
    }
    for name in store.migrate_up().await? {
        tracing::info!(name, "Migration applied");
    }
    Ok(0)
}

/// As after an upgrade was taken back: the release before runs on the schema after.
async fn tell_newer_schema(store: &Store) {
    match store.schema_standing().await {
        Ok(standing) if !standing.unknown.is_empty() => tracing::warn!(
            migrations = standing.unknown.join(", "),
            "The schema has migrations of a later version; this one runs on it"
        ),
        // Whoever cannot be asked now was asked a moment ago.
        _ => {}
    }
}

/// Whether the database itself keeps organizations apart. It is the second wall; a start does not fail without it.
async fn tell_row_security(store: &Store) {
    match store.row_security().await {
        Ok(Some(RowSecurity { role, in_force: true, owner: false })) => {
            tracing::info!(role, "Row-level security is in force");
        }
        Ok(Some(RowSecurity { role, in_force: true, owner: true })) => {
            tracing::warn!(
                role,
                "Row-level security is in force, but for a role that owns the tables; see `sme-pulse migrate`"
            );
        }
        Ok(Some(RowSecurity { role, in_force: false, .. })) => {
            tracing::warn!(
                role,
                "Row-level security is not in force: it does not bind this role; see `sme-pulse migrate`"
            );
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(error = chain(&error), "Whether row-level security is in force is not known"),
    }
}

/// Keys that cannot be used stop the start; an unreachable database does not, and the service goes on trying.
async fn prepare_keys(auth: &AuthService) -> anyhow::Result<()> {
    match auth.prepare_keys().await {
        Err(KeySetError::Store(error)) => tracing::warn!(error = chain(&error), "The signing keys were not read"),
        done => done.context("the keys of access tokens are not usable")?,
    }
    Ok(())
}

async fn keep_trying(store: Store, auto_migrate: bool) {
    loop {
        tokio::time::sleep(MIGRATION_RETRY).await;
        match migrate_or_check(&store, auto_migrate).await {
            Ok(0) => {
                tell_row_security(&store).await;
                return tracing::info!("The database is reachable and its schema current");
            }
            Ok(pending) => tracing::error!(pending, "Migrations are pending; run `sme-pulse migrate`"),
            Err(MigrationError::Unreachable(_)) => {}
            Err(refused) => tracing::error!(error = %refused, "The database's schema is not usable"),
        }
    }
}

/// The authentication service over a store, as configured.
pub fn auth_service(
    config: &Config,
    store: Store,
    secret: &Secret,
    clock: &Arc<dyn Clock>,
    rng: &Arc<dyn Rng>,
) -> anyhow::Result<AuthService> {
    let Config { tokens, sessions, passwords, .. } = config;
    let pool = PoolSettings::for_threads(passwords.hash_concurrency);
    let encryption = tokens.encryption.as_ref();
    Ok(AuthService::new(AuthParts {
        store,
        passwords: Passwords::start(hasher(passwords), pool, Arc::clone(clock), Arc::clone(rng))?,
        tokens: keys(tokens, secret)?,
        keys: ServiceKeys::new(secret.expose().as_bytes(), encryption.map(|key| key.expose().as_bytes())),
        settings: AuthSettings {
            token_lifetime: chrono::Duration::from_std(tokens.lifetime)?,
            refresh_idle: chrono::Duration::days(sessions.idle_days.into()),
            refresh_max: chrono::Duration::days(sessions.max_days.into()),
            slow_guesses: config.rate_limit.enabled,
            password_min_characters: passwords.min_length,
            public_url: config.mail.public_url.clone(),
            confirm_sign_ups: !config.environment.is_development(),
            key_algorithm: Some(tokens.algorithm).filter(|algorithm| !algorithm.is_symmetric()),
            key_rotation: (tokens.rotation_days > 0).then(|| chrono::Duration::days(tokens.rotation_days.into())),
        },
        mailer: mail::mailer(config, clock, rng)?,
        clock: Arc::clone(clock),
        rng: Arc::clone(rng),
    }))
}

/// What hashes new passwords.
pub(super) const fn hasher(passwords: &config::Passwords) -> Hasher {
    match passwords.hasher {
        HasherKind::Bcrypt => Hasher::Bcrypt(Bcrypt::new(passwords.bcrypt_cost)),
        HasherKind::Argon2id => Hasher::Argon2id(Argon2id::OWASP),
    }
}

/// What signs and checks until the keys of the database have been read. Where a key set is asked for, the shared secret may have
/// signed before it: with which algorithm, the database says, and else it was the usual one.
fn keys(tokens: &Tokens, secret: &Secret) -> anyhow::Result<TokenKeys> {
    let algorithm = if tokens.algorithm.is_symmetric() { tokens.algorithm } else { Algorithm::Hs256 };
    let secret = secret.expose().as_bytes();
    let verifier = Verifier::new(secret, algorithm)
        .issuer(&tokens.issuer)
        .audience(&tokens.audience)
        .leeway_seconds(u32::try_from(tokens.leeway.as_secs())?);
    Ok(TokenKeys::new(Signer::new(secret, algorithm, &tokens.issuer, &tokens.audience), verifier))
}
