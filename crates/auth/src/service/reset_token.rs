//! Reset tokens: 256 random bits that set a forgotten password once. Only their SHA-256 is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use sme_pulse_domain::{hex::hex, rng::Rng};
use zeroize::Zeroizing;

/// What every reset token begins with: people and scanners for leaked secrets know it by that.
const PREFIX: &str = "spw_";
const BYTES: usize = 32;

/// A token that looks like one of ours. There is no `Debug`.
pub(super) struct ResetToken(Zeroizing<String>);

impl ResetToken {
    pub(super) fn new(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rng.fill(bytes.as_mut_slice());
        Self(Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    /// `None` for whatever cannot be a token, without looking at much of it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX).filter(|rest| rest.len() <= BYTES * 2)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        (bytes.len() == BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text that goes into the link; it needs no encoding there.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// What is stored of it: its SHA-256 in 64 hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;

    impl Rng for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_token_reads_back_as_itself_and_its_hash_is_fixed() {
        let token = ResetToken::new(&Sevens);
        assert_eq!(token.text(), "spw_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        let again = ResetToken::parse(token.text()).unwrap();
        assert_eq!((again.text(), again.hash()), (token.text(), token.hash()));
        assert_eq!(token.hash().len(), 64);
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let good = ResetToken::new(&Sevens);
        for odd in [
            "",
            "spw_",
            &good.text()[4..],
            &good.text()[..46],
            &format!("{}A", good.text()),
            &format!("{}=", good.text()),
            &format!(" {}", good.text()),
            &good.text().replace("spw_", "spr_"),
            &format!("spw_{}", "ü".repeat(20)),
            &format!("spw_{}", "A".repeat(1_000_000)),
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
        ] {
            assert!(ResetToken::parse(odd).is_none(), "{odd:.60}");
        }
    }
}
