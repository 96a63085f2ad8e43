//! Doing something once, however often it is asked for: the answer is kept in the transaction of the change, under the key
//! that the client gave the request.

use chrono::{DateTime, Utc};
use sme_pulse_domain::tenant::TenantScope;
use sme_pulse_persistence::{KeptAnswer, KeyState, KeyedRequest, TenantTx, retrying};

use crate::{Finance, LedgerError};

/// How a value becomes the answer that is kept.
type Render<'a, T> = &'a dyn Fn(&T) -> KeptAnswer;

/// Whether a use case is to be done once only, and how its result is answered.
pub struct Once<'a, T> {
    keyed: Option<(&'a KeyedRequest, Render<'a, T>)>,
}

/// The outcome of a use case that is done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done<T> {
    /// It was done in this call.
    Now(T),
    /// It was done before, and this was the answer.
    Before(KeptAnswer),
}

impl<'a, T> Once<'a, T> {
    /// As often as it is asked for: the request names no key.
    pub const fn unkeyed() -> Self {
        Self { keyed: None }
    }

    /// Once for this request.
    pub const fn keyed(request: &'a KeyedRequest, render: &'a dyn Fn(&T) -> KeptAnswer) -> Self {
        Self { keyed: Some((request, render)) }
    }

    /// The answer given before, or `None` when the work is to be done now; then nobody else does it until the transaction
    /// ends. To be asked before anything is changed.
    pub(crate) async fn before(&self, tx: &TenantTx, now: DateTime<Utc>) -> Result<Option<KeptAnswer>, LedgerError> {
        let (Some((request, _)), Some(keys)) = (self.keyed, tx.idempotency_keys()) else { return Ok(None) };
        match keys.claim(request, now).await? {
            KeyState::Free => Ok(None),
            KeyState::Answered(answer) => Ok(Some(answer)),
            KeyState::Taken => Err(LedgerError::KeyTaken),
            KeyState::Running => Err(LedgerError::KeyRunning),
        }
    }

    /// Keeps the answer with the change, before the event is recorded and the transaction committed.
    pub(crate) async fn keep(&self, tx: &TenantTx, value: &T, now: DateTime<Utc>) -> Result<(), LedgerError> {
        if let (Some((request, render)), Some(keys)) = (self.keyed, tx.idempotency_keys()) {
            keys.keep(request, &render(value), now).await?;
        }
        Ok(())
    }
}

impl Finance {
    /// Keeps a refusal. It has changed nothing, so it needs no transaction in common with anything; if it is lost, the same
    /// request is judged anew.
    pub async fn keep_refusal(
        &self,
        scope: TenantScope,
        request: &KeyedRequest,
        refusal: &KeptAnswer,
    ) -> Result<(), LedgerError> {
        retrying(|| async {
            let tx = self.store.begin(scope).await?;
            let now = self.clock.now();
            let Some(keys) = tx.idempotency_keys() else { return Ok(()) };
            if keys.claim(request, now).await? == KeyState::Free {
                keys.keep(request, refusal, now).await?;
                tx.commit().await?;
            }
            Ok(())
        })
        .await
    }
}
