//! Two servers over one database: what is taken from a user at one of them, or beside both, is refused by the other.

use std::{cell::Cell, time::Duration};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use sme_pulse_testing::{Engine, on_both_databases};

use crate::support::{Answer, Home, KEY, Server, elapsed, note, pause, until};

/// Only a failure takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is promised: at p99 of the trials a change is seen by every server within this time.
const BOUND: Duration = Duration::from_secs(1);
/// Of each kind of change; five kinds make 200.
const ROUNDS: usize = 40;

/// What takes something from the administrator, how it is given back, and the path and status that show it.
struct Taken {
    what: &'static str,
    /// `None` is a log-out at the first server.
    by: Option<&'static str>,
    back: &'static str,
    path: &'static str,
    status: u16,
}

const ME: &str = "/api/v1/auth/me";

const TAKEN: [Taken; 5] = [
    Taken { what: "log-out", by: None, back: "", path: ME, status: 401 },
    Taken {
        what: "user disabled",
        by: Some("UPDATE core.users SET status = 'inactive'"),
        back: "UPDATE core.users SET status = 'active'",
        path: ME,
        status: 401,
    },
    Taken {
        what: "roles removed",
        by: Some("DELETE FROM core.user_roles"),
        back: "INSERT INTO core.user_roles (user_id, org_id, role_id) \
            SELECT u.id, u.org_id, r.id FROM core.users u CROSS JOIN core.roles r WHERE r.code IN ('owner', 'admin')",
        path: "/api/v1/settings",
        status: 403,
    },
    Taken {
        what: "organization suspended",
        by: Some("UPDATE core.organizations SET status = 'inactive'"),
        back: "UPDATE core.organizations SET status = 'active'",
        path: ME,
        status: 401,
    },
    // In one transaction, as the product changes a password: the new time and the end of the sessions.
    Taken {
        what: "password changed",
        by: Some(
            "BEGIN; UPDATE core.users SET password_changed_at = created_at; \
             UPDATE auth.sessions SET revoked_at = created_at WHERE revoked_at IS NULL; COMMIT",
        ),
        back: "",
        path: ME,
        status: 401,
    },
];

/// Two servers, and a connection beside them.
struct Pair {
    home: Home,
    here: Server,
    there: Server,
    beside: DatabaseConnection,
}

impl Pair {
    async fn of(mut home: Home) -> Self {
        home.set("BACKEND_SECRET_KEY", KEY);
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        let (here, there) = (home.serve().await, home.serve().await);
        let beside = home.database().connect().await;
        Self { home, here, there, beside }
    }

    async fn ask(&self, path: &str, token: &str) -> Answer {
        self.there.get_with(path, token).await
    }

    async fn run(&self, sql: &str) {
        self.beside.execute_unprepared(&self.home.dialect(sql)).await.unwrap();
    }

    async fn until(&self, what: &str, status: u16, path: &str, token: &str) {
        until(what, PATIENCE, async || (self.ask(path, token).await.status == status).then_some(())).await;
    }

    /// How long it took from before the change was sent until the other server's answer showed it.
    async fn trial(&self, loss: &Taken) -> Duration {
        let token = self.here.log_in().await.token();
        self.until("the user is known there", 200, loss.path, &token).await;
        assert_eq!(self.ask(loss.path, &token).await.status, 200, "from memory now");
        let start = elapsed();
        match loss.by {
            Some(sql) => self.run(sql).await,
            None => assert_eq!(self.here.post("/api/v1/auth/logout", &token).await.status, 204),
        }
        self.until(loss.what, loss.status, loss.path, &token).await;
        let took = elapsed().saturating_sub(start);
        if !loss.back.is_empty() {
            self.run(loss.back).await;
            self.until("given back", 200, loss.path, &token).await;
        }
        took
    }

    /// The times of all trials of all kinds, shortest first.
    async fn trials(&self, rounds: usize) -> Vec<Duration> {
        let mut times = Vec::new();
        for taken in &TAKEN {
            for _ in 0..rounds {
                times.push(self.trial(taken).await);
            }
        }
        times.sort();
        times
    }
}

/// The one place where a time decides: that a change is seen everywhere within a second is the requirement itself.
fn assert_seen_in_time(what: &str, times: &[Duration]) {
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
    let (p50, p90, p99, worst) = (at(50), at(90), at(99), at(100));
    note(&format!("{what}: {} trials, p50 {p50:?}, p90 {p90:?}, p99 {p99:?}, worst {worst:?}", times.len()));
    let late = times.iter().filter(|time| **time > BOUND).count();
    assert!(late * 100 <= times.len(), "{what}: {late} of {} took longer than a second: {times:?}", times.len());
}

on_both_databases! {
    async fn what_is_taken_at_one_server_is_refused_by_the_other_within_a_second(home: Home) {
        let pair = Pair::of(home).await;
        let engine = if pair.home.database().engine() == Engine::Postgres { "PostgreSQL" } else { "SQLite" };
        assert_seen_in_time(engine, &pair.trials(ROUNDS).await);
    }

    async fn a_command_that_changes_users_is_noticed_within_a_second(home: Home) {
        let pair = Pair::of(home).await;
        let token = pair.here.log_in().await.token();
        for round in 0..5 {
            pair.run("DELETE FROM core.user_roles").await;
            pair.until("the roles are gone", 403, "/api/v1/settings", &token).await;
            assert_eq!(pair.ask("/api/v1/settings", &token).await.status, 403, "{round}");
            // The seeds give the administrator its roles again, from a process of their own.
            pair.home.succeed(&["seed"]);
            let start = elapsed();
            pair.until("the roles are back", 200, "/api/v1/settings", &token).await;
            assert_seen_in_time("a command", &[elapsed().saturating_sub(start)]);
        }
    }
}

/// Ends the connections on which servers listen, again and again, so that they are deaf nearly all the time.
async fn deafen(db: &DatabaseConnection, ended: &Cell<i64>) {
    // A listener that has heard nothing for a while asks whether its connection is still there.
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND (query LIKE 'LISTEN %' OR query = 'SELECT 1')";
    loop {
        let statement = Statement::from_string(db.get_database_backend(), cut);
        let row = db.query_one_raw(statement).await.unwrap().unwrap();
        ended.set(ended.get() + row.try_get_by_index::<i64>(0).unwrap());
        pause(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn servers_that_cannot_listen_refuse_at_once_all_the_same() {
    let Some(home) = Home::postgres().await else { return };
    let mut pair = Pair::of(home).await;
    let cutter = pair.home.database().connect().await;
    let ended = Cell::new(0);
    let times = tokio::select! {
        times = pair.trials(8) => times,
        () = deafen(&cutter, &ended) => unreachable!(),
    };
    assert_seen_in_time("PostgreSQL without notices", &times);
    assert!(ended.get() > 5, "{} connections were cut", ended.get());
    assert!(
        pair.there
            .heard("No news of changes from the database; every request asks it until they are back")
            .await
            .is_some()
    );
}
