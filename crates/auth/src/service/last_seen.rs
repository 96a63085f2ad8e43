//! When sessions and keys were last used: collected in memory, written now and then for all of them at once, so that no
//! request waits for it.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use sme_pulse_domain::ids::SessionId;
use sme_pulse_persistence::{KeyTable, StoreError, SystemTx, retrying};

use super::AuthService;

/// Sessions collected at the most, some 3 MB; what comes on top is not noted this time.
const AT_MOST: usize = 65_536;
/// No row is written more often than this.
const INTERVAL: Duration = Duration::minutes(1);

/// A key for programs, by its table and row.
pub(super) type UsedKey = (KeyTable, i64);

/// What was used since it was last written: sessions, or keys.
pub(super) struct LastSeen<K>(Mutex<HashMap<K, DateTime<Utc>>>);

impl<K> Default for LastSeen<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Ord + Hash> LastSeen<K> {
    pub(super) fn note(&self, session: K, at: DateTime<Utc>) {
        let mut seen = self.lock();
        if seen.len() < AT_MOST || seen.contains_key(&session) {
            let newest = seen.entry(session).or_insert(at);
            *newest = at.max(*newest);
        }
    }

    /// Takes all out, grouped by the minute: one instant will do for those used within the same.
    fn take(&self) -> BTreeMap<i64, Group<K>> {
        let seen = std::mem::take(&mut *self.lock());
        let mut groups = BTreeMap::<i64, Group<K>>::new();
        for (session, at) in seen {
            let minute = at.timestamp().div_euclid(INTERVAL.num_seconds());
            let group = groups.entry(minute).or_insert_with(|| Group { newest: at, used: Vec::new() });
            group.newest = group.newest.max(at);
            group.used.push(session);
        }
        // Every process takes rows in one order, so that two of them hardly ever wait for each other.
        for group in groups.values_mut() {
            group.used.sort_unstable();
        }
        groups
    }

    /// Puts back what could not be written.
    fn restore(&self, groups: &BTreeMap<i64, Group<K>>) {
        for group in groups.values() {
            group.used.iter().for_each(|used| self.note(*used, group.newest));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, DateTime<Utc>>> {
        // No code that can panic runs under the lock but the map's own.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those last used in the same minute.
struct Group<K> {
    newest: DateTime<Utc>,
    used: Vec<K>,
}

impl<K> Group<K> {
    /// A row that says a later instant than this is not written.
    fn not_after(&self) -> DateTime<Utc> {
        self.newest.checked_sub_signed(INTERVAL).unwrap_or(self.newest)
    }
}

type Groups<K> = BTreeMap<i64, Group<K>>;

impl AuthService {
    /// Writes when sessions and keys were last used. To be called every minute, and before the end of the process.
    pub async fn write_last_seen(&self) -> Result<(), StoreError> {
        let (sessions, keys) = (self.seen.take(), self.keys_used.take());
        if sessions.is_empty() && keys.is_empty() {
            return Ok(());
        }
        let written = retrying(|| self.write(&sessions, &keys)).await;
        if written.is_err() {
            self.seen.restore(&sessions);
            self.keys_used.restore(&keys);
        }
        written
    }

    async fn write(&self, sessions: &Groups<SessionId>, keys: &Groups<UsedKey>) -> Result<(), StoreError> {
        let tx = self.parts.store.begin_system().await?;
        for group in sessions.values() {
            tx.note_seen(&group.used, group.newest, group.not_after()).await?;
        }
        for group in keys.values() {
            write_keys(&tx, group).await?;
        }
        tx.commit().await
    }
}

async fn write_keys(tx: &SystemTx, group: &Group<UsedKey>) -> Result<(), StoreError> {
    for table in [KeyTable::ApiKeys, KeyTable::ServiceAccounts] {
        let ids: Vec<i64> = group.used.iter().filter(|(of, _)| *of == table).map(|(_, id)| *id).collect();
        tx.note_keys_used(table, &ids, (group.newest, group.not_after())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn each_session_counts_once_with_its_newest_time_and_minutes_share_one() {
        let (seen, id) = (LastSeen::<SessionId>::default(), |number| SessionId::new(uuid::Uuid::from_u128(number)));
        for (session, second) in [(1, 60), (1, 90), (1, 70), (2, 110), (3, 121)] {
            seen.note(id(session), at(second));
        }
        let groups: Vec<_> = seen.take().into_values().map(|group| (group.newest, group.used)).collect();
        assert_eq!(groups, [(at(110), vec![id(1), id(2)]), (at(121), vec![id(3)])]);
        assert!(seen.take().is_empty());
    }

    #[test]
    fn what_is_collected_is_bounded() {
        let seen = LastSeen::<SessionId>::default();
        for number in 0..u128::try_from(AT_MOST).unwrap() + 9 {
            seen.note(SessionId::new(uuid::Uuid::from_u128(number)), at(0));
        }
        assert_eq!(seen.lock().len(), AT_MOST);
        seen.note(SessionId::new(uuid::Uuid::from_u128(0)), at(5));
        assert_eq!(seen.lock().get(&SessionId::new(uuid::Uuid::from_u128(0))), Some(&at(5)), "those known go on");
    }
}
