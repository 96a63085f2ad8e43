//! Verification: the token's text is checked before anything is decoded, the signature before any claim counts, and what the
//! issuer has taken back last.

use std::{fmt, sync::Arc};

use sme_pulse_domain::clock::{Clock, SystemClock};

use super::{
    AccessClaims, Algorithm, KeyId, KeyRing, TokenError, Trust, VerifyError, VerifyingKey, claims::Expected,
    json::Object, message::Kind,
};
use crate::VerifierBuilder;

/// Longest accepted token in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Verifies access tokens. A key fixes its algorithm; nothing in a token fetches one. Clones are cheap and share what they trust, which
/// changes while others read it, without a lock.
#[derive(Clone)]
pub struct Verifier {
    pub(crate) trust: Arc<Trust>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) leeway: u32,
    pub(crate) clock: Arc<dyn Clock>,
    #[cfg(feature = "remote")]
    pub(crate) following: Option<Arc<crate::remote::Following>>,
}

impl Verifier {
    /// Begins a verifier: of tokens of whom, with which keys.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }

    /// A verifier for tokens signed with a shared secret. The leeway starts at 5 s. An algorithm of public keys leaves it without
    /// a key, so that it refuses every token; [`builder`](Self::builder) says so instead.
    pub fn new(secret: &[u8], algorithm: Algorithm) -> Self {
        let ring = VerifyingKey::shared_secret(secret, algorithm).and_then(|key| KeyRing::new([key]));
        Self::with_keys(ring.unwrap_or_default())
    }

    /// A verifier for tokens signed with one of these keys.
    pub fn with_keys(keys: KeyRing) -> Self {
        Self::trusting(Arc::new(Trust::given(keys)), Arc::new(SystemClock::default()))
    }

    pub(crate) fn trusting(trust: Arc<Trust>, clock: Arc<dyn Clock>) -> Self {
        Self {
            trust,
            issuer: None,
            audience: None,
            leeway: 5,
            clock,
            #[cfg(feature = "remote")]
            following: None,
        }
    }

    /// The keys that count now.
    pub fn keys(&self) -> KeyRing {
        self.trust.ring()
    }

    /// Puts other keys in the place of those that were given, for all clones. Those that are fetched stay.
    pub fn replace_keys(&self, keys: KeyRing) {
        self.trust.give(keys);
    }

    /// Refuses tokens whose `iss` is there and different.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Refuses tokens whose `aud` is there and different.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audience = Some(audience.to_owned());
        self
    }

    /// How far clocks may differ, in seconds, when `exp` and `nbf` are compared. Where revocations are followed, it is the builder's to set:
    /// how long they are remembered depends on it.
    #[must_use]
    pub const fn leeway_seconds(mut self, leeway: u32) -> Self {
        self.leeway = leeway;
        self
    }

    /// The leeway in seconds.
    pub const fn leeway(&self) -> u32 {
        self.leeway
    }

    /// The claims of a genuine, current token that has not been taken back, by what is known at this moment: nothing is waited for.
    /// A key that is not known yet is fetched in the background; [`verify_fresh`](Self::verify_fresh) waits for it.
    pub fn verify(&self, token: &str) -> Result<AccessClaims, VerifyError> {
        let verdict = self.verify_at(token, self.clock.now().timestamp());
        #[cfg(feature = "remote")]
        if let (Err(error), Some(following)) = (&verdict, &self.following)
            && may_need_keys(*error)
        {
            following.nudge();
        }
        verdict
    }

    /// The same, at a second since 1970. (How old keys and feed are, the verifier's own clock tells.)
    pub fn verify_at(&self, token: &str, now: i64) -> Result<AccessClaims, VerifyError> {
        let claims = self.decode(token).map_err(|error| self.explained(error))?;
        self.check(&claims, now)?;
        Ok(claims)
    }

    /// The same as [`verify`](Self::verify); but where keys are fetched from an issuer and the token names one that is not known, the keys are
    /// fetched once more, at most once per cool-down whatever is asked, and any number of callers wait for the same answer. During a cool-down
    /// who follows the revocations waits two seconds at most for the issuer to speak with a new key; others refuse at once.
    #[cfg_attr(not(feature = "remote"), expect(clippy::unused_async, reason = "the same signature with every feature"))]
    pub async fn verify_fresh(&self, token: &str) -> Result<AccessClaims, VerifyError> {
        let verdict = self.verify_at(token, self.clock.now().timestamp());
        #[cfg(feature = "remote")]
        if let (Err(error), Some(following)) = (&verdict, &self.following)
            && may_need_keys(*error)
        {
            let fetched = following.keys_fetched().await;
            let verdict = self.verify_at(token, self.clock.now().timestamp());
            if fetched || !is_unknown(&verdict) {
                return verdict;
            }
            let spoke = following.issuer_spoke().await;
            let verdict = self.verify_at(token, self.clock.now().timestamp());
            return if spoke || !is_unknown(&verdict) {
                verdict
            } else {
                Err(super::Undecided::KeysUnavailable.into())
            };
        }
        verdict
    }

    /// The claims of a genuine token, which may have expired or been taken back: callers that keep the result check it on each use
    /// ([`check`](Self::check)).
    pub fn decode(&self, token: &str) -> Result<AccessClaims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let keys = self.trust.keys.load();
        let opened = keys.ring.open(token, Kind::AccessToken)?;
        let claims = Object::parse(&opened.payload).ok_or(TokenError::BadClaim("set"))?;
        let expected = Expected { issuer: self.issuer.as_deref(), audience: self.audience.as_deref() };
        AccessClaims::read(&claims, opened.key.id().cloned(), &expected)
    }

    /// Whether a token that was genuine when it was decoded counts at `now` (seconds since 1970): its times, whether its key is still
    /// among those that count, and whether it has been taken back.
    pub fn check(&self, claims: &AccessClaims, now: i64) -> Result<(), VerifyError> {
        let keys = self.trust.keys.load();
        let key = keys.ring.find(claims.key.as_ref().map(KeyId::as_str)).filter(|key| key.counts_at(now));
        if key.is_none() {
            return Err(self.trust.unknown_key());
        }
        claims.check_times(now, self.leeway)?;
        self.trust.judge(claims, &*self.clock, self.leeway)
    }

    fn explained(&self, error: TokenError) -> VerifyError {
        if error == TokenError::UnknownKey { self.trust.unknown_key() } else { error.into() }
    }
}

/// Whether fetching keys may change the verdict.
#[cfg(feature = "remote")]
const fn may_need_keys(error: VerifyError) -> bool {
    use super::Undecided;
    matches!(
        error,
        VerifyError::Refused(TokenError::UnknownKey)
            | VerifyError::Undecided(Undecided::KeysUnavailable | Undecided::KeysTooOld)
    )
}

#[cfg(feature = "remote")]
const fn is_unknown(verdict: &Result<AccessClaims, VerifyError>) -> bool {
    matches!(verdict, Err(VerifyError::Refused(TokenError::UnknownKey)))
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, audience, leeway, .. } = self;
        f.debug_struct("Verifier")
            .field("issuer", issuer)
            .field("audience", audience)
            .field("leeway", leeway)
            .finish_non_exhaustive()
    }
}
