//! Who follows revocations now: so many at once, so many of one caller, and none once the server stops.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::web::Data;
use sme_pulse_auth::guard::Reach;
use sme_pulse_domain::ids::OrgId;
use tokio::sync::watch;

use crate::error::ApiError;

/// Streams of one process. Each costs a signature a second.
const AT_MOST: usize = 256;
/// Those of them that organizations may have all together: what the operator's own services follow is never crowded out.
const OF_ORGANIZATIONS: usize = 192;
/// Streams of one organization or service account: a few replicas of a few services.
const OF_ONE: usize = 16;
/// Seconds after which a caller with too many may try again.
const TRY_AGAIN: u64 = 5;

/// Whose streams count together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Follower {
    Organization(OrgId),
    Service(String),
}

impl Follower {
    pub(super) fn of(reach: &Reach) -> Self {
        match reach {
            Reach::Organization(principal) => Self::Organization(principal.org_id()),
            Reach::Installation(name) => Self::Service(name.clone()),
        }
    }
}

/// The streams of a process.
#[derive(Debug, Default)]
pub struct Followers {
    places: Mutex<Places>,
    stopped: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Places {
    taken: usize,
    /// Of those, by organizations.
    by_organizations: usize,
    of: HashMap<Follower, usize>,
}

impl Followers {
    /// Ends all streams, and lets none begin any more.
    pub fn end(&self) {
        self.stopped.send_replace(true);
    }

    /// How many streams there are now.
    pub fn count(&self) -> usize {
        self.lock().taken
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        // No code that can panic runs under the lock but the map's own.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by a stream for as long as it runs.
pub(super) struct Place {
    followers: Data<Followers>,
    who: Follower,
    stopped: watch::Receiver<bool>,
}

impl Place {
    /// A place for one more stream.
    pub(super) fn take(followers: &Data<Followers>, who: Follower) -> Result<Self, ApiError> {
        let stopped = followers.stopped.subscribe();
        let mut places = followers.lock();
        let is_organization = matches!(who, Follower::Organization(_));
        let crowded = is_organization && places.by_organizations >= OF_ORGANIZATIONS;
        if *stopped.borrow() || places.taken >= AT_MOST || crowded {
            return Err(ApiError::Overloaded);
        }
        let own = places.of.entry(who.clone()).or_default();
        if *own >= OF_ONE {
            return Err(ApiError::RateLimited(TRY_AGAIN));
        }
        *own = own.saturating_add(1);
        places.taken = places.taken.saturating_add(1);
        places.by_organizations = places.by_organizations.saturating_add(usize::from(is_organization));
        drop(places);
        Ok(Self { followers: followers.clone(), who, stopped })
    }

    /// Returns when the server stops.
    pub(super) async fn end(&mut self) {
        // The sender lives as long as this does.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.followers.lock();
        places.taken = places.taken.saturating_sub(1);
        if matches!(self.who, Follower::Organization(_)) {
            places.by_organizations = places.by_organizations.saturating_sub(1);
        }
        if let Some(own) = places.of.get_mut(&self.who) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                places.of.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i64) -> Follower {
        Follower::Organization(OrgId::new(number))
    }

    #[test]
    fn each_has_so_many_organizations_so_many_together_and_places_come_back() {
        let followers = Data::new(Followers::default());
        let take = |who: Follower| Place::take(&followers, who);
        let mut places: Vec<_> = (0..OF_ONE).map(|_| take(of(1)).unwrap()).collect();
        assert!(matches!(take(of(1)), Err(ApiError::RateLimited(TRY_AGAIN))));
        let others = i64::try_from(OF_ORGANIZATIONS - OF_ONE).unwrap();
        places.extend((2..2 + others).map(|number| take(of(number)).unwrap()));
        assert!(matches!(take(of(1_000)), Err(ApiError::Overloaded)));
        let services =
            (0..AT_MOST - OF_ORGANIZATIONS).map(|number| take(Follower::Service(number.to_string())).unwrap());
        places.extend(services.collect::<Vec<_>>());
        assert!(matches!(take(Follower::Service("one".to_owned())), Err(ApiError::Overloaded)));
        drop(places);
        assert!(take(of(1)).is_ok());
        let left = followers.lock();
        assert!(left.of.is_empty() && left.taken == 0 && left.by_organizations == 0);
    }

    #[tokio::test]
    async fn the_end_reaches_who_follows_and_who_would() {
        let followers = Data::new(Followers::default());
        let mut place = Place::take(&followers, of(1)).unwrap();
        followers.end();
        place.end().await;
        assert!(matches!(Place::take(&followers, of(2)), Err(ApiError::Overloaded)));
    }
}
