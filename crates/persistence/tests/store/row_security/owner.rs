//! The wall under an owner that is no superuser, as in production: with the serving role, without it, and at the command line.

use sea_orm::{ConnectionTrait, TransactionTrait};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Chain, Origin},
    email::Email,
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    session::{EndReason, Session},
    tenant::TenantScope,
};
use sme_pulse_persistence::{DatabaseSettings, LogInRecord, PasswordAsOf, RowSecurity, Step, Store, seed};
use sme_pulse_testing::{TestDatabase, on_postgres};
use url::Url;
use uuid::Uuid;

use super::number;
use crate::support::{HASH, counting, now};

/// A role of its own that owns the database, and may create no others. Its name is one that has to be quoted.
struct Owner {
    role: String,
    quoted: String,
    settings: DatabaseSettings,
    database: TestDatabase,
}

impl Owner {
    async fn of(database: TestDatabase) -> Self {
        let name = database.url().rsplit('/').next().unwrap().to_owned();
        let role = format!("{name}-Owner");
        let quoted = format!("\"{role}\"");
        let admin = database.connect_with(1).await;
        admin.execute_unprepared(&format!("CREATE ROLE {quoted} LOGIN PASSWORD 'x'")).await.unwrap();
        admin.execute_unprepared(&format!("ALTER DATABASE {name} OWNER TO {quoted}")).await.unwrap();
        let mut url = Url::parse(database.url()).unwrap();
        url.set_username(&role).unwrap();
        url.set_password(Some("x")).unwrap();
        let settings = DatabaseSettings::Postgres { url: url.into(), pool_size: 1, max_overflow: 3 };
        Self { role, quoted, settings, database }
    }

    async fn operator(&self) -> Store {
        Store::open_for_operator(&self.settings, counting()).await.unwrap()
    }

    async fn serving(&self) -> Store {
        Store::open(&self.settings, counting()).await.unwrap()
    }

    /// As an administrator.
    async fn admin(&self, sql: &str) {
        let admin = self.database.connect_with(1).await;
        admin.execute_unprepared(sql).await.unwrap();
        admin.close().await.unwrap();
    }

    /// The role goes with what it owns.
    async fn end(self, stores: impl IntoIterator<Item = Store>) {
        for store in stores {
            store.close().await.unwrap();
        }
        let Self { quoted, .. } = &self;
        self.admin(&format!("REASSIGN OWNED BY {quoted} TO CURRENT_USER; DROP OWNED BY {quoted}; DROP ROLE {quoted}"))
            .await;
    }
}

#[expect(clippy::disallowed_methods, reason = "tests act for whom they like")]
const fn scope(org: OrgId, actor: UserId) -> TenantScope {
    TenantScope::assume_verified(org, Some(actor))
}

/// What a person does from the log-in to the log-out, and what runs beside it.
async fn a_day(store: &Store) {
    let account = store.account_by_email(&Email::parse("admin@sme.com").unwrap()).await.unwrap().unwrap();
    let user = account.user;
    let session = Session {
        id: SessionId::new(Uuid::from_u128(5)),
        user: user.id,
        org: user.org,
        created_at: now(),
        expires_at: now() + chrono::Duration::minutes(30),
        last_seen_at: None,
        client_ip: None,
        user_agent: None,
        revoked_at: None,
        authenticated_at: now(),
        methods: Methods::PASSWORD,
    };
    let tx = store.begin(scope(user.org, user.id)).await.unwrap();
    let record = LogInRecord { user: user.id, at: now(), password: PasswordAsOf::Exactly(None), renewed: None };
    assert!(tx.sessions().record_log_in(record).await.unwrap());
    tx.sessions().open(&session).await.unwrap();
    tx.challenges().open(user.id, &"7".repeat(64), (now(), session.expires_at)).await.unwrap();
    tx.record(AuditEvent::new(Action::LogIn, None, Origin::default()), now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(store.count_challenge_attempt(&"7".repeat(64), 5, now()).await.unwrap().is_some());
    assert!(store.principal(user.id, Some(session.id)).await.unwrap().unwrap().session.is_some());
    let (idle_end, longest) = (session.expires_at, chrono::Duration::days(1));
    let step = Step { session: session.id, from: 0, to: 1, idle_end, longest, at: now() };
    assert_eq!(store.step_refresh(step).await.unwrap(), store.session_for_refresh(session.id).await.unwrap());
    assert_eq!(store.session_for_refresh(session.id).await.unwrap().unwrap().counter, 1);

    let tx = store.begin_system().await.unwrap();
    tx.record(AuditEvent::new(Action::LogInFailed, None, Origin::default()), now()).await.unwrap();
    let org = AuditEvent::new(Action::LogInFailed, Some(user.org), Origin::default());
    tx.record(org, now()).await.unwrap();
    tx.commit().await.unwrap();
    let view = store.begin_system_read().await.unwrap();
    let heads = view.heads_to_sign().await.unwrap();
    assert_eq!(
        heads.iter().map(|head| (head.0, head.1)).collect::<Vec<_>>(),
        [(Chain::Outside, 1), (Chain::Of(user.org), 3)]
    );
    for (chain, events) in [(Chain::Outside, 1), (Chain::Of(user.org), 3)] {
        assert_eq!(view.chain(chain).next_batch().await.unwrap().len(), events);
    }
    drop(view);
    let tx = store.begin(scope(user.org, user.id)).await.unwrap();
    assert!(tx.sessions().end((session.id, user.id), EndReason::LoggedOut, now()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.remove_expired(now() + chrono::Duration::days(99)).await.unwrap(), 2);
}

#[test]
fn an_owner_without_the_serving_role_is_confined_too_and_everything_works() {
    on_postgres(async |database: TestDatabase| {
        let owner = Owner::of(database).await;
        let operator = owner.operator().await;
        operator.migrate_up().await.unwrap();
        let left = operator.prepare_runtime_role().await.unwrap();
        // Other tests may have made the role; this one may not take it on.
        assert_eq!(left.last().unwrap(), &format!("GRANT sme_pulse_runtime TO {};", owner.quoted), "{left:?}");
        seed::run(&operator, HASH, now()).await.unwrap();

        let store = owner.serving().await;
        let standing = store.row_security().await.unwrap().unwrap();
        assert_eq!(standing, RowSecurity { role: owner.role.clone(), in_force: true, owner: true });
        assert_eq!(number(store.raw(), "SELECT COUNT(*) FROM core.users").await, 0);
        a_day(&store).await;
        assert_eq!(
            number(store.raw(), "SELECT COUNT(*) FROM core.users").await,
            0,
            "a function takes its setting back"
        );
        let tx = store.raw().begin().await.unwrap();
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM auth.find_account('admin@sme.com')").await, 2);
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM core.users").await, 0, "within the transaction too");
        drop(tx);
        assert_eq!(number(operator.raw(), "SELECT COUNT(*) FROM core.users").await, 1);
        owner.end([store, operator]).await;
    });
}

#[test]
fn a_granted_role_is_taken_on_by_what_serves_and_by_nothing_else() {
    on_postgres(async |database: TestDatabase| {
        let owner = Owner::of(database).await;
        let operator = owner.operator().await;
        operator.migrate_up().await.unwrap();
        // What the note of `migrate` asks for.
        for statement in operator.prepare_runtime_role().await.unwrap() {
            owner.admin(&statement).await;
        }
        operator.migrate_up().await.unwrap();
        assert_eq!(operator.prepare_runtime_role().await.unwrap(), [""; 0]);
        seed::run(&operator, HASH, now()).await.unwrap();

        let store = owner.serving().await;
        let standing = store.row_security().await.unwrap().unwrap();
        assert_eq!(standing, RowSecurity { role: "sme_pulse_runtime".into(), in_force: true, owner: false });
        assert!(store.is_ready().await);
        a_day(&store).await;
        assert_eq!(number(store.raw(), "SELECT COUNT(*) FROM core.users").await, 0);
        // A serving store migrates on a connection of its own, and stays what it is.
        assert_eq!(store.migrate_up().await.unwrap(), [""; 0]);
        assert_eq!(store.row_security().await.unwrap().unwrap().role, "sme_pulse_runtime");
        assert_eq!(operator.row_security().await.unwrap().unwrap().role, owner.role);
        owner.end([store, operator]).await;
    });
}

#[test]
fn connections_from_before_the_first_migration_do_not_stay_outside_the_wall() {
    on_postgres(async |database: TestDatabase| {
        let url = database.url().to_owned();
        let settings = DatabaseSettings::Postgres { url, pool_size: 2, max_overflow: 2 };
        let store = Store::open(&settings, counting()).await.unwrap();
        assert!(!store.is_ready().await);
        store.migrate_up().await.unwrap();
        let all = [
            store.raw().begin().await.unwrap(),
            store.raw().begin().await.unwrap(),
            store.raw().begin().await.unwrap(),
        ];
        for tx in &all {
            assert_eq!(super::texts(tx, "SELECT current_user::text").await, ["sme_pulse_runtime"]);
        }
        drop(all);
        store.close().await.unwrap();
    });
}
