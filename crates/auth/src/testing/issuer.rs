//! An issuer inside a test: keys of its own, tokens, key sets and revocations.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sme_pulse_domain::rng::Rng;

use super::{FixedClock, Minting};
use crate::{
    VerifierBuilder,
    revocation::{Revocation, Revocations, Revoked},
    token::{Algorithm, KeyRing, Signer, SigningKey, Verifier},
};

/// `iss` of its tokens.
pub const NAME: &str = "sme-pulse";
/// `aud` of its tokens.
pub const AUDIENCE: &str = "sme-pulse-api";
/// How long its revocations are to be remembered, in seconds.
pub const KEEP_SECONDS: u32 = 86_400;

/// An issuer with a fresh key pair, on a clock that stands still. Shared by reference.
pub struct Issuer {
    state: Mutex<State>,
    clock: Arc<FixedClock>,
}

struct State {
    /// The one that signs, first; the published ones after it.
    keys: Vec<SigningKey>,
    /// Stands for those that signed before and are still published.
    retired: Vec<SigningKey>,
    revoked: Vec<Revocation>,
    seq: u64,
    tokens: u64,
}

/// Differs between processes, not more: the keys are for tests.
struct TestRng(RandomState);

impl Rng for TestRng {
    fn fill(&self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = self.0.hash_one(at).to_le_bytes().first().copied().unwrap_or_default();
        }
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}

impl Issuer {
    /// One that signs with Ed25519.
    pub fn new() -> Self {
        Self::signing_with(Algorithm::EdDsa)
    }

    /// One that signs with Ed25519 or ES256; a symmetric algorithm becomes Ed25519.
    pub fn signing_with(algorithm: Algorithm) -> Self {
        let algorithm = if algorithm.is_symmetric() { Algorithm::EdDsa } else { algorithm };
        let state = State { keys: vec![fresh(algorithm)], retired: Vec::new(), revoked: Vec::new(), seq: 0, tokens: 0 };
        Self { state: Mutex::new(state), clock: Arc::default() }
    }

    /// The clock that its tokens and verifiers go by.
    pub const fn clock(&self) -> &Arc<FixedClock> {
        &self.clock
    }

    /// A verifier of its tokens, by its clock, with the keys it has now.
    pub fn verifier(&self) -> Verifier {
        let clock: Arc<FixedClock> = Arc::clone(&self.clock);
        let mut verifier = Verifier::with_keys(self.keys()).issuer(NAME).audience(AUDIENCE);
        verifier.clock = clock;
        verifier
    }

    /// The beginning of a verifier that is to find its keys elsewhere: name, audience and clock are set.
    pub fn verifier_builder(&self) -> VerifierBuilder {
        let clock: Arc<FixedClock> = Arc::clone(&self.clock);
        Verifier::builder().issuer(NAME).audience(AUDIENCE).clock(clock)
    }

    /// Begins a token: for an owner of organization 1, half an hour, a session of its own.
    pub fn token(&self) -> Minting<'_> {
        let mut state = self.lock();
        state.tokens = state.tokens.saturating_add(1);
        Minting::new(self, state.tokens, state.seq)
    }

    /// What signs now.
    pub fn signer(&self) -> Signer {
        let state = self.lock();
        // There is always a first key; without one the tokens would be nobody's.
        state.keys.first().map_or_else(
            || Signer::new(&[], Algorithm::Hs256, NAME, AUDIENCE),
            |key| Signer::with_key(key, NAME, AUDIENCE),
        )
    }

    /// The public keys it publishes.
    pub fn keys(&self) -> KeyRing {
        let state = self.lock();
        KeyRing::new(state.keys.iter().chain(&state.retired).map(|key| key.public().clone())).unwrap_or_default()
    }

    /// The same as a document, as `/.well-known/jwks.json` answers it.
    pub fn key_set(&self) -> String {
        self.keys().to_jwks()
    }

    /// Publishes another key, which does not sign yet.
    pub fn publish_next(&self) {
        let mut state = self.lock();
        let algorithm = state.keys.first().map_or(Algorithm::EdDsa, SigningKey::algorithm);
        state.keys.push(fresh(algorithm));
    }

    /// Signs with the next key from now on, a fresh one if none has been published; the one before stays published.
    pub fn rotate(&self) {
        if self.lock().keys.len() < 2 {
            self.publish_next();
        }
        let mut state = self.lock();
        let old = state.keys.remove(0);
        state.retired.push(old);
    }

    /// Publishes none of the keys any more that have signed before.
    pub fn forget_retired(&self) {
        self.lock().retired.clear();
    }

    /// Takes something back. The number of the revocation.
    pub fn revoke(&self, what: Revoked) -> u64 {
        let mut state = self.lock();
        state.seq = state.seq.saturating_add(1);
        let seq = state.seq;
        state.revoked.push(Revocation { seq, what });
        seq
    }

    /// The number of the newest revocation.
    pub fn seq(&self) -> u64 {
        self.lock().seq
    }

    /// All it has taken back after a number, as a message of this second; 0 for a snapshot.
    pub fn message(&self, after: u64) -> Revocations {
        let state = self.lock();
        let entries = state.revoked.iter().filter(|entry| entry.seq > after).cloned().collect();
        let at = self.clock.seconds();
        Revocations { issuer: NAME.to_owned(), only: None, after, seq: state.seq, at, keep: KEEP_SECONDS, entries }
    }

    /// The same, signed.
    pub fn signed_message(&self, after: u64) -> String {
        self.sign(&self.message(after))
    }

    /// Any message, signed.
    pub fn sign(&self, message: &Revocations) -> String {
        // Our own types always serialize.
        message.seal(&self.signer()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::panic, reason = "a test cannot go on without a key, and one in 2^256 tries ends here")]
fn fresh(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &TestRng(RandomState::new())).unwrap_or_else(|error| panic!("{error}"))
}
