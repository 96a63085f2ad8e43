//! Accounts and invitations by the ids, addresses and tokens of another organization's.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait as _;
use sme_pulse_domain::{
    account::{AccountKind, LedgerClass, NewAccount},
    email::Email,
    ids::{AccountId, InvitationId, UserId},
    money::{Money, Total},
    partner::{NewPartner, PartnerKind},
    role::{Role, RoleSet},
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{NewInvitation, Renewal};
use sme_pulse_testing::on_both_databases;

use crate::support::{TestStore, now};
use crate::{OURS, THEIRS, USER, later, two};

fn new_account(name: &str) -> NewAccount {
    NewAccount {
        code: None,
        name: name.to_owned(),
        class: LedgerClass::Asset,
        kind: AccountKind::Cash,
        account_number: None,
        bank_name: None,
        opening_balance: Money::from_minor(0),
        status: Status::Active,
    }
}

fn new_partner() -> NewPartner {
    NewPartner {
        code: None,
        name: "Theirs".to_owned(),
        tax_code: None,
        contact_person: None,
        email: None,
        phone: None,
        address: None,
        term_days: 30,
        status: Status::Active,
    }
}

/// An account of theirs on which 500 came in.
async fn account(test: &TestStore) -> AccountId {
    let tx = test.store.begin(THEIRS).await.unwrap();
    let account = tx.accounts().add(&new_account("Till"), now()).await.unwrap().id;
    tx.commit().await.unwrap();
    let sql = format!(
        "INSERT INTO {} (org_id, account_id, direction, transaction_date, amount_minor) \
         VALUES (2, {}, 'in', '2026-01-02', 500)",
        test.table("finance", "payments"),
        account.get()
    );
    test.operator.raw().execute_unprepared(&sql).await.unwrap();
    account
}

fn token(of: TenantScope) -> String {
    of.org().get().to_string().repeat(64)
}

async fn invite(test: &TestStore, scope: TenantScope, email: &Email) -> InvitationId {
    let tx = test.store.begin(scope).await.unwrap();
    let (hash, roles) = (token(scope), RoleSet::from_iter([Role::Cashier]));
    let renewal = Renewal { token_hash: &hash, by: UserId::new(scope.org().get()), at: now(), expires_at: later() };
    let added = tx.invitations().add(&NewInvitation { email, roles: &roles, renewal }).await.unwrap();
    tx.commit().await.unwrap();
    added.id
}

on_both_databases! {
    async fn an_account_of_another_organization_shows_no_balance_and_is_not_written(test: TestStore) {
        two(&test).await;
        let id = account(&test).await;
        let tx = test.store.begin(THEIRS).await.unwrap();
        let mut stored = tx.accounts().find(id).await.unwrap().unwrap();
        assert_eq!(tx.accounts().net(&[id]).await.unwrap().get(&id), Some(&Total::from_minor(500)));
        drop(tx);

        let tx = test.store.begin(OURS).await.unwrap();
        assert!(tx.accounts().find(id).await.unwrap().is_none());
        assert!(tx.accounts().find_for_update(id).await.unwrap().is_none());
        assert!(tx.accounts().net(&[id]).await.unwrap().is_empty());
        "Ours".clone_into(&mut stored.name);
        tx.accounts().save(&stored).await.unwrap();
        tx.commit().await.unwrap();

        let tx = test.store.begin(THEIRS).await.unwrap();
        assert_eq!(tx.accounts().find(id).await.unwrap().unwrap().name, "Till");
        // Or the row above would stay whatever the scope.
        tx.accounts().save(&stored).await.unwrap();
        assert_eq!(tx.accounts().find(id).await.unwrap().unwrap().name, "Ours");
    }

    async fn a_data_sheet_is_read_and_written_by_its_own_organization(test: TestStore) {
        two(&test).await;
        for scope in [OURS, THEIRS] {
            let tx = test.store.begin(scope).await.unwrap();
            let mut sheet = tx.organization().find().await.unwrap().unwrap();
            assert_eq!(sheet.id, scope.org());
            assert_eq!(tx.organization().find_for_update().await.unwrap().unwrap(), sheet);
            sheet.phone = Some(scope.org().to_string());
            tx.organization().save(&sheet, now()).await.unwrap();
            tx.commit().await.unwrap();
        }
        let tx = test.store.begin(OURS).await.unwrap();
        assert_eq!(tx.organization().find().await.unwrap().unwrap().phone.as_deref(), Some("1"));
    }

    async fn a_partner_of_another_organization_is_not_found_or_written(test: TestStore) {
        two(&test).await;
        for kind in [PartnerKind::Customer, PartnerKind::Supplier] {
            let tx = test.store.begin(THEIRS).await.unwrap();
            let mut partner = tx.partners(kind).add(&new_partner(), now()).await.unwrap();
            tx.commit().await.unwrap();
            "Ours".clone_into(&mut partner.name);

            let tx = test.store.begin(OURS).await.unwrap();
            assert!(tx.partners(kind).find(partner.id).await.unwrap().is_none());
            assert!(tx.partners(kind).find_for_update(partner.id).await.unwrap().is_none());
            tx.partners(kind).save(&partner).await.unwrap();
            tx.commit().await.unwrap();

            let tx = test.store.begin(THEIRS).await.unwrap();
            assert_eq!(tx.partners(kind).find(partner.id).await.unwrap().unwrap().name, "Theirs");
            tx.partners(kind).save(&partner).await.unwrap();
            assert_eq!(tx.partners(kind).find_for_update(partner.id).await.unwrap().unwrap().name, "Ours");
        }
    }

    async fn an_invitation_of_another_organization_is_not_found_renewed_or_in_the_way(test: TestStore) {
        two(&test).await;
        let email = Email::parse("guest@example.com").unwrap();
        let id = invite(&test, THEIRS, &email).await;
        let later = now() + TimeDelta::minutes(1);
        let renewed = Renewal { token_hash: &token(OURS), by: USER, at: later, expires_at: later };

        let tx = test.store.begin(OURS).await.unwrap();
        let ours = tx.invitations();
        assert!(ours.find(id).await.unwrap().is_none());
        assert!(ours.find_for_update(id).await.unwrap().is_none());
        assert!(!ours.is_pending(&email, None, now()).await.unwrap());
        ours.renew(id, renewed).await.unwrap();
        ours.revoke(id, now()).await.unwrap();
        ours.accepted_by(id, UserId::new(1)).await.unwrap();
        assert!(ours.use_up(&token(THEIRS), now()).await.unwrap().is_none());
        tx.commit().await.unwrap();

        let tx = test.store.begin(THEIRS).await.unwrap();
        let theirs = tx.invitations();
        let found = theirs.find(id).await.unwrap().unwrap();
        let accepted = format!("SELECT COUNT(*) FROM {} WHERE accepted_by IS NOT NULL", test.table("auth", "invitations"));
        assert_eq!(test.numbers(&accepted).await, [0]);
        assert_eq!((found.updated_at, found.accepted_at, found.revoked_at), (now(), None, None));
        assert!(theirs.find_for_update(id).await.unwrap().is_some());
        assert!(theirs.is_pending(&email, None, now()).await.unwrap());
        assert!(theirs.use_up(&token(THEIRS), now()).await.unwrap().is_some());
    }

    async fn a_token_shows_the_invitation_and_the_organization_that_it_was_sent_for(test: TestStore) {
        two(&test).await;
        let email = Email::parse("guest@example.com").unwrap();
        for scope in [OURS, THEIRS] {
            invite(&test, scope, &email).await;
        }
        for scope in [OURS, THEIRS] {
            let shown = test.store.invitation_by_token(&token(scope), now()).await.unwrap().unwrap();
            assert_eq!(shown.invitation.org, scope.org());
            assert_eq!(shown.organization, format!("Org {}", scope.org().get()));
        }
        assert!(test.store.invitation_by_token(&"9".repeat(64), now()).await.unwrap().is_none());
    }
}
