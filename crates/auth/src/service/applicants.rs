//! Who asks for a hash, as the pool's queue wants to know it: whether they have proved anything, their network, and the
//! organization whose turn it is.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use lru::LruCache;
use sme_pulse_domain::{audit::Origin, email::Email, ids::OrgId, network::Network};

use super::{
    AuthService,
    device::{DeviceId, is_current},
};
use crate::{
    Principal,
    password::{Applicant, Lane, Standing},
};

/// Mail domains remembered at once, a few dozen bytes each.
const DOMAINS: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Which organization the people of a mail domain belong to, as seen at log-ins.
///
/// An address that nobody has waits where an address of the same domain that somebody has would: else, while an
/// organization's people crowd the queue, the time an answer takes would tell who is one of them.
pub(super) struct MailDomains(Mutex<LruCache<u64, Seen>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    One(OrgId),
    /// A provider of mail boxes, for example.
    Several,
}

impl Default for MailDomains {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(DOMAINS)))
    }
}

impl MailDomains {
    fn lane(&self, email: &Email, org: Option<OrgId>) -> Lane {
        let domain = hash(email.domain());
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.get(&domain).copied();
        match (org, before) {
            (Some(org), _) => {
                let now =
                    if before.is_none_or(|before| before == Seen::One(org)) { Seen::One(org) } else { Seen::Several };
                seen.put(domain, now);
                Lane::Organization(org)
            }
            (None, Some(Seen::One(org))) => Lane::Organization(org),
            (None, Some(Seen::Several)) => Lane::Elsewhere(hash(email.as_str())),
            (None, None) => Lane::Elsewhere(domain),
        }
    }
}

/// Tells lanes apart and nothing more, so anybody may know its result.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl AuthService {
    /// Somebody with an address and a password, before the address is looked up.
    pub(super) fn newcomer(&self, device: Option<&str>, origin: &Origin) -> Applicant {
        let may_be_known = device.is_some_and(|text| self.is_device_token(text));
        let standing = if may_be_known { Standing::Proven } else { Standing::Stranger };
        Applicant { standing, network: network(origin), lane: None }
    }

    /// The same afterwards: the organization of the account, if there is one, and the device, if the account knows it.
    pub(super) fn at_the_door(
        &self,
        email: &Email,
        org: Option<OrgId>,
        device: Option<DeviceId>,
        origin: &Origin,
    ) -> Applicant {
        let standing = if device.is_some_and(is_current) { Standing::Proven } else { Standing::Stranger };
        Applicant { standing, network: network(origin), lane: Some(self.mail_domains.lane(email, org)) }
    }
}

/// Somebody who is signed in, for the organization they are in.
pub(super) fn signed_in(caller: &Principal, origin: &Origin) -> Applicant {
    Applicant { lane: Some(Lane::Organization(caller.org_id())), ..with_link(origin) }
}

/// Somebody with a genuine link that was mailed to them.
pub(super) fn with_link(origin: &Origin) -> Applicant {
    Applicant { standing: Standing::Proven, network: network(origin), lane: None }
}

fn network(origin: &Origin) -> Option<Network> {
    origin.client_ip.as_deref()?.parse().ok().map(|address: std::net::IpAddr| Network::from(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn an_address_that_nobody_has_waits_with_the_people_of_its_domain() {
        let domains = MailDomains::default();
        let acme = Lane::Organization(OrgId::new(7));
        let before = domains.lane(&email("x@acme.com"), None);
        assert!(matches!(before, Lane::Elsewhere(_)));
        assert_eq!(before, domains.lane(&email("y@acme.com"), None));
        assert_eq!(domains.lane(&email("ann@acme.com"), Some(OrgId::new(7))), acme);
        assert_eq!(domains.lane(&email("x@acme.com"), None), acme);
        assert_ne!(domains.lane(&email("x@other.com"), None), acme);
    }

    #[test]
    fn addresses_of_a_domain_that_several_share_wait_each_for_itself() {
        let domains = MailDomains::default();
        for org in [7, 8, 7] {
            assert_eq!(
                domains.lane(&email("ann@mail.com"), Some(OrgId::new(org))),
                Lane::Organization(OrgId::new(org))
            );
        }
        let [x, y] = ["x@mail.com", "y@mail.com"].map(|text| domains.lane(&email(text), None));
        assert!(matches!((x, y), (Lane::Elsewhere(_), Lane::Elsewhere(_))) && x != y);
        assert_eq!(x, domains.lane(&email("x@mail.com"), None));
    }
}
