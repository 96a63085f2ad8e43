//! What followers are told: signed messages, and when there is a new one.

use std::{sync::PoisonError, time::Duration};

use sme_pulse_domain::ids::OrgId;
use sme_pulse_persistence::StoreError;
use tokio::{sync::watch, time::timeout};

use super::Hub;
use crate::{revocation::Revocations, service::AuthService, token::SigningError};

/// Who is told that this is all there is must be told so by somebody who has looked lately.
const FRESH: Duration = Duration::from_millis(1_500);
/// How long a message waits for that.
const PATIENCE: Duration = Duration::from_secs(2);

/// A signed part of the stream (see [`crate::revocation`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationMessage {
    /// How far its reader has come with it.
    pub progress: Progress,
    /// The message: one line of ASCII.
    pub text: String,
}

/// How far a reader has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What the reader knows itself to have come to. Readers of one organization are shown no numbers but those that concern them.
    pub seq: u64,
    /// What they have really come to.
    covered: u64,
    /// They say so themselves.
    is_claimed: bool,
}

impl Progress {
    /// That of a reader who says that they have come so far.
    pub const fn claimed(seq: u64) -> Self {
        Self { seq, covered: seq, is_claimed: true }
    }
}

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum RevocationsError {
    /// Whether there is news cannot be known.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database did not answer in time.
    #[error("the newest revocations were not read in time")]
    Late,
    /// There is more than one message can hold.
    #[error("too many revocations at once")]
    TooMany,
    /// The message could not be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// Wakes a follower.
#[derive(Debug, Clone)]
pub struct RevocationNews(watch::Receiver<u64>);

impl RevocationNews {
    /// Returns when there are more revocations than at the last call, of whomever.
    pub async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            // The service is gone; so will be whoever waits.
            std::future::pending::<()>().await;
        }
    }
}

impl AuthService {
    /// Begins to listen for news.
    pub fn revocation_news(&self) -> RevocationNews {
        RevocationNews(self.revocations.published.subscribe())
    }

    /// Whether more than this is known that concerns the organization, or anybody.
    pub fn has_revocations_after(&self, known: Progress, only: Option<OrgId>) -> bool {
        self.revocations.list.read().unwrap_or_else(PoisonError::into_inner).has_any_after(known.covered, only)
    }

    /// All revocations after this that concern the organization, or anybody; a snapshot of all that still count where
    /// the number is none, is too old or is not known here. Without news it is a sign of life.
    pub async fn revocations_after(
        &self,
        known: Option<Progress>,
        only: Option<OrgId>,
    ) -> Result<RevocationMessage, RevocationsError> {
        let hub = &self.revocations;
        // Another replica may have told more than is known here.
        let is_ahead = known.is_some_and(|known| known.covered > hub.newest());
        let reading = async { if is_ahead { hub.look().await } else { hub.be_fresh(FRESH).await } };
        timeout(PATIENCE, reading).await.map_err(|_| RevocationsError::Late)??;
        let signer = self.parts.tokens.signer();
        let (message, covered) = {
            let list = hub.list.read().unwrap_or_else(PoisonError::into_inner);
            if list.is_too_long() {
                return Err(RevocationsError::TooMany);
            }
            // Who is told of one organization learns nothing of how many there are elsewhere: beyond its own, a number is nowhere.
            let can_know = |known: &Progress| !known.is_claimed || known.covered <= list.newest_of(only);
            let known = known.filter(can_know);
            let goes_on = known.filter(|known| list.goes_on_after(known.covered));
            let entries = list.after(goes_on.map_or(0, |known| known.covered), only);
            // Numbers never go back for who says where they are, unless that is nowhere.
            let shown = known.filter(|known| known.covered <= list.newest()).map_or(0, |known| known.seq);
            let own = if only.is_none() { list.newest() } else { entries.last().map_or(0, |entry| entry.seq) };
            let message = Revocations {
                issuer: signer.issuer().to_owned(),
                only,
                after: goes_on.map_or(0, |known| known.seq),
                seq: own.max(shown),
                at: self.parts.clock.now().timestamp(),
                keep: u32::try_from(hub.keep.num_seconds()).unwrap_or(u32::MAX),
                entries,
            };
            (message, list.newest())
        };
        Ok(RevocationMessage {
            progress: Progress { seq: message.seq, covered, is_claimed: false },
            text: message.seal(&signer)?,
        })
    }
}

impl Hub {
    fn newest(&self) -> u64 {
        self.newest.load(std::sync::atomic::Ordering::SeqCst)
    }
}
