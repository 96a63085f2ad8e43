//! Each organization's chain of events and checkpoints is read alone, also by those who read whole chains.

use sea_orm::ConnectionTrait as _;
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Chain, Checkpoint, Origin},
    ids::OrgId,
};
use sme_pulse_persistence::Item;
use sme_pulse_testing::on_both_databases;

use crate::support::{TestStore, now};
use crate::{OURS, THEIRS, USER, two};

const KEY: &str = "key-1";

const fn chain(org: i64) -> Chain {
    Chain::Of(OrgId::new(org))
}

fn checkpoint(org: i64, seq: i64) -> Checkpoint {
    Checkpoint {
        chain: chain(org),
        seq,
        hash: format!("{org}").repeat(64),
        signed_at: now(),
        key_id: KEY.to_owned(),
        signature: format!("of {org}"),
    }
}

/// Organization 2 has two events and so the higher numbers.
async fn chains(test: &TestStore) {
    two(test).await;
    for scope in [OURS, THEIRS] {
        let tx = test.store.begin(scope).await.unwrap();
        let event = AuditEvent::new(Action::LogIn, Some(scope.org()), Origin { request_id: None, client_ip: None });
        tx.record(event, now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    let tx = test.operator.begin_system().await.unwrap();
    for (org, seq) in [(1, 1), (2, 1), (2, 2)] {
        tx.keep_checkpoint(&checkpoint(org, seq)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

on_both_databases! {
    async fn a_chain_is_read_without_what_stands_in_others(test: TestStore) {
        chains(&test).await;
        let tx = test.store.begin_system_read().await.unwrap();
        for (org, events, signed) in [(1, 1, vec![1]), (2, 2, vec![1, 2])] {
            let batch = tx.chain(chain(org)).next_batch().await.unwrap();
            let (mut owners, mut numbers) = (Vec::new(), Vec::new());
            for item in batch {
                match item {
                    Item::Event(record) => owners.push(record.org.map(OrgId::get)),
                    Item::Checkpoint(of) => numbers.push((of.chain, of.seq)),
                }
            }
            assert_eq!(owners, vec![Some(org); events], "organization {org}");
            let chain = chain(org);
            assert_eq!(numbers, signed.into_iter().map(|seq| (chain, seq)).collect::<Vec<_>>());
        }
    }

    async fn a_head_waits_for_a_signature_behind_its_own_last_checkpoint(test: TestStore) {
        chains(&test).await;
        let tx = test.store.begin_system_read().await.unwrap();
        assert_eq!(tx.heads_to_sign().await.unwrap(), []);
        drop(tx);
        let tx = test.store.begin(OURS).await.unwrap();
        tx.record(AuditEvent::new(Action::LogIn, Some(OURS.org()), Origin { request_id: None, client_ip: None }), now()).await.unwrap();
        tx.commit().await.unwrap();
        let tx = test.store.begin_system_read().await.unwrap();
        let heads: Vec<_> = tx.heads_to_sign().await.unwrap().into_iter().map(|head| (head.0, head.1)).collect();
        assert_eq!(heads, [(chain(1), 2)]);
    }

    async fn the_last_checkpoint_is_that_of_the_chain_asked_for(test: TestStore) {
        chains(&test).await;
        let tx = test.store.begin_system_read().await.unwrap();
        let found = tx.last_checkpoint(chain(1), (KEY, 100)).await.unwrap();
        assert_eq!(found, Some(checkpoint(1, 1)));
        let found = tx.last_checkpoint(chain(2), (KEY, 100)).await.unwrap();
        assert_eq!(found, Some(checkpoint(2, 2)));
    }

    async fn events_that_cannot_be_erased_are_counted_in_ones_own_organization(test: TestStore) {
        two(&test).await;
        // As the first release wrote them.
        let sql = format!(
            "INSERT INTO {} (org_id, actor_user_id, action, client_ip, seq, hash, encoding) \
             VALUES (2, 2, 'log_in', '::1', 77, '{}', 1)",
            test.table("auth", "audit_log"),
            "0".repeat(64)
        );
        test.operator.raw().execute_unprepared(&sql).await.unwrap();
        let tx = test.store.begin(OURS).await.unwrap();
        assert_eq!(tx.audit().not_erasable(USER).await.unwrap(), 0);
        tx.commit().await.unwrap();
        let tx = test.store.begin(THEIRS).await.unwrap();
        assert_eq!(tx.audit().not_erasable(USER).await.unwrap(), 1);
    }
}
