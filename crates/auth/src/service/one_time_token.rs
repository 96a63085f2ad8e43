//! Tokens that work once: 256 random bits, of which only the SHA-256 is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use sme_pulse_domain::{hex::hex, rng::Rng};
use zeroize::Zeroizing;

/// What a token is good for. One kind is never accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Sets a forgotten password.
    PasswordReset,
    /// Stands for a log-in that waits for its code.
    HalfLogIn,
    /// Lets somebody join an organization.
    Invitation,
    /// Confirms the address that a company signed up with.
    SignUp,
}

impl TokenKind {
    /// What every token of the kind begins with: people and scanners for leaked secrets know it by that.
    const fn prefix(self) -> &'static str {
        match self {
            Self::PasswordReset => "spw_",
            Self::HalfLogIn => "spm_",
            Self::Invitation => "spi_",
            Self::SignUp => "spu_",
        }
    }
}

const BYTES: usize = 32;

/// A token that looks like one of ours. There is no `Debug`.
pub(super) struct OneTimeToken(Zeroizing<String>);

impl OneTimeToken {
    pub(super) fn new(kind: TokenKind, rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rng.fill(bytes.as_mut_slice());
        Self(Zeroizing::new(format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    /// `None` for whatever cannot be a token, without looking at much of it.
    pub(super) fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(kind.prefix()).filter(|rest| rest.len() <= BYTES * 2)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        (bytes.len() == BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text for its holder; it needs no encoding in a link.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The same, to be given away.
    pub(super) fn into_text(self) -> Zeroizing<String> {
        self.0
    }

    /// What is stored of it: its SHA-256 in 64 hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: TokenKind = TokenKind::PasswordReset;

    struct Sevens;

    impl Rng for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_token_reads_back_as_itself_and_its_hash_is_fixed() {
        let token = OneTimeToken::new(KIND, &Sevens);
        assert_eq!(token.text(), "spw_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        let again = OneTimeToken::parse(KIND, token.text()).unwrap();
        assert_eq!((again.text(), again.hash()), (token.text(), token.hash()));
        assert_eq!(token.hash().len(), 64);
    }

    #[test]
    fn no_kind_is_accepted_as_another() {
        let kinds = [TokenKind::PasswordReset, TokenKind::HalfLogIn, TokenKind::Invitation, TokenKind::SignUp];
        for made in kinds {
            let token = OneTimeToken::new(made, &Sevens);
            for wanted in kinds {
                assert_eq!(OneTimeToken::parse(wanted, token.text()).is_some(), made == wanted, "{made:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let good = OneTimeToken::new(KIND, &Sevens);
        for odd in [
            "",
            "spw_",
            &good.text()[4..],
            &good.text()[..46],
            &format!("{}A", good.text()),
            &format!("{}=", good.text()),
            &format!(" {}", good.text()),
            &good.text().replace("spw_", "spr_"),
            OneTimeToken::new(TokenKind::HalfLogIn, &Sevens).text(),
            &format!("spw_{}", "ü".repeat(20)),
            &format!("spw_{}", "A".repeat(1_000_000)),
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
        ] {
            assert!(OneTimeToken::parse(KIND, odd).is_none(), "{odd:.60}");
        }
    }
}
