//! What no route does: an operator's use cases stay within one organization as well.

use sme_pulse_auth::{guard::Reach, service::set_organization_status};
use sme_pulse_domain::{audit::Origin, clock::Clock as _, status::Status};
use sme_pulse_testing::on_both_databases;

use super::support::Office;

on_both_databases! {
    async fn a_person_is_taken_out_of_the_trail_of_their_home_alone(office: Office) {
        let token = office.here.token().await;
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        let origin = Origin { request_id: None, client_ip: Some("192.0.2.9".to_owned()) };
        office.here.auth.log_out(&caller, &origin).await.unwrap();
        office.sql("INSERT INTO core.organizations (name) VALUES ('Other')").await;
        let other = "INSERT INTO auth.audit_log (org_id, actor_user_id, action, client_ip, seq, hash, encoding) \
            SELECT MAX(o.id), MAX(u.id), 'auth.log_in', '192.0.2.9', 1, 'x', 2 \
            FROM core.organizations AS o CROSS JOIN core.users AS u";
        office.sql(&other.replace("'x'", &format!("'{}'", "0".repeat(64)))).await;
        let left = format!("SELECT COUNT(*) FROM auth.audit_log WHERE client_ip IS NOT NULL AND org_id = {}", caller.home_id().get());
        let elsewhere = format!("SELECT COUNT(*) FROM auth.audit_log WHERE client_ip IS NOT NULL AND org_id <> {}", caller.home_id().get());
        assert_eq!((office.numbers(&left).await, office.numbers(&elsewhere).await), (vec![1], vec![1]));
        let done = office.here.auth.erase_from_audit(caller.user().unwrap(), None, &Origin::default()).await.unwrap();
        assert_eq!((done.events, done.not_erasable), (1, 0));
        assert_eq!((office.numbers(&left).await, office.numbers(&elsewhere).await), (vec![0], vec![1]));
        let told = "SELECT org_id FROM auth.audit_log WHERE action = 'audit.personal_data_erased'";
        assert_eq!(office.numbers(told).await, [caller.home_id().get()]);
    }

    async fn an_organization_is_suspended_alone_and_its_trail_alone_tells_of_it(office: Office) {
        office.sql("INSERT INTO core.organizations (name) VALUES ('Other')").await;
        let token = office.here.token().await;
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        let now = office.here.clock.now();
        set_organization_status(office.here.store(), caller.home_id(), Status::Inactive, now).await.unwrap();
        let suspended = "SELECT id FROM core.organizations WHERE status = 'inactive'";
        assert_eq!(office.numbers(suspended).await, [caller.home_id().get()]);
        let told = "SELECT org_id FROM auth.audit_log WHERE action = 'organization.suspended'";
        assert_eq!(office.numbers(told).await, [caller.home_id().get()]);
    }

    async fn an_operators_service_ends_a_session_where_it_is(office: Office) {
        office.sql("INSERT INTO core.organizations (name) VALUES ('Other')").await;
        let token = office.here.token().await;
        let caller = office.here.auth.authenticate(&token).await.unwrap();
        let gateway = Reach::Installation("gateway".to_owned());
        let ended = office.here.auth.revoke_token(&gateway, &token, &Origin::default()).await.unwrap().unwrap();
        assert_eq!((ended.user, ended.org), (caller.user_id(), caller.home_id()));
        assert!(office.here.auth.authenticate(&token).await.is_err());
        let told = "SELECT org_id FROM auth.audit_log WHERE action LIKE '%token_revoked'";
        assert_eq!(office.numbers(told).await, [caller.home_id().get()]);
    }
}
