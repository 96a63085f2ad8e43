//! Checkpoints of the audit trail, made by two replicas of one installation, and erasure through the service.

use sme_pulse_domain::audit::Origin;
use sme_pulse_testing::on_both_databases;

use crate::support::Office;

on_both_databases! {
    async fn a_chain_is_signed_once_for_each_advance_by_whichever_replica(office: Office) {
        office.here.token().await;
        let (here, there) = tokio::join!(office.here.auth.sign_checkpoints(), office.there.auth.sign_checkpoints());
        assert!(here.unwrap() + there.unwrap() >= 1);
        assert_eq!(office.numbers("SELECT seq FROM auth.audit_checkpoints").await, [2]);
        assert_eq!(office.there.auth.sign_checkpoints().await.unwrap(), 0, "nothing has happened since");
        office.there.token().await;
        assert_eq!(office.here.auth.sign_checkpoints().await.unwrap(), 1);
        assert_eq!(office.numbers("SELECT seq FROM auth.audit_checkpoints ORDER BY seq").await, [2, 3]);
    }

    async fn an_erasure_is_an_event_of_its_own(office: Office) {
        let token = office.here.token().await;
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        let origin = Origin { request_id: None, client_ip: Some("192.0.2.9".to_owned()) };
        office.here.auth.log_out(&caller, &origin).await.unwrap();
        let done = office.here.auth.erase_from_audit(caller.user(), Some(caller.user_id()), &Origin::default()).await.unwrap();
        assert_eq!((done.events, done.not_erasable), (1, 0));
        assert_eq!(office.numbers("SELECT COUNT(*) FROM auth.audit_log WHERE client_ip IS NOT NULL").await, [0]);
        let recorded = "SELECT entity_id FROM auth.audit_log WHERE action = 'audit.personal_data_erased'";
        assert_eq!(office.numbers(recorded).await, [caller.user_id().get()]);
    }
}
