//! `sme-pulse db copy`: everything arrives on the other engine and goes on there, or nothing does.

use sme_pulse_testing::Engine;

use crate::support::{Home, KEY, assert_unbroken_audit_trail, elapsed, note, pause};

const MOMENTS: u32 = 10;
const DEMO: [&str; 7] = ["seed-demo", "--organizations", "4", "--users", "5", "--customers", "700"];

/// A migrated and seeded database, and an empty one of the other engine.
async fn two(from: Engine) -> Option<(Home, Home)> {
    let (mut sqlite, mut postgres) = (Home::sqlite().await, Home::postgres().await?);
    for home in [&mut sqlite, &mut postgres] {
        home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_LOG_FILE", "");
    }
    let (source, target) = if from == Engine::Sqlite { (sqlite, postgres) } else { (postgres, sqlite) };
    source.succeed(&["migrate"]);
    source.succeed(&["seed"]);
    source.succeed(&DEMO);
    Some((source, target))
}

async fn counts(home: &Home) -> Vec<i64> {
    let tables = ["core.organizations", "core.users", "core.user_roles", "finance.customers", "auth.audit_log"];
    home.numbers(&tables.map(|table| format!("SELECT COUNT(*) FROM {table}")).join(" UNION ALL ")).await
}

async fn everything_goes_on_there(from: Engine) {
    let Some((source, target)) = two(from).await else { return };
    let mut server = source.serve().await;
    let (mine, ended) = (server.log_in().await.token(), server.log_in().await.token());
    assert_eq!(server.post("/api/v1/auth/logout", &ended).await.status, 204);
    server.stop().await;
    let money = "SELECT CAST(SUM(opening_balance_minor) AS text) FROM finance.accounts";
    let (before, sum) = (counts(&source).await, source.texts(money).await);

    let said = source.succeed(&["db", "copy", "--to", target.database().url()]);
    assert!(said.contains("counts, sums and audit chains are the same"), "{said}");
    assert_eq!((counts(&target).await, target.texts(money).await), (before.clone(), sum));
    assert_eq!((counts(&source).await, before[3]), (before.clone(), 4 * 700 + 2));
    target.assert_intact().await;
    assert_eq!(i64::try_from(assert_unbroken_audit_trail(&target).await).unwrap(), before[4]);
    target.succeed(&["audit", "check"]);

    let server = target.serve().await;
    assert_eq!(server.me(&mine).await.status, 200);
    assert_eq!(server.me(&ended).await.status, 401);
    assert_eq!(server.log_in().await.status, 200);
    // Rows of every numbered table that the demo writes get numbers that nobody had.
    assert!(
        target
            .succeed(&["seed-demo", "--organizations", "6", "--customers", "3"])
            .starts_with("2 organizations written, 4")
    );
    assert_eq!(target.numbers("SELECT MAX(id) FROM core.organizations").await, [7]);
    let again = target.run(&["db", "copy", "--from", source.database().url(), "--to", target.database().url()]);
    assert!(again.code == Some(1) && again.complaint().contains("the target is not empty"), "{again:?}");
}

async fn a_source_with_a_broken_chain_leaves_the_target_empty(from: Engine) {
    let Some((source, target)) = two(from).await else { return };
    let drop = match from {
        Engine::Sqlite => "DROP TRIGGER audit_log_fixed",
        Engine::Postgres => "DROP TRIGGER audit_log_fixed ON auth.audit_log",
    };
    source.sql(drop).await;
    source.sql("UPDATE auth.audit_log SET action = 'nothing.happened' WHERE org_id = 1").await;
    let done = source.run(&["db", "copy", "--to", target.database().url()]);
    assert!(done.code == Some(1) && done.stderr.contains("event 1 was edited"), "{done:?}");
    assert_eq!(counts(&target).await, [0; 5]);
    target.succeed(&["seed"]);
}

async fn killed_while_copying(from: Engine) {
    let Some((source, target)) = two(from).await else { return };
    let args = ["db", "copy", "--to", target.database().url()];
    source.succeed(&args);
    target.succeed(&["migrate", "fresh"]);
    let began = elapsed();
    source.succeed(&args);
    let (whole, complete) = (elapsed().saturating_sub(began), counts(&source).await);
    let mut cut = 0;
    for moment in 0..MOMENTS {
        target.succeed(&["migrate", "fresh"]);
        let mut child = source.start(&args);
        pause(whole * moment / MOMENTS).await;
        child.kill().unwrap();
        cut += u32::from(child.wait().unwrap().code().is_none());
        let there = counts(&target).await;
        assert!(there == [0; 5] || there == complete, "{there:?}");
        assert_eq!(counts(&source).await, complete);
        // What is cut off takes itself back, and whoever comes next waits for that.
        let next = source.run(&args);
        assert!(next.code == Some(0) || next.complaint().contains("not empty"), "{next:?}");
        assert_eq!(counts(&target).await, complete);
    }
    assert!(cut > 0, "every run had ended before it was killed");
    note(&format!("db copy from {from:?}: {cut} of {MOMENTS} killed over {whole:?}"));
}

mod everything_arrives_and_goes_on {
    use super::{Engine, everything_goes_on_there};

    #[tokio::test]
    async fn from_sqlite() {
        everything_goes_on_there(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn from_postgres() {
        everything_goes_on_there(Engine::Postgres).await;
    }
}

mod what_differs_is_taken_back {
    use super::{Engine, a_source_with_a_broken_chain_leaves_the_target_empty};

    #[tokio::test]
    async fn from_sqlite() {
        a_source_with_a_broken_chain_leaves_the_target_empty(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn from_postgres() {
        a_source_with_a_broken_chain_leaves_the_target_empty(Engine::Postgres).await;
    }
}

mod killed_while_copying_the_target_is_empty_or_complete {
    use super::{Engine, killed_while_copying};

    #[tokio::test]
    async fn from_sqlite() {
        killed_while_copying(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn from_postgres() {
        killed_while_copying(Engine::Postgres).await;
    }
}

#[test]
fn an_address_that_is_refused_is_not_shown_and_nothing_is_made() {
    let home = Home::bare();
    for (args, word) in [
        (["db", "copy", "--from", "mysql://me:hunter22@x/y", "--to", "sqlite:a.db"], "--from must be postgres://"),
        (
            ["db", "copy", "--from", "sqlite:a.db", "--to", "postgres://me:hunter22@x/y?sslmode=hunter22"],
            "--to must have an sslmode",
        ),
        (["db", "copy", "--from", "sqlite:a.db", "--to", "sqlite:b.db"], "both are SQLite files"),
        (
            ["db", "copy", "--from", "sqlite:a.db", "--to", "postgres://me:hunter22@127.0.0.1:1/y"],
            "there is no database a.db",
        ),
        (["db", "copy", "--from", "postgres://me:hunter22@127.0.0.1:1/y", "--to", "postgres://x/y"], "pg_dump"),
    ] {
        let done = home.run(&args);
        assert!(done.code == Some(1) && done.stderr.contains(word) && !done.stderr.contains("hunter22"), "{done:?}");
    }
    assert!(!home.folder().join("a.db").exists() && !home.folder().join("b.db").exists());
}
