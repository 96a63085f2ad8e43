//! The token of a log-in that waits for its code: 256 random bits, stored as a hash only.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sme_pulse_domain::rng::Rng;
use zeroize::Zeroizing;

use super::code::hash;

/// What every such token begins with, so that people and scanners for leaked secrets know it.
const PREFIX: &str = "spm_";
const BYTES: usize = 32;

/// A new token for the client.
pub(super) fn new(rng: &dyn Rng) -> Zeroizing<String> {
    let mut random = Zeroizing::new([0; BYTES]);
    rng.fill(random.as_mut_slice());
    Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random.as_slice())))
}

/// What is stored of a token; `None` for texts that are none.
pub(super) fn stored_form(token: &str) -> Option<String> {
    let random = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    (random.len() == BYTES).then(|| hash(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Rng for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn only_tokens_of_this_kind_have_a_stored_form() {
        let token = new(&Fixed);
        assert!(stored_form(&token).is_some_and(|stored| stored.len() == 64));
        let (cut, longer) = (&token[..token.len() - 1], format!("{}A", *token));
        for odd in ["", "spm_", "spr_AAAA", "a.b.c", cut, &longer, &token.replace("spm_", "")] {
            assert_eq!(stored_form(odd), None, "{odd}");
        }
    }
}
