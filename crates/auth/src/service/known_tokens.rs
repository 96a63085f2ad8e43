//! Tokens whose signature has been verified before: bounded, keyed by the whole token, least recently used goes first.
//! Only what cannot change is kept, so nothing here ever has to be forgotten; times are checked on each use.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;

use crate::token::{AccessClaims, TokenError, Verifier};

/// Tokens kept per part, times [`PARTS`]: with ours of about 500 bytes some 20 MB at the most.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(2_048).unwrap();
/// Parts with a lock of their own.
const PARTS: usize = 16;
/// Our own tokens are about half of this; longer ones, signed by somebody with our key, are verified every time.
const LONGEST: usize = 1_024;

type Part = Mutex<LruCache<Box<str>, Arc<AccessClaims>>>;

pub(super) struct KnownTokens(Vec<Part>);

impl Default for KnownTokens {
    fn default() -> Self {
        // Unbounded caches allocate as they fill; the bound is kept by hand.
        Self((0..PARTS).map(|_| Mutex::new(LruCache::unbounded())).collect())
    }
}

impl KnownTokens {
    /// The claims of a genuine token; whether they are current is the caller's to check.
    pub(super) fn claims(&self, verifier: &Verifier, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        let part = self.part(token);
        if let Some(claims) = part.and_then(|part| lock(part).get(token).cloned()) {
            return Ok(claims);
        }
        let claims = Arc::new(verifier.decode(token)?);
        if let Some(part) = part.filter(|_| token.len() <= LONGEST) {
            let mut known = lock(part);
            known.put(token.into(), Arc::clone(&claims));
            if known.len() > CAPACITY.get() {
                known.pop_lru();
            }
        }
        Ok(claims)
    }

    /// By the last character of the signature that has six random bits; the very last one may have as few as two.
    fn part(&self, token: &str) -> Option<&Part> {
        let character = token.bytes().nth_back(1)?;
        self.0.get(usize::from(character).checked_rem(PARTS)?)
    }
}

fn lock(part: &Part) -> std::sync::MutexGuard<'_, LruCache<Box<str>, Arc<AccessClaims>>> {
    // No code that can panic runs under the lock but the map's own.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
