//! The audit chain in the database: parallel writers, reading a chain, erasing, filtering.

use std::sync::Arc;

use chrono::Duration;
use sea_orm::{ConnectionTrait, Statement, TransactionTrait};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Chain, ChainVerifier, Checkpoint, Details, Origin, Trust},
    ids::{OrgId, UserId},
};
use sme_pulse_persistence::{AuditFilter, Item, Store, StoreError, Violation};
use sme_pulse_testing::{Engine, on_both_databases};

use crate::{
    admin, scope,
    support::{TestStore, now},
};

const ADDRESS: &str = "2001:db8::77";

fn event(actor: Option<UserId>, about: Option<i64>) -> AuditEvent {
    let origin = Origin { request_id: None, client_ip: Some(ADDRESS.to_owned()) };
    let mut event = AuditEvent::new(Action::LogIn, None, origin);
    event.actor = actor;
    (event.entity, event.entity_id) = (about.map(|_| "users"), about);
    event.before = Some(Details::from([("email".to_owned(), None), ("state".to_owned(), Some("old".to_owned()))]));
    event.after = Some(Details::from([("email".to_owned(), Some("who@example.com".to_owned()))]));
    event.personal = &["email"];
    event
}

async fn record(store: &Store, org: OrgId, event: AuditEvent) {
    let tx = store.begin(scope(org.get())).await.unwrap();
    tx.record(event, now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn items(store: &Store, chain: Chain) -> Vec<Item> {
    let tx = store.begin_system_read().await.unwrap();
    let (mut reader, mut items) = (tx.chain(chain), Vec::new());
    loop {
        let batch = reader.next_batch().await.unwrap();
        if batch.is_empty() {
            return items;
        }
        items.extend(batch);
    }
}

/// How many events a chain has that is whole up to its head.
async fn verified(store: &Store, chain: Chain) -> i64 {
    let mut verifier = ChainVerifier::new(chain, Trust::new(Vec::new()));
    for item in items(store, chain).await {
        if let Item::Event(record) = item {
            verifier.event(&record).unwrap();
        }
    }
    let head = store.begin_system_read().await.unwrap().chain_head(chain).await.unwrap();
    verifier.head(head.as_ref().map(|(seq, hash)| (*seq, hash.as_str()))).unwrap().events
}

on_both_databases! {
    async fn parallel_audit_writers_leave_no_gap_and_no_fork(test: TestStore) {
        test.seed().await;
        let store = Arc::new(test.store.clone());
        let org = admin(&store).await.user.org;
        let writers: Vec<_> = (0..64).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                if number % 2 == 0 {
                    let tx = store.begin(scope(org.get())).await?;
                    tx.record(event(None, Some(number)), now()).await?;
                    return tx.commit().await;
                }
                let tx = store.begin_system().await?;
                tx.record(event(None, None), now()).await?;
                tx.commit().await
            })
        }).collect();
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        assert_eq!((verified(&store, Chain::Of(org)).await, verified(&store, Chain::Outside).await), (33, 32));
    }

    async fn a_long_chain_is_read_in_order_with_its_checkpoints(test: TestStore) {
        test.seed().await;
        let org = admin(&test.store).await.user.org;
        let tx = test.store.begin(scope(org.get())).await.unwrap();
        for _ in 0..410 {
            tx.record(event(None, None), now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        let tx = test.store.begin_system().await.unwrap();
        let signed = [1, 199, 200, 201, 411, 999];
        for seq in signed {
            let checkpoint = Checkpoint {
                chain: Chain::Of(org), seq, hash: "0".repeat(64), signed_at: now(), key_id: "k".into(), signature: String::new(),
            };
            tx.keep_checkpoint(&checkpoint).await.unwrap();
            tx.keep_checkpoint(&checkpoint).await.unwrap();
        }
        let head = tx.chain_head(Chain::Of(org)).await.unwrap().unwrap();
        let to_sign = tx.heads_to_sign().await.unwrap();
        assert_eq!(to_sign, [(Chain::Of(org), head.0, head.1)], "the chain is held to more than it has");
        let last = async |key, until| tx.last_checkpoint(Chain::Of(org), (key, until)).await.unwrap().map(|found| found.seq);
        assert_eq!((last("k", 411).await, last("k", 410).await, last("k", 0).await), (Some(411), Some(201), None));
        assert_eq!(last("other", 411).await, None);
        tx.commit().await.unwrap();
        let mut expected = Vec::new();
        for seq in 1..=411 {
            expected.push((seq, false));
            if signed.contains(&seq) {
                expected.push((seq, true));
            }
        }
        expected.push((999, true));
        let found: Vec<_> = items(&test.store, Chain::Of(org)).await.iter().map(|item| match item {
            Item::Event(record) => (record.place.seq, false),
            Item::Checkpoint(checkpoint) => (checkpoint.seq, true),
        }).collect();
        assert_eq!(found, expected);
    }

    async fn what_is_erased_is_gone_from_the_rows_and_the_chain_stays_whole(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        for event in [event(Some(user.id), None), event(None, Some(user.id.get())), event(None, None), event(None, Some(user.id.get() + 1))] {
            record(&test.store, user.org, event).await;
        }
        let erase = async || {
            let tx = test.store.begin(scope(user.org.get())).await.unwrap();
            let done = tx.audit().erase(user.id, 0).await.unwrap();
            assert_eq!(tx.audit().not_erasable(user.id).await.unwrap(), 0);
            tx.commit().await.unwrap();
            (done.events, done.next)
        };
        assert_eq!(erase().await, (2, None));
        assert_eq!(erase().await, (0, None));
        assert_eq!(verified(&test.store, Chain::Of(user.org)).await, 5);
        let mut personal = Vec::new();
        for item in items(&test.store, Chain::Of(user.org)).await {
            let Item::Event(record) = item else { panic!("no checkpoint was made") };
            let text = format!("{record:?}");
            personal.push(text.contains(ADDRESS) && text.contains("who@example.com"));
            assert_eq!(text.contains(ADDRESS), text.contains("who@example.com"));
            assert!(text.contains("old") || record.place.seq == 1, "what tells about nobody stays");
        }
        assert_eq!(personal, [false, false, false, true, true], "the first is the seed's and has none");
        let log = test.table("auth", "audit_log");
        let erased = format!("SELECT COUNT(*) FROM {log} WHERE client_ip IS NULL AND salts IS NULL AND erased IS NOT NULL");
        assert_eq!(test.numbers(&erased).await, [2]);
    }

    async fn a_long_erasure_goes_on_where_it_stopped(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        let tx = test.store.begin(scope(user.org.get())).await.unwrap();
        for _ in 0..201 {
            tx.record(event(Some(user.id), None), now()).await.unwrap();
        }
        let first = tx.audit().erase(user.id, 0).await.unwrap();
        assert_eq!((first.events, first.next), (200, Some(201)));
        let second = tx.audit().erase(user.id, 201).await.unwrap();
        assert_eq!((second.events, second.next), (1, None));
    }

    async fn filters_find_what_they_name_in_the_own_organization_only(test: TestStore) {
        test.seed().await;
        let user = admin(&test.store).await.user;
        record(&test.store, user.org, event(Some(user.id), Some(5))).await;
        record(&test.store, user.org, event(None, Some(6))).await;
        let found = async |org: i64, filter: AuditFilter| {
            let tx = test.store.begin_read(scope(org)).await.unwrap();
            let (total, rows) = tx.audit().list(&filter, 0, 10).await.unwrap();
            assert_eq!(usize::try_from(total).unwrap(), rows.len());
            rows.into_iter().map(|row| row.record.place.seq).collect::<Vec<_>>()
        };
        let org = user.org.get();
        let any = AuditFilter::default;
        assert_eq!(found(org, any()).await, [3, 2, 1]);
        assert_eq!(found(org, AuditFilter { action: Some("auth.log_in".into()), ..any() }).await, [3, 2]);
        assert_eq!(found(org, AuditFilter { action: Some("nothing".into()), ..any() }).await, [0; 0]);
        assert_eq!(found(org, AuditFilter { actor: Some(user.id), ..any() }).await, [2]);
        assert_eq!(found(org, AuditFilter { entity: Some("users".into()), entity_id: Some(6), ..any() }).await, [3]);
        assert_eq!(found(org, AuditFilter { from: Some(now()), ..any() }).await, [3, 2, 1]);
        assert_eq!(found(org, AuditFilter { before: Some(now()), ..any() }).await, [0; 0]);
        assert_eq!(found(org, AuditFilter { from: Some(now() + Duration::microseconds(1)), ..any() }).await, [0; 0]);
        assert_eq!(found(org + 1, any()).await, [0; 0], "another organization's");
        let tx = test.store.begin_read(scope(org)).await.unwrap();
        let (total, rows) = tx.audit().list(&any(), 1, 1).await.unwrap();
        assert_eq!((total, rows[0].record.place.seq), (3, 2));
    }

    async fn each_filter_has_its_index(test: TestStore) {
        let log = test.table("auth", "audit_log");
        let tx = test.operator.raw().begin().await.unwrap();
        let explain = if test.database.engine() == Engine::Postgres {
            tx.execute_unprepared("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off").await.unwrap();
            "EXPLAIN"
        } else {
            "EXPLAIN QUERY PLAN"
        };
        for (condition, index) in [
            ("action = 'a'", "ix_audit_log_org_id_action_seq"),
            ("actor_user_id = 1", "ix_audit_log_org_id_actor_user_id_seq"),
            ("entity = 'users' AND entity_id = 1", "ix_audit_log_org_id_entity_entity_id_seq"),
        ] {
            let sql = format!("{explain} SELECT * FROM {log} WHERE org_id = 1 AND {condition} ORDER BY seq DESC LIMIT 10");
            let rows = tx.query_all_raw(Statement::from_string(tx.get_database_backend(), sql)).await.unwrap();
            let column = if test.database.engine() == Engine::Postgres { 0 } else { 3 };
            let plan: Vec<String> = rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect();
            let plan = plan.join("\n");
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{plan}");
        }
    }

    async fn the_database_refuses_to_change_what_was_recorded(test: TestStore) {
        test.seed().await;
        let log = test.table("auth", "audit_log");
        for sql in [format!("DELETE FROM {log}"), format!("UPDATE {log} SET action = 'x'")] {
            let refused = StoreError::from(test.operator.raw().execute_unprepared(&sql).await.unwrap_err());
            assert!(matches!(refused, StoreError::Refused(Violation::Reference, _)), "{refused:?}");
        }
    }
}
