//! Making a verifier: nonsense is an error now, not a refusal of every token later.

use std::{fmt, sync::Arc};

use sme_pulse_domain::clock::{Clock, SystemClock};

use crate::token::{Algorithm, KeyError, KeyRing, Trust, Verifier, VerifyingKey};

/// Fewest bytes of a shared secret, as the issuer demands them.
const SHORTEST_SECRET: usize = 32;

/// Why a verifier cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither a secret, nor keys, nor an issuer to ask: it would refuse every token.
    #[error("the verifier has no source of keys")]
    NoKeys,
    /// Fewer than 32 bytes.
    #[error("the shared secret is shorter than 32 bytes")]
    ShortSecret,
    /// The keys cannot be used together, or the algorithm is not for a secret.
    #[error("the keys cannot be used: {0}")]
    Keys(#[from] KeyError),
    /// No absolute `https` address without user, query and fragment.
    #[error("the address of the issuer cannot be used: {0}")]
    Address(&'static str),
    /// A duration that makes no sense.
    #[error("{0}")]
    Duration(&'static str),
    /// Revocations are followed, and nobody has said whose.
    #[error("whoever follows revocations names the issuer")]
    NoIssuer,
    /// The credential for the feed holds characters that no header may have.
    #[error("the credential cannot be sent in a header")]
    Credential,
    /// Fetching needs a tokio runtime, in which `build` is called.
    #[error("there is no tokio runtime to fetch keys in")]
    NoRuntime,
    /// The certificates that the system trusts cannot be read.
    #[error("no secure connection can be made: {0}")]
    Tls(String),
}

/// Makes a [`Verifier`]. Keys may come from several sources at once: a shared secret for tokens of before a change to key pairs, and
/// an issuer for those of after it.
#[must_use]
pub struct VerifierBuilder {
    issuer: Option<String>,
    audience: Option<String>,
    leeway: u32,
    clock: Arc<dyn Clock>,
    secrets: Vec<(Vec<u8>, Algorithm)>,
    keys: Vec<VerifyingKey>,
    #[cfg(feature = "remote")]
    remote: Option<crate::remote::Remote>,
}

impl Default for VerifierBuilder {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            leeway: 5,
            clock: Arc::new(SystemClock::default()),
            secrets: Vec::new(),
            keys: Vec::new(),
            #[cfg(feature = "remote")]
            remote: None,
        }
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl VerifierBuilder {
    /// Refuses tokens whose `iss` is there and different: `BACKEND_JWT_ISSUER` of the installation.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Refuses tokens whose `aud` is there and different: `BACKEND_JWT_AUDIENCE` of the installation.
    pub fn audience(mut self, audience: &str) -> Self {
        self.audience = Some(audience.to_owned());
        self
    }

    /// How far clocks may differ, in seconds; 5 unless told.
    pub const fn leeway_seconds(mut self, leeway: u32) -> Self {
        self.leeway = leeway;
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Accepts tokens signed with this secret (`BACKEND_SECRET_KEY` of the installation). Who has it can make tokens, too: prefer key
    /// pairs where the installation has them.
    pub fn shared_secret(mut self, secret: &[u8], algorithm: Algorithm) -> Self {
        self.secrets.push((secret.to_vec(), algorithm));
        self
    }

    /// Accepts tokens signed with one of these keys.
    pub fn keys(mut self, keys: &KeyRing) -> Self {
        self.keys.extend(keys.iter().cloned());
        self
    }

    /// Accepts tokens signed with the keys that the issuer publishes, and follows their rotation.
    #[cfg(feature = "remote")]
    pub fn remote(mut self, remote: crate::remote::Remote) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The verifier. With `remote` it is called within a tokio runtime, which the work in the background is done in for as long as a
    /// clone of the verifier lives; it does not wait for the first keys
    #[cfg_attr(feature = "remote", doc = "([`Verifier::ready`] does).")]
    #[cfg_attr(not(feature = "remote"), doc = "(`Verifier::ready` does).")]
    pub fn build(self) -> Result<Verifier, BuildError> {
        let mut keys = self.keys;
        for (secret, algorithm) in &self.secrets {
            if secret.len() < SHORTEST_SECRET {
                return Err(BuildError::ShortSecret);
            }
            keys.push(VerifyingKey::shared_secret(secret, *algorithm)?);
        }
        let given = KeyRing::new(keys)?;
        #[cfg(feature = "remote")]
        let mut verifier = match self.remote {
            Some(remote) => {
                let parts = crate::remote::Parts { given, issuer: self.issuer.as_deref(), leeway: self.leeway };
                remote.follow(parts, &self.clock)?
            }
            None => Self::alone(given, self.clock)?,
        };
        #[cfg(not(feature = "remote"))]
        let mut verifier = Self::alone(given, self.clock)?;
        verifier.issuer = self.issuer;
        verifier.audience = self.audience;
        verifier.leeway = self.leeway;
        Ok(verifier)
    }

    fn alone(given: KeyRing, clock: Arc<dyn Clock>) -> Result<Verifier, BuildError> {
        if given.is_empty() {
            return Err(BuildError::NoKeys);
        }
        Ok(Verifier::trusting(Arc::new(Trust::given(given)), clock))
    }
}
