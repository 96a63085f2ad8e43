//! A named budget: so many requests per key and window, and the headers that tell a client where it stands.

use std::{fmt, hash::Hash, sync::Arc, time::Duration};

use actix_web::http::header::{HeaderName, HeaderValue};
use sme_pulse_domain::clock::Clock;

use super::{Decision, LimitConfig, SlidingLimiter};
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
}

/// A request that was not let through.
#[derive(Debug)]
pub(super) struct Exhausted {
    pub(super) headers: StateHeaders,
    pub(super) window_secs: u64,
}

impl<K: Hash + Eq + Copy> Budget<K> {
    /// A budget; one that is not enabled lets everything through and shows no headers.
    pub fn new(name: &'static str, config: LimitConfig, clock: Arc<dyn Clock>) -> Self {
        let LimitConfig { enabled, requests, window } = config;
        let inner =
            || Arc::new(Inner { name, requests, window, limiter: SlidingLimiter::new(requests, window), clock });
        Self(enabled.then(inner))
    }

    /// Counts a request in one step with the check, and puts its state on the answer.
    pub fn admit(&self, key: K, context: &RequestContext) -> Result<(), ApiError> {
        let Some(counted) = self.count(key) else { return Ok(()) };
        let (headers, result) = match counted {
            Ok(headers) => (headers, Ok(())),
            Err(refused) => (refused.headers, Err(ApiError::RateLimited(refused.window_secs))),
        };
        headers.promise(context);
        result
    }

    /// Takes back the newest request counted for a key: it turned out to be one that does not count. The state on the
    /// answer is the one after it.
    pub fn refund(&self, key: K, context: &RequestContext) {
        let Some(inner) = &self.0 else { return };
        inner.limiter.refund(key);
        if let Decision::Admitted { left, reset_secs } = inner.limiter.state(key, inner.clock.monotonic()) {
            inner.headers(left, reset_secs).promise(context);
        }
    }

    /// Forgets the keys whose requests have all left the window; call it now and then, so that memory comes back.
    pub fn sweep(&self) {
        if let Some(inner) = &self.0 {
            inner.limiter.sweep(inner.clock.monotonic());
        }
    }

    /// `None` when the budget is off.
    pub(super) fn count(&self, key: K) -> Option<Result<StateHeaders, Exhausted>> {
        let inner = self.0.as_ref()?;
        Some(match inner.limiter.admit(key, inner.clock.monotonic()) {
            Decision::Admitted { left, reset_secs } => Ok(inner.headers(left, reset_secs)),
            Decision::Refused { reset_secs } => {
                Err(Exhausted { headers: inner.headers(0, reset_secs), window_secs: inner.window.as_secs() })
            }
        })
    }
}

impl<K: Hash + Eq> Inner<K> {
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
