//! Chores: one replica at a time, and nobody waits for one that is gone.

use sme_pulse_persistence::{Chore, Engine, Store, StoreError};
use sme_pulse_testing::on_both_databases;

use crate::support::TestStore;

async fn does(store: &Store, chore: Chore) -> Option<u8> {
    store.alone(chore, async || Ok::<_, StoreError>(1)).await.unwrap()
}

on_both_databases! {
    async fn a_chore_that_another_replica_does_is_left_to_it(test: TestStore) {
        // The lock belongs to a connection, so two of one pool stand for two replicas.
        let (here, there) = (&test.store, &test.store);
        let engine = here.engine();
        let done = here.alone(Chore::RemoveExpired, async || {
            // An embedded database has one server.
            let expected = (engine == Engine::Sqlite).then_some(1);
            assert_eq!(does(there, Chore::RemoveExpired).await, expected);
            assert_eq!(does(there, Chore::SignCheckpoints).await, Some(1), "another chore");
            Ok::<_, StoreError>(2)
        });
        assert_eq!(done.await.unwrap(), Some(2));
        assert_eq!(does(there, Chore::RemoveExpired).await, Some(1), "it is over");
        let failed = here.alone(Chore::RemoveExpired, async || Err::<u8, _>(StoreError::Unreadable("test")));
        assert!(failed.await.is_err());
        assert_eq!(does(there, Chore::RemoveExpired).await, Some(1), "it has failed");
    }
}
