//! When sessions were last used: collected in memory, written now and then for all of them at once, so that no request
//! waits for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use sme_pulse_domain::ids::SessionId;
use sme_pulse_persistence::{StoreError, retrying};

use super::AuthService;

/// Sessions collected at the most, some 3 MB; what comes on top is not noted this time.
const AT_MOST: usize = 65_536;
/// No row is written more often than this.
const INTERVAL: Duration = Duration::minutes(1);

/// The sessions used since they were last written.
#[derive(Default)]
pub(super) struct LastSeen(Mutex<HashMap<SessionId, DateTime<Utc>>>);

impl LastSeen {
    pub(super) fn note(&self, session: SessionId, at: DateTime<Utc>) {
        let mut seen = self.lock();
        if seen.len() < AT_MOST || seen.contains_key(&session) {
            let newest = seen.entry(session).or_insert(at);
            *newest = at.max(*newest);
        }
    }

    /// Takes all out, grouped by the minute: one instant will do for those used within the same.
    fn take(&self) -> BTreeMap<i64, Group> {
        let seen = std::mem::take(&mut *self.lock());
        let mut groups = BTreeMap::<i64, Group>::new();
        for (session, at) in seen {
            let minute = at.timestamp().div_euclid(INTERVAL.num_seconds());
            let group = groups.entry(minute).or_insert_with(|| Group { newest: at, sessions: Vec::new() });
            group.newest = group.newest.max(at);
            group.sessions.push(session);
        }
        // Every process takes rows in one order, so that two of them hardly ever wait for each other.
        for group in groups.values_mut() {
            group.sessions.sort_unstable();
        }
        groups
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, DateTime<Utc>>> {
        // No code that can panic runs under the lock but the map's own.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions last used in the same minute.
struct Group {
    newest: DateTime<Utc>,
    sessions: Vec<SessionId>,
}

impl AuthService {
    /// Writes when sessions were last used. To be called every minute, and before the end of the process.
    pub async fn write_last_seen(&self) -> Result<(), StoreError> {
        let groups = self.seen.take();
        if groups.is_empty() {
            return Ok(());
        }
        let written = retrying(|| self.write(&groups)).await;
        if written.is_err() {
            for group in groups.values() {
                group.sessions.iter().for_each(|session| self.seen.note(*session, group.newest));
            }
        }
        written
    }

    async fn write(&self, groups: &BTreeMap<i64, Group>) -> Result<(), StoreError> {
        let tx = self.parts.store.begin_system().await?;
        for Group { newest, sessions } in groups.values() {
            let not_after = newest.checked_sub_signed(INTERVAL).unwrap_or(*newest);
            tx.note_seen(sessions, *newest, not_after).await?;
        }
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn each_session_counts_once_with_its_newest_time_and_minutes_share_one() {
        let (seen, id) = (LastSeen::default(), |number| SessionId::new(uuid::Uuid::from_u128(number)));
        for (session, second) in [(1, 60), (1, 90), (1, 70), (2, 110), (3, 121)] {
            seen.note(id(session), at(second));
        }
        let groups: Vec<_> = seen.take().into_values().map(|group| (group.newest, group.sessions)).collect();
        assert_eq!(groups, [(at(110), vec![id(1), id(2)]), (at(121), vec![id(3)])]);
        assert!(seen.take().is_empty());
    }

    #[test]
    fn what_is_collected_is_bounded() {
        let seen = LastSeen::default();
        for number in 0..u128::try_from(AT_MOST).unwrap() + 9 {
            seen.note(SessionId::new(uuid::Uuid::from_u128(number)), at(0));
        }
        assert_eq!(seen.lock().len(), AT_MOST);
        seen.note(SessionId::new(uuid::Uuid::from_u128(0)), at(5));
        assert_eq!(seen.lock().get(&SessionId::new(uuid::Uuid::from_u128(0))), Some(&at(5)), "those known go on");
    }
}
