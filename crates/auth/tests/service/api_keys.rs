//! Keys over two replicas: what each remembers of a key, how fast it forgets, and the operator's service accounts.

use std::time::Duration;

use sme_pulse_auth::{
    AccessError, KeyRefusal, Principal,
    service::{
        CreateApiKey, NewAccount, ServiceAccountError, create_service_account, revoke_service_account, service_accounts,
    },
};
use sme_pulse_domain::{
    api_key::{FOR_SERVICE_ACCOUNTS, KeyName, KeyStatus, KeyText},
    audit::Origin,
    clock::Clock as _,
    ids::ApiKeyId,
    permission::Permission,
};
use sme_pulse_testing::on_both_databases;

use super::support::{Office, Replica, eventually};

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

async fn made(at: &Replica, caller: &Principal, permissions: &[Permission]) -> (i64, KeyText) {
    let new =
        CreateApiKey { name: name("k"), permissions: permissions.to_vec(), days: None, origin: Origin::default() };
    let made = at.auth.create_api_key(caller, &new).await.unwrap();
    (made.key.id.get(), made.text)
}

async fn caller(at: &Replica) -> Principal {
    at.auth.authenticate(&at.token().await).await.unwrap()
}

/// Whether this replica refuses the key for this reason.
async fn refuses(at: &Replica, key: &KeyText, why: KeyRefusal) -> bool {
    matches!(at.auth.authenticate(key.expose()).await, Err(AccessError::BadKey(reason)) if reason == why)
}

async fn is_warm(at: &Replica, key: &KeyText) -> bool {
    let before = at.reads();
    at.auth.authenticate(key.expose()).await.unwrap();
    at.reads() == before
}

on_both_databases! {
    async fn a_key_acts_for_its_creator_with_what_it_was_given_and_has_proved_nothing(office: Office) {
        let owner = caller(&office.here).await;
        let (id, key) = made(&office.here, &owner, &[Permission::ReadPartners]).await;
        let program = office.there.auth.authenticate(key.expose()).await.unwrap();
        assert_eq!((program.user_id(), program.org_id(), program.session()), (owner.user_id(), owner.org_id(), None));
        assert_eq!((program.api_key().map(ApiKeyId::get), owner.api_key()), (Some(id), None));
        assert_eq!((program.scope().api_key(), program.scope().actor()), (program.api_key(), Some(owner.user_id())));
        let allowed: Vec<_> = Permission::ALL.into_iter().filter(|permission| program.may(*permission)).collect();
        assert_eq!(allowed, [Permission::ReadPartners]);
        assert!(program.authenticated_at().is_none() && program.require_recent(u32::MAX).is_err());
    }

    async fn a_warm_key_reads_no_database_until_its_time_to_live_is_over(office: Office) {
        let (_, key) = made(&office.here, &caller(&office.here).await, &[Permission::ReadPartners]).await;
        eventually("the key is remembered", || is_warm(&office.here, &key)).await;
        for _ in 0..100 {
            assert!(is_warm(&office.here, &key).await);
        }
        office.here.clock.advance(Duration::from_secs(31));
        assert!(!is_warm(&office.here, &key).await);
        // Its use is no news: nobody forgets it for that.
        office.there.auth.write_last_seen().await.unwrap();
    }

    async fn what_ends_a_key_at_one_replica_is_refused_at_both(office: Office) {
        let owner = caller(&office.here).await;
        let (id, key) = made(&office.here, &owner, &[Permission::ReadPartners]).await;
        for replica in [&office.here, &office.there] {
            eventually("the key is remembered", || is_warm(replica, &key)).await;
        }
        let id = ApiKeyId::new(id);
        office.here.auth.revoke_api_key(&owner, id, &Origin::default()).await.unwrap();
        assert!(refuses(&office.here, &key, KeyRefusal::Revoked).await, "on the next request");
        eventually("and over there", || refuses(&office.there, &key, KeyRefusal::Revoked)).await;
    }

    async fn whoever_changes_the_rows_is_noticed_by_keys_as_well(office: Office) {
        let (_, key) = made(&office.here, &caller(&office.here).await, &[Permission::ReadPartners]).await;
        for (change, undo, why) in [
            ("UPDATE auth.api_keys SET revoked_at = created_at", "UPDATE auth.api_keys SET revoked_at = NULL", KeyRefusal::Revoked),
            ("UPDATE auth.api_keys SET expires_at = created_at", "UPDATE auth.api_keys SET expires_at = NULL", KeyRefusal::Expired),
            ("UPDATE core.users SET status = 'inactive'", "UPDATE core.users SET status = 'active'", KeyRefusal::CreatorGone),
            ("UPDATE core.organizations SET status = 'inactive'", "UPDATE core.organizations SET status = 'active'", KeyRefusal::Suspended),
            ("DELETE FROM auth.api_keys", "", KeyRefusal::Unknown),
        ] {
            eventually("admitted", || async { office.there.auth.authenticate(key.expose()).await.is_ok() }).await;
            office.sql(change).await;
            eventually(change, || refuses(&office.there, &key, why)).await;
            if !undo.is_empty() {
                office.sql(undo).await;
            }
        }
    }

    async fn roles_that_the_creator_loses_are_lost_by_the_key_and_a_session_forgotten_alone_is_not(office: Office) {
        let (_, key) = made(&office.here, &caller(&office.here).await, &[Permission::ReadPartners, Permission::ReadUsers]).await;
        office.sql("UPDATE core.user_roles SET role_id = (SELECT id FROM core.roles WHERE code = 'cashier') WHERE role_id = \
                    (SELECT id FROM core.roles WHERE code = 'owner')").await;
        office.sql("DELETE FROM core.user_roles WHERE role_id = (SELECT id FROM core.roles WHERE code = 'admin')").await;
        eventually("only what a cashier may", || async {
            let program = office.there.auth.authenticate(key.expose()).await.unwrap();
            program.may(Permission::ReadPartners) && !program.may(Permission::ReadUsers)
        }).await;
        office.sql("DELETE FROM core.user_roles").await;
        eventually("nothing", || async {
            let program = office.there.auth.authenticate(key.expose()).await.unwrap();
            Permission::ALL.into_iter().all(|permission| !program.may(permission))
        }).await;
    }

    async fn a_service_account_asks_about_tokens_everywhere_and_does_nothing_else(office: Office) {
        let (store, now) = (office.operator().await, office.here.clock.now());
        let new = |text: &str, permissions: &[Permission], days| {
            NewAccount { name: name(text), permissions: permissions.iter().copied().collect(), days }
        };
        let make = async |new: NewAccount| create_service_account(&store, &new, office.rng(), now).await;
        for permissions in [&[][..], &[Permission::ReadUsers], &[Permission::InspectTokens, Permission::WritePartners]] {
            assert!(matches!(make(new("odd", permissions, None)).await, Err(ServiceAccountError::NotGrantable)));
        }
        let (_, gateway) = make(new("gateway", &FOR_SERVICE_ACCOUNTS, None)).await.unwrap();
        let (_, short) = make(new("short", &[Permission::InspectTokens], Some(1))).await.unwrap();
        assert!(matches!(make(new("gateway", &FOR_SERVICE_ACCOUNTS, None)).await, Err(ServiceAccountError::NameTaken)));
        for replica in [&office.here, &office.there] {
            assert!(refuses(replica, &gateway, KeyRefusal::NotHere).await, "it is nobody's caller");
        }
        #[cfg(feature = "actix")]
        reaches(&office, (&gateway, &short)).await;

        revoke_service_account(&store, &name("gateway"), now).await.unwrap();
        assert!(matches!(revoke_service_account(&store, &name("gateway"), now).await, Err(ServiceAccountError::NotFound)));
        make(new("gateway", &FOR_SERVICE_ACCOUNTS, None)).await.unwrap();
        let listed = service_accounts(&store).await.unwrap();
        let seen: Vec<_> = listed.iter().map(|account| (account.name.as_str(), account.status(now))).collect();
        assert_eq!(seen, [("gateway", KeyStatus::Revoked), ("short", KeyStatus::Active), ("gateway", KeyStatus::Active)]);
        let actions = office.texts("SELECT action FROM auth.audit_log WHERE org_id IS NULL AND action LIKE 'service%' ORDER BY seq").await;
        let (created, revoked) = ("service_accounts.created", "service_accounts.revoked");
        assert_eq!(actions, [created, created, revoked, created]);
        store.close().await.unwrap();
    }
}

/// What service accounts and others reach, also after their end.
#[cfg(feature = "actix")]
async fn reaches(office: &Office, (gateway, short): (&KeyText, &KeyText)) {
    use sme_pulse_auth::guard::{Authenticate as _, Reach};

    let reach = async |at: &Replica, text: &str, permission| at.auth.reach(text, permission).await;
    for permission in FOR_SERVICE_ACCOUNTS {
        let Ok(Reach::Installation(named)) = reach(&office.here, gateway.expose(), permission).await else {
            panic!("{permission:?}")
        };
        assert_eq!(named, "gateway");
        assert_eq!(
            reach(&office.here, short.expose(), permission).await.is_ok(),
            permission == Permission::InspectTokens
        );
    }
    let refused = reach(&office.here, short.expose(), Permission::RevokeTokens).await;
    assert!(matches!(refused, Err(AccessError::NotGranted)), "{refused:?}");
    for permission in [Permission::ReadUsers, Permission::UseOwnAccount] {
        assert!(matches!(reach(&office.here, gateway.expose(), permission).await, Err(AccessError::NotGranted)));
    }
    let owner = caller(&office.here).await;
    let (_, key) = made(&office.here, &owner, &[Permission::InspectTokens]).await;
    let within = reach(&office.here, key.expose(), Permission::InspectTokens).await.unwrap();
    assert_eq!(within.only(), Some(owner.org_id()));
    assert!(reach(&office.here, key.expose(), Permission::RevokeTokens).await.is_err());

    eventually("no read for a warm one", || async {
        let before = office.there.reads();
        reach(&office.there, gateway.expose(), Permission::InspectTokens).await.unwrap();
        office.there.reads() == before
    })
    .await;
    office.there.auth.write_last_seen().await.unwrap();
    let noted = "SELECT name FROM auth.service_accounts WHERE last_used_at IS NOT NULL ORDER BY name";
    assert_eq!(office.texts(noted).await, ["gateway"]);
    office.sql("UPDATE auth.service_accounts SET revoked_at = created_at WHERE name = 'gateway'").await;
    let ended = async |at: &Replica, key: &KeyText, why: KeyRefusal| {
        let refused = reach(at, key.expose(), Permission::InspectTokens).await;
        matches!(refused, Err(AccessError::BadKey(reason)) if reason == why)
    };
    eventually("revoked over there", || ended(&office.there, gateway, KeyRefusal::Revoked)).await;
    office.sql("UPDATE auth.service_accounts SET revoked_at = NULL WHERE name = 'gateway'").await;
    office.here.clock.advance(Duration::from_hours(24));
    assert!(ended(&office.here, short, KeyRefusal::Expired).await);
}
