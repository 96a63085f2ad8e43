//! `kill -9` at moments spread over the duration of a command: it has happened as a whole or not at all, and the next
//! run finds a database that it can use.

use std::time::Duration;

use sme_pulse_testing::Engine;

use crate::migrate::CHANGES;
use crate::support::{Home, assert_unbroken_audit_trail, elapsed, note, pause};

/// How many moments; a database in the cluster costs more to make than a file.
fn moments(engine: Engine) -> u32 {
    match engine {
        Engine::Sqlite => 20,
        Engine::Postgres => 10,
    }
}

/// How long a command takes; the second run counts, since the first one reads the program from the disk.
fn duration(home: &Home, args: &[&str], back: &[&str]) -> Duration {
    home.succeed(args);
    home.succeed(back);
    let began = elapsed();
    home.succeed(args);
    elapsed().saturating_sub(began)
}

/// Starts the command and kills it after a while; true when it had not ended by itself.
async fn killed(home: &Home, args: &[&str], after: Duration) -> bool {
    let mut child = home.start(args);
    pause(after).await;
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// The home of one round.
async fn home(engine: Engine) -> Option<Home> {
    match engine {
        Engine::Sqlite => Some(Home::sqlite().await),
        Engine::Postgres => Home::postgres().await,
    }
}

async fn kill_while_migrating(engine: Engine) {
    let Some(first) = home(engine).await else { return };
    let whole = duration(&first, &["migrate"], &["migrate", "down", "--steps", "99"]);
    let (mut cut, mut begun) = (0, 0);
    for moment in 0..moments(engine) {
        let home = home(engine).await.unwrap();
        cut += u32::from(killed(&home, &["migrate"], whole * moment / moments(engine)).await);
        let status = home.succeed(&["migrate", "status"]);
        let applied = status.lines().filter(|line| line.starts_with("applied")).count();
        assert!(applied == 0 || applied == CHANGES.len(), "{status}");
        begun += usize::from(applied > 0);
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        assert_eq!(home.seeded().await, [4, 1, 1, 2, 2, 2, 2]);
        home.assert_intact().await;
    }
    assert!(cut > 0, "every run had ended before it was killed");
    note(&format!("migrate on {engine:?}: {cut} of {} killed over {whole:?}, {begun} had committed", moments(engine)));
}

async fn kill_while_seeding(engine: Engine) {
    let Some(home) = home(engine).await else { return };
    home.succeed(&["migrate"]);
    let whole = duration(&home, &["seed"], &["migrate", "fresh"]);
    let (mut cut, mut begun) = (0, 0);
    for moment in 0..moments(engine) {
        home.succeed(&["migrate", "fresh"]);
        cut += u32::from(killed(&home, &["seed"], whole * moment / moments(engine)).await);
        let rows = home.seeded().await;
        assert!(rows == [0; 7] || rows == [4, 1, 1, 2, 2, 2, 2], "{rows:?}");
        begun += u32::from(rows[0] > 0);
        home.succeed(&["seed"]);
        assert_eq!(home.seeded().await, [4, 1, 1, 2, 2, 2, 2]);
        assert_eq!(assert_unbroken_audit_trail(&home).await, 1);
        home.assert_intact().await;
    }
    assert!(cut > 0, "every run had ended before it was killed");
    note(&format!("seed on {engine:?}: {cut} of {} killed over {whole:?}, {begun} had committed", moments(engine)));
}

/// The hardest of them: it removes everything before it builds everything.
async fn kill_while_building_anew(engine: Engine) {
    let Some(home) = home(engine).await else { return };
    home.succeed(&["migrate"]);
    let whole = duration(&home, &["migrate", "fresh"], &["seed"]);
    let mut cut = 0;
    for moment in 0..moments(engine) {
        home.succeed(&["seed"]);
        cut += u32::from(killed(&home, &["migrate", "fresh"], whole * moment / moments(engine)).await);
        let rows = home.seeded().await;
        assert!(rows == [0; 7] || rows == [4, 1, 1, 2, 2, 2, 2], "{rows:?}");
        assert!(!home.succeed(&["migrate", "status"]).contains("pending"));
        home.assert_intact().await;
    }
    assert!(cut > 0, "every run had ended before it was killed");
}

mod killed_while_migrating_the_schema_is_old_or_new {
    use super::{Engine, kill_while_migrating};

    #[tokio::test]
    async fn sqlite() {
        kill_while_migrating(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        kill_while_migrating(Engine::Postgres).await;
    }
}

mod killed_while_seeding_all_rows_are_there_or_none {
    use super::{Engine, kill_while_seeding};

    #[tokio::test]
    async fn sqlite() {
        kill_while_seeding(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        kill_while_seeding(Engine::Postgres).await;
    }
}

mod killed_while_building_anew_the_data_is_there_or_gone {
    use super::{Engine, kill_while_building_anew};

    #[tokio::test]
    async fn sqlite() {
        kill_while_building_anew(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        kill_while_building_anew(Engine::Postgres).await;
    }
}
