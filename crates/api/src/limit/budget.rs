//! A named budget: so many requests per key and window, and the headers that tell a client where it stands.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use actix_web::http::header::{HeaderName, HeaderValue};
use sme_pulse_domain::clock::Clock;

use super::{
    BudgetKey, Decision, LimitConfig, SharedLog, SlidingLimiter,
    shared::{Shape, SharedStamp},
    sliding::Stamp,
};
use crate::{edge::RequestContext, error::ApiError};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A budget per key under a name that clients see in the `RateLimit` headers. Clones share one count, so make it
/// outside the `HttpServer` factory.
///
/// What is limited by its client alone belongs behind a [`Limit`](super::Limit). A handler that must look at the request first
/// calls [`admit`](Self::admit) itself.
pub struct Budget<K: Hash + Eq>(Option<Arc<Inner<K>>>);

struct Inner<K: Hash + Eq> {
    name: &'static str,
    requests: u32,
    window: Duration,
    limiter: SlidingLimiter<K>,
    clock: Arc<dyn Clock>,
    shared: Option<SharedLog>,
}

/// A request that was let through, for [`Budget::refund`].
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// When it was counted; `None` when the budget is off.
    own: Option<Stamp>,
    /// When Redis has counted it, if it has.
    shared: Option<SharedStamp>,
}

impl Admission {
    /// By nobody: the budget is off.
    const UNCOUNTED: Self = Self { own: None, shared: None };

    /// By this process alone.
    fn here(own: Stamp) -> Self {
        Self { own: Some(own), shared: None }
    }
}

/// A request that was not let through.
#[derive(Debug)]
pub(super) struct Exhausted {
    pub(super) headers: StateHeaders,
    pub(super) window_secs: u64,
}

/// The headers of the later answer, or of the refusal.
pub(super) type Verdict = Result<StateHeaders, Exhausted>;

/// What this process can say about a request by itself.
pub(super) enum Counted<K: Hash + Eq> {
    /// Everything.
    Decided(Verdict, Admission),
    /// It would let it through; the other replicas have a say in it.
    Open(Open<K>),
}

/// A request that is counted in this process and not yet with the others.
pub(super) struct Open<K: Hash + Eq> {
    inner: Arc<Inner<K>>,
    key: K,
    own: Decision,
    stamp: Stamp,
}

impl<K: BudgetKey> Budget<K> {
    /// A budget; one that is not enabled lets everything through and shows no headers.
    pub fn new(name: &'static str, config: LimitConfig, clock: Arc<dyn Clock>, shared: Option<SharedLog>) -> Self {
        let LimitConfig { enabled, requests, window } = config;
        let inner = || {
            Arc::new(Inner { name, requests, window, limiter: SlidingLimiter::new(requests, window), clock, shared })
        };
        Self(enabled.then(inner))
    }

    /// Counts a request in one step with the check, and puts its state on the answer.
    pub async fn admit(&self, key: K, context: &RequestContext) -> Result<Admission, ApiError> {
        let (verdict, admission) = match self.count(key) {
            None => return Ok(Admission::UNCOUNTED),
            Some(Counted::Decided(verdict, admission)) => (verdict, admission),
            Some(Counted::Open(open)) => open.settle().await,
        };
        let (headers, result) = match verdict {
            Ok(headers) => (headers, Ok(admission)),
            Err(refused) => (refused.headers, Err(ApiError::RateLimited(refused.window_secs))),
        };
        headers.promise(context);
        result
    }

    /// Takes back a request counted for a key: it turned out to be one that does not count. The state on the answer is the one
    /// after it.
    pub async fn refund(&self, key: K, admission: Admission, context: &RequestContext) {
        if let Some(headers) = self.take_back(key, admission).await {
            headers.promise(context);
        }
    }

    /// As [`refund`](Self::refund), with the state as headers; `None` when the budget is off.
    pub(super) async fn take_back(&self, key: K, admission: Admission) -> Option<StateHeaders> {
        let inner = self.0.as_ref()?;
        if let Some(stamp) = admission.own {
            inner.limiter.refund(key, stamp);
        }
        let mut state = inner.limiter.state(key, inner.clock.monotonic());
        if let (Some(log), Some(stamp)) = (&inner.shared, admission.shared)
            && let Some(shared) = log.refund(inner.shape(), &key, stamp).await
        {
            state = stricter(state, shared);
        }
        match state {
            Decision::Admitted { left, reset_secs } => Some(inner.headers(left, reset_secs)),
            Decision::Refused { .. } => None,
        }
    }

    /// Forgets the keys whose requests have all left the window; call it now and then, so that memory comes back.
    pub fn sweep(&self) {
        if let Some(inner) = &self.0 {
            inner.limiter.sweep(inner.clock.monotonic());
        }
    }

    /// Counts a request in this process; `None` when the budget is off. Never waits.
    pub(super) fn count(&self, key: K) -> Option<Counted<K>> {
        let inner = self.0.as_ref()?;
        let (own, stamp) = inner.limiter.admit_stamped(key, inner.clock.monotonic());
        Some(match &inner.shared {
            Some(log) if matches!(own, Decision::Admitted { .. }) => {
                if log.is_up() {
                    return Some(Counted::Open(Open { inner: Arc::clone(inner), key, own, stamp }));
                }
                log.fell_back();
                Counted::Decided(inner.verdict(own), Admission::here(stamp))
            }
            _ => Counted::Decided(inner.verdict(own), Admission::here(stamp)),
        })
    }
}

impl<K: BudgetKey> Open<K> {
    /// Asks the others, and tells whether they have counted it. Who gives up waiting leaves it counted, which refuses more, never
    /// less.
    pub(super) async fn settle(self) -> (Verdict, Admission) {
        let Self { inner, key, own, stamp } = self;
        let log = inner.shared.as_ref();
        let answer = match log {
            Some(log) => log.admit(inner.shape(), &key).await,
            None => None,
        };
        match answer {
            None => (inner.verdict(own), Admission::here(stamp)),
            Some((refused @ Decision::Refused { .. }, _)) => {
                inner.limiter.refund(key, stamp);
                (inner.verdict(refused), Admission::UNCOUNTED)
            }
            Some((admitted, shared)) => {
                (inner.verdict(stricter(own, admitted)), Admission { own: Some(stamp), shared: Some(shared) })
            }
        }
    }
}

/// The one that leaves less; after Redis has forgotten something that is the one of this process.
fn stricter(own: Decision, shared: Decision) -> Decision {
    match (own, shared) {
        (Decision::Admitted { left: own_left, .. }, Decision::Admitted { left, .. }) if own_left < left => own,
        _ => shared,
    }
}

impl<K: Hash + Eq + Copy> Inner<K> {
    fn shape(&self) -> Shape {
        Shape { name: self.name, requests: self.limiter.requests(), window: self.window }
    }

    fn verdict(&self, decision: Decision) -> Verdict {
        match decision {
            Decision::Admitted { left, reset_secs } => Ok(self.headers(left, reset_secs)),
            Decision::Refused { reset_secs } => {
                Err(Exhausted { headers: self.headers(0, reset_secs), window_secs: self.window.as_secs() })
            }
        }
    }

    fn headers(&self, left: u32, reset_secs: u64) -> StateHeaders {
        let (name, requests, window) = (self.name, self.requests, self.window.as_secs());
        StateHeaders {
            policy: format!("\"{name}\";q={requests};w={window}"),
            state: format!("\"{name}\";r={left};t={reset_secs}"),
        }
    }
}

impl<K: Hash + Eq> Clone for Budget<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq> fmt::Debug for Budget<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budget").field(&self.0.as_ref().map(|inner| inner.name)).finish()
    }
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug)]
pub(super) struct StateHeaders {
    policy: String,
    state: String,
}

impl StateHeaders {
    /// Leaves them with the edge, which puts them on whatever becomes the answer.
    pub(super) fn promise(&self, context: &RequestContext) {
        self.values().for_each(|(name, value)| context.promise_header(name, value));
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let texts = [(RATE_LIMIT_POLICY, &self.policy), (RATE_LIMIT, &self.state)];
        texts.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(text).ok()?)))
    }
}
