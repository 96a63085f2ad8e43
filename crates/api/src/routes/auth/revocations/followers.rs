//! Who follows revocations now: so many at once, so many of one caller, and none once the server stops.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::web::Data;
use sme_pulse_auth::guard::Reach;
use sme_pulse_domain::ids::{OrgId, UserId};
use tokio::sync::watch;

use crate::error::ApiError;

/// Streams of one process. Each costs a signature a second.
const AT_MOST: usize = 256;
/// Streams of one caller: a few replicas of a few services.
const OF_ONE: usize = 16;
/// Seconds after which a caller with too many may try again.
const TRY_AGAIN: u64 = 5;

/// Whose streams count together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Follower {
    User(UserId, OrgId),
    Service(String),
}

impl Follower {
    pub(super) fn of(reach: &Reach) -> Self {
        match reach {
            Reach::Organization(principal) => Self::User(principal.user_id(), principal.org_id()),
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
    of: HashMap<Follower, usize>,
}

impl Followers {
    /// Ends all streams, and lets none begin any more.
    pub fn end(&self) {
        self.stopped.send_replace(true);
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
        if *stopped.borrow() || places.taken >= AT_MOST {
            return Err(ApiError::Overloaded);
        }
        let own = places.of.entry(who.clone()).or_default();
        if *own >= OF_ONE {
            return Err(ApiError::RateLimited(TRY_AGAIN));
        }
        *own = own.saturating_add(1);
        places.taken = places.taken.saturating_add(1);
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

    fn user(number: i64) -> Follower {
        Follower::User(UserId::new(number), OrgId::new(1))
    }

    #[test]
    fn one_caller_has_so_many_and_the_process_so_many_and_places_come_back() {
        let followers = Data::new(Followers::default());
        let mut places: Vec<_> = (0..OF_ONE).map(|_| Place::take(&followers, user(0)).unwrap()).collect();
        assert!(matches!(Place::take(&followers, user(0)), Err(ApiError::RateLimited(TRY_AGAIN))));
        let others = i64::try_from(AT_MOST - OF_ONE).unwrap();
        places.extend((1..=others).map(|number| Place::take(&followers, user(number)).unwrap()));
        assert!(matches!(Place::take(&followers, Follower::Service("one".to_owned())), Err(ApiError::Overloaded)));
        drop(places);
        assert!(Place::take(&followers, user(0)).is_ok());
        assert!(followers.lock().of.is_empty() && followers.lock().taken == 0);
    }

    #[tokio::test]
    async fn the_end_reaches_who_follows_and_who_would() {
        let followers = Data::new(Followers::default());
        let mut place = Place::take(&followers, user(1)).unwrap();
        followers.end();
        place.end().await;
        assert!(matches!(Place::take(&followers, user(2)), Err(ApiError::Overloaded)));
    }
}
