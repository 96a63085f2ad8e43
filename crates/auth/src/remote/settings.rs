//! What a service says about the issuer it follows.

use std::{sync::Arc, time::Duration};

use sme_pulse_domain::clock::Clock;

use super::{Credential, address::Address, following::Following, http::Client};
use crate::{
    BuildError,
    token::{FeedView, KeyRing, Trust, Verifier},
};

/// What happens to tokens while nothing is heard of revocations. There is no default: both have a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedLoss {
    /// So long after the last sign of life every token is undecided, until the feed is back: a revocation is missed for no longer than
    /// that, the leeway of the clocks and two seconds, and an outage of the issuer is an outage here. At least two seconds; the issuer
    /// gives a sign of life every second.
    RefuseAfter(Duration),
    /// Tokens are accepted on, by what was known last: an outage of the issuer is not noticed, and a revocation during it counts
    /// only when the feed is back or the token has expired.
    GoOn,
}

/// The shortest patience that the issuer's signs of life can satisfy.
const LEAST_PATIENCE: Duration = Duration::from_secs(2);

/// An issuer that publishes its keys, and how it is followed.
///
/// ```
/// use std::time::Duration;
/// use sme_pulse_auth::remote::{FeedLoss, Remote};
///
/// let remote = Remote::at("https://auth.example.com")
///     .outage(Duration::from_secs(3_600))
///     .follow_revocations("smep_…", FeedLoss::RefuseAfter(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Remote {
    address: String,
    plain: bool,
    cool_down: Duration,
    outage: Duration,
    timeout: Duration,
    feed: Option<(Credential, FeedLoss)>,
}

/// The rest of what a verifier is made of.
pub(crate) struct Parts<'a> {
    pub(crate) given: KeyRing,
    pub(crate) issuer: Option<&'a str>,
    pub(crate) leeway: u32,
}

impl Remote {
    /// The issuer at this address: its keys are at `/.well-known/jwks.json` below it.
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            plain: false,
            cool_down: Duration::from_secs(10),
            outage: Duration::from_hours(24),
            timeout: Duration::from_secs(5),
            feed: None,
        }
    }

    /// How long nobody's unknown key makes the keys be fetched after they have been; 10 s unless told.
    pub const fn cool_down(mut self, cool_down: Duration) -> Self {
        self.cool_down = cool_down;
        self
    }

    /// How long the keys are used while the issuer is out of reach; 24 h unless told. After that tokens are undecided.
    pub const fn outage(mut self, outage: Duration) -> Self {
        self.outage = outage;
        self
    }

    /// How long the issuer may take to answer, all in all; 5 s unless told.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Allows an address without TLS on another machine. Whoever is on the way to it can then make tokens that are accepted here.
    pub const fn allow_plain_http(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Follows what the issuer takes back, from `/api/v1/auth/revocations`: with an API key, which is told of its organization
    /// only (tokens of others are then treated as if the feed were lost), or with a service account of the operator.
    pub fn follow_revocations(mut self, credential: impl Into<Credential>, loss: FeedLoss) -> Self {
        self.feed = Some((credential.into(), loss));
        self
    }

    pub(crate) fn follow(self, parts: Parts<'_>, clock: &Arc<dyn Clock>) -> Result<Verifier, BuildError> {
        let Parts { given, issuer, leeway } = parts;
        let address = Address::parse(&self.address, self.plain)?;
        if self.timeout.is_zero() {
            return Err(BuildError::Duration("without time no answer can come"));
        }
        let feed = match self.feed {
            None => None,
            Some((credential, loss)) => {
                let patience = patience(loss)?;
                credential.header().ok_or(BuildError::Credential)?;
                Some((credential, patience, issuer.ok_or(BuildError::NoIssuer)?.to_owned()))
            }
        };
        let view = feed.as_ref().map(|(_, patience, _)| FeedView { patience: *patience, told: None.into() });
        let trust = Arc::new(Trust::following(given, self.outage, false, view));
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let client = Client::new(address, self.timeout)?;
        let mut verifier = Verifier::trusting(Arc::clone(&trust), Arc::clone(clock));
        let following = Following::start(super::following::Start {
            runtime,
            trust,
            client,
            clock: Arc::clone(clock),
            cool_down: self.cool_down,
            leeway,
            feed,
        });
        verifier.following = Some(Arc::new(following));
        Ok(verifier)
    }
}

fn patience(loss: FeedLoss) -> Result<Option<Duration>, BuildError> {
    match loss {
        FeedLoss::GoOn => Ok(None),
        FeedLoss::RefuseAfter(patience) if patience < LEAST_PATIENCE => {
            Err(BuildError::Duration("signs of life come every second: refuse after two at the earliest"))
        }
        FeedLoss::RefuseAfter(patience) => Ok(Some(patience)),
    }
}
