//! Who asks for a hash: what the queue needs to know to be fair.

use sme_pulse_domain::{ids::OrgId, network::Network};

/// How much is known of somebody before their password is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// They have proved something: they are signed in, hold a link that was mailed to them, or use a device on which the
    /// account has logged in before. They go first.
    Proven,
    /// Nothing is known; storms are made of these.
    Stranger,
}

/// The organization that somebody's turn is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The one they work in.
    Organization(OrgId),
    /// There is none: whatever else tells groups of them apart, by its hash.
    Elsewhere(u64),
}

/// Somebody who wants a hash computed. Turns are shared out between networks and between lanes, so that neither one
/// noisy client nor one organization uses up the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applicant {
    /// Whether anything is known of them.
    pub standing: Standing,
    /// Where they call from. All whose address is not known share one place in the order.
    pub network: Option<Network>,
    /// The organization they call for. `None` before it has been looked up.
    pub lane: Option<Lane>,
}
