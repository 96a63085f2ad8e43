//! The process's source of randomness.

use rand::RngCore;
use sme_pulse_domain::rng::Rng;

/// A cryptographically secure generator per thread, seeded and reseeded from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
