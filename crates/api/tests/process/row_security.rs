//! Row-level security as an operator sets it up: one login that migrates and owns, another that only serves.

use sea_orm::{ConnectionTrait as _, Statement};
use url::Url;

use crate::support::Home;

/// The login that owns the database, and the one that serves; both end with the test.
struct Logins {
    owner: String,
    server: String,
}

fn url(database: &str, user: &str) -> String {
    let mut url = Url::parse(database).unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some("x")).unwrap();
    url.into()
}

async fn admin(home: &Home, sql: &str) {
    let connection = home.database().connect_with(1).await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

impl Logins {
    async fn make(home: &Home) -> Self {
        let name = home.database().url().rsplit('/').next().unwrap().to_owned();
        let logins = Self { owner: format!("{name}_owner"), server: format!("{name}_server") };
        let Self { owner, server } = &logins;
        admin(home, &format!("CREATE ROLE {owner} LOGIN PASSWORD 'x'; CREATE ROLE {server} LOGIN PASSWORD 'x'")).await;
        admin(home, &format!("ALTER DATABASE {name} OWNER TO {owner}")).await;
        logins
    }

    async fn end(self, home: &Home) {
        let Self { owner, server } = &self;
        admin(
            home,
            &format!("REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}; DROP ROLE {owner}, {server}"),
        )
        .await;
    }
}

#[tokio::test]
async fn a_login_of_its_own_serves_what_another_migrated() {
    let Some(mut home) = Home::postgres().await else { return };
    let database = home.database().url().to_owned();
    let logins = Logins::make(&home).await;
    home.set("DATABASE_URL", &url(&database, &logins.owner));

    let first = home.succeed(&["migrate"]);
    let wanted = format!("  GRANT sme_pulse_runtime TO {};", logins.owner);
    assert!(first.lines().any(|line| line == wanted), "{first}");
    for statement in first.lines().filter_map(|line| line.strip_prefix("  ")) {
        admin(&home, statement).await;
    }
    assert_eq!(home.succeed(&["migrate"]), "The schema is current; nothing to do.\n");
    home.succeed(&["seed"]);

    admin(&home, &format!("GRANT sme_pulse_runtime TO {}", logins.server)).await;
    home.set("DATABASE_URL", &url(&database, &logins.server)).set("BACKEND_AUTO_MIGRATE", "false");
    let mut server = home.serve().await;
    let said = server.log.iter().find(|line| line["msg"] == "Row-level security is in force").unwrap();
    assert_eq!(said["role"], "sme_pulse_runtime");
    let ready = server.http.get(format!("http://{}/health/ready", server.address)).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let log_in = server.http.post(format!("http://{}/api/v1/auth/login", server.address));
    let body = r#"{"email":"admin@sme.com","password":"123456"}"#;
    let signed_in = log_in.header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(signed_in.status(), 200);

    // By itself that login sees nothing, and it cannot become the owner.
    let mut options = sea_orm::ConnectOptions::new(url(&database, &logins.server));
    options.max_connections(1);
    let raw = sea_orm::Database::connect(options).await.unwrap();
    for prepare in ["RESET ROLE", "SET ROLE sme_pulse_runtime", "SET sme_pulse.every_tenant = 'on'"] {
        raw.execute_unprepared(prepare).await.unwrap();
        let every = Statement::from_string(raw.get_database_backend(), "SELECT 1 FROM core.users");
        assert!(raw.query_all_raw(every).await.unwrap().is_empty(), "{prepare}");
    }
    assert!(raw.execute_unprepared(&format!("SET ROLE {}", logins.owner)).await.is_err());
    raw.close().await.unwrap();
    // What concerns all organizations is for the owner.
    assert_ne!(home.run(&["seed"]).code, Some(0));
    server.stop().await;
    logins.end(&home).await;
}

#[tokio::test]
async fn a_superuser_serves_in_the_role_and_an_unmigrated_role_is_told_of() {
    let Some(home) = Home::postgres().await else { return };
    home.succeed(&["migrate"]);
    let mut server = home.serve().await;
    let said = server.log.iter().find(|line| line["msg"] == "Row-level security is in force").unwrap();
    assert_eq!(said["role"], "sme_pulse_runtime");
    server.stop().await;
    // The role stays, for other databases; without its rights here a superuser is bound by nothing.
    admin(&home, "REVOKE USAGE ON SCHEMA auth FROM sme_pulse_runtime").await;
    let mut home = home;
    home.set("BACKEND_AUTO_MIGRATE", "false");
    let mut server = home.serve().await;
    let warning = "Row-level security is not in force: it does not bind this role; see `sme-pulse migrate`";
    assert!(server.log.iter().any(|line| line["msg"] == warning), "{:?}", server.log);
    server.stop().await;
}
