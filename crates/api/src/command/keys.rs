//! `sme-pulse keys [list|generate|rotate|retire|revoke]`: works while servers run, which follow by themselves.

mod table;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use sme_pulse_auth::{
    service::{ChangedKeys, KeySet, KeySetError, ServiceKeys},
    token::Algorithm,
};
use sme_pulse_domain::signing_key::{KeyRecord, SHARED_SECRET};

use super::{Parts, print, seed::current_store};
use table::{shown, table};

/// What to do with the keys of access tokens.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum KeysAction {
    /// Show every key: its name, algorithm, state, since when, and until when its tokens are accepted.
    List,
    /// Make the key that signs next and publish it; so that every verifier knows it before `BACKEND_ALGORITHM` names its algorithm.
    Generate {
        /// `EdDSA` or `ES256`; without it what `BACKEND_ALGORITHM` says, or `EdDSA`.
        #[arg(long, value_parser = algorithm)]
        algorithm: Option<Algorithm>,
    },
    /// Let the next key sign, and publish another next one.
    Rotate {
        /// Also when verifiers may not know the next key yet.
        #[arg(long)]
        now: bool,
    },
    /// Withdraw a key that does not sign; what it has signed stays good until it expires.
    Retire {
        /// The key's name, which may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Refuse all tokens of a key at once; when it signs, the next one signs in its place.
    Revoke {
        /// The key's name, or `shared-secret`.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Also when the secret is lost that the keys are sealed with: new keys take the place of those that do not open.
        #[arg(long)]
        lost: bool,
    },
}

pub(super) async fn run(parts: Parts, action: KeysAction) -> anyhow::Result<()> {
    let tokens = &parts.config.tokens;
    let secret = tokens.key.resolve(&*parts.rng)?;
    let encryption = tokens.encryption.as_ref().map(|key| key.expose().as_bytes());
    let keys = ServiceKeys::new(secret.expose().as_bytes(), encryption);
    let store = current_store(&parts).await?;
    let set = KeySet::new(store.clone(), &keys, Arc::clone(&parts.clock), Arc::clone(&parts.rng));
    let done = act(&parts, &set, action).await;
    store.close().await?;
    done
}

async fn act(parts: &Parts, set: &KeySet, action: KeysAction) -> anyhow::Result<()> {
    match action {
        KeysAction::List => print(table(&set.list().await?).trim_end()),
        KeysAction::Generate { algorithm } => {
            let configured = Some(parts.config.tokens.algorithm).filter(|algorithm| !algorithm.is_symmetric());
            let algorithm = algorithm.or(configured).unwrap_or(Algorithm::EdDsa);
            tell(&changed(set.generate(algorithm).await)?, |key| format!("Published {}.", key.kid));
        }
        KeysAction::Rotate { now } => match set.rotate(now).await {
            Err(error @ KeySetError::TooYoung { .. }) => bail!("{error}; wait, or rotate with --now"),
            done => tell(&changed(done)?, |key| format!("Retired {}; {}.", key.kid, end(key))),
        },
        KeysAction::Retire { kid } => {
            tell(&changed(set.retire(&kid).await)?, |key| format!("Retired {}; {}.", key.kid, end(key)));
        }
        KeysAction::Revoke { kid, lost } => {
            let done = if lost { set.revoke_lost(&kid).await } else { set.revoke(&kid).await };
            tell(&changed(done)?, |key| {
                let whose = if key.kid == SHARED_SECRET { "the shared secret" } else { key.kid.as_str() };
                format!("Revoked {}; tokens of {whose} are refused.", key.kid)
            });
        }
    }
    Ok(())
}

fn changed(done: Result<ChangedKeys, KeySetError>) -> anyhow::Result<ChangedKeys> {
    done.context("no key was changed")
}

fn end(key: &KeyRecord) -> String {
    format!("its tokens are accepted until {}", shown(key.verify_until))
}

fn tell(changed: &ChangedKeys, what: impl Fn(&KeyRecord) -> String) {
    if let Some(key) = &changed.key {
        print(&what(key));
    }
    if let Some(current) = &changed.current {
        print(&format!("Signing: {} ({}).", current.kid, current.algorithm));
    }
    if let Some(next) = &changed.next {
        print(&format!("Next:    {} ({}).", next.kid, next.algorithm));
    }
}

fn algorithm(text: &str) -> Result<Algorithm, &'static str> {
    let named = Algorithm::named(text).filter(|algorithm| !algorithm.is_symmetric());
    named.ok_or("the algorithms of key sets are EdDSA and ES256")
}
