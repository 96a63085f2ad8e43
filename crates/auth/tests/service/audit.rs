//! Checkpoints of the audit trail, made by two replicas of one installation, and erasure through the service.

use sme_pulse_auth::service::{LogIn, ServiceKeys};
use sme_pulse_domain::{audit::Origin, email::Email};
use sme_pulse_testing::{Engine, on_both_databases};

use crate::support::Office;

/// What somebody with every right in the database does first.
async fn without_triggers(office: &Office) {
    let mut triggers = vec![
        ("audit_log_stays", "audit_log"),
        ("audit_log_fixed", "audit_log"),
        ("audit_checkpoints_stay", "audit_checkpoints"),
    ];
    if office.engine() == Engine::Sqlite {
        triggers.push(("audit_checkpoints_fixed", "audit_checkpoints"));
    }
    for (name, table) in triggers {
        let on = if office.engine() == Engine::Postgres { format!(" ON auth.{table}") } else { String::new() };
        office.sql(&format!("DROP TRIGGER {name}{on}")).await;
    }
}

/// An event outside any organization.
async fn unknown_name(office: &Office) {
    let email = Email::parse("nobody@example.com").unwrap();
    let origin = Origin::default();
    let attempt = LogIn { email, password: "wrong".to_owned().into(), user_agent: None, device: None, origin };
    assert!(office.here.auth.log_in(attempt).await.is_err());
}

const SIGNED: &str = "SELECT chain_id * 100 + seq FROM auth.audit_checkpoints ORDER BY 1";

on_both_databases! {
    async fn a_chain_that_was_changed_since_its_last_checkpoint_is_not_signed_and_the_others_are(office: Office) {
        office.here.token().await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(1));
        office.here.token().await;
        unknown_name(&office).await;
        without_triggers(&office).await;
        office.sql("UPDATE auth.audit_log SET action = 'forged' WHERE org_id = 1 AND seq = 3").await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(1), "that of no organization");
        assert_eq!(office.numbers(SIGNED).await, [1, 102]);
        office.here.token().await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(0), "not under later events either");
        office.sql("UPDATE auth.audit_log SET action = 'auth' || '.log_in' WHERE org_id = 1 AND seq = 3").await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(1));
        assert_eq!(office.numbers(SIGNED).await, [1, 102, 104]);
    }

    async fn without_its_checkpoints_a_chain_is_checked_from_its_first_event_before_it_is_signed(office: Office) {
        office.here.token().await;
        office.here.auth.sign_checkpoints().await.unwrap();
        without_triggers(&office).await;
        office.sql("UPDATE auth.audit_log SET action = 'forged' WHERE seq = 2").await;
        office.sql("DELETE FROM auth.audit_checkpoints").await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(0));
        office.sql("UPDATE auth.audit_log SET action = 'auth' || '.log_in' WHERE seq = 2").await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(1));
        // The last one of this key has to be genuine.
        office.here.token().await;
        office.sql("UPDATE auth.audit_checkpoints SET signature = 'forged'").await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(0));
        assert_eq!(office.numbers(SIGNED).await, [102]);
    }

    async fn a_head_that_was_set_back_behind_its_checkpoint_is_not_signed(office: Office) {
        office.here.token().await;
        office.here.token().await;
        office.here.auth.sign_checkpoints().await.unwrap();
        without_triggers(&office).await;
        office.sql("DELETE FROM auth.audit_log WHERE seq = 3").await;
        office.sql("UPDATE auth.audit_heads SET seq = 2, hash = (SELECT hash FROM auth.audit_log WHERE seq = 2)").await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(0));
        assert_eq!(office.numbers(SIGNED).await, [103]);
    }

    async fn after_a_change_of_the_secret_signing_goes_on_and_old_checkpoints_have_to_agree(office: Office) {
        office.here.token().await;
        office.here.auth.sign_checkpoints().await.unwrap();
        let renewed = office.with_keys(ServiceKeys::new(b"another secret of thirty-two bytes", None)).await;
        office.here.token().await;
        assert_eq!(renewed.auth.sign_checkpoints().await.unwrap(), Some(1));
        assert_eq!(office.numbers(SIGNED).await, [102, 103]);
        without_triggers(&office).await;
        office.here.token().await;
        office.sql("DELETE FROM auth.audit_checkpoints WHERE seq = 3").await;
        office.sql("UPDATE auth.audit_checkpoints SET hash = prev FROM (SELECT prev_hash AS prev FROM auth.audit_log WHERE seq = 2) e").await;
        assert_eq!(renewed.auth.sign_checkpoints().await.unwrap(), Some(0));
    }

    async fn a_chain_is_signed_once_for_each_advance_by_whichever_replica(office: Office) {
        office.here.token().await;
        let (here, there) = tokio::join!(office.here.auth.sign_checkpoints(), office.there.auth.sign_checkpoints());
        assert!(here.unwrap().unwrap_or(0) + there.unwrap().unwrap_or(0) >= 1);
        assert_eq!(office.numbers("SELECT seq FROM auth.audit_checkpoints").await, [2]);
        assert_eq!(office.there.auth.sign_checkpoints().await.unwrap(), Some(0), "nothing has happened since");
        office.there.token().await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), Some(1));
        assert_eq!(office.numbers("SELECT seq FROM auth.audit_checkpoints ORDER BY seq").await, [2, 3]);
    }

    async fn an_erasure_is_an_event_of_its_own(office: Office) {
        let token = office.here.token().await;
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        let origin = Origin { request_id: None, client_ip: Some("192.0.2.9".to_owned()) };
        office.here.auth.log_out(&caller, &origin).await.unwrap();
        let done = office.here.auth.erase_from_audit(caller.user().unwrap(), Some(caller.user_id()), &Origin::default()).await.unwrap();
        assert_eq!((done.events, done.not_erasable), (1, 0));
        assert_eq!(office.numbers("SELECT COUNT(*) FROM auth.audit_log WHERE client_ip IS NOT NULL").await, [0]);
        let recorded = "SELECT entity_id FROM auth.audit_log WHERE action = 'audit.personal_data_erased'";
        assert_eq!(office.numbers(recorded).await, [caller.user_id().get()]);
    }
}
