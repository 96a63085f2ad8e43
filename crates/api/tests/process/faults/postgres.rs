//! PostgreSQL: stopped and started, its connections cut, and gone for good with a standby in its place.

use std::rc::Rc;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Database};
use tokio::task::{LocalSet, spawn_local};

use super::relay::Relay;
use super::writes::{WRITES, Writes, prepare};
use crate::support::{Cluster, Home, Server, pause, until};

const BOUND: Duration = Duration::from_mins(3);

/// A server over this database, with the seeds.
async fn serve(url: &str) -> (Home, Server, Rc<Writes>) {
    serve_at(url, url).await
}

/// The same, where the server has an address of its own for the database.
async fn serve_at(url: &str, address: &str) -> (Home, Server, Rc<Writes>) {
    let mut home = Home::bare();
    prepare(&mut home);
    home.set("DATABASE_URL", url);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let server = home.set("DATABASE_URL", address).serve().await;
    let writes = Writes::new(server.address, server.log_in().await.token());
    (home, server, writes)
}

async fn reached(writes: &Writes, acknowledged: usize) {
    until("writes are acknowledged", BOUND, async || (writes.acknowledged() >= acknowledged).then_some(())).await;
}

#[tokio::test]
async fn a_database_that_crashes_and_comes_back_under_load_loses_no_write() {
    let Some(cluster) = Cluster::create() else { return };
    cluster.start();
    let (home, server, writes) = serve(&cluster.url()).await;
    let local = LocalSet::new();
    local
        .run_until(async {
            let all = spawn_local(Rc::clone(&writes).run());
            for crash in 1..=3 {
                reached(&writes, crash * WRITES / 8).await;
                cluster.stop();
                pause(Duration::from_millis(700)).await;
                cluster.start();
            }
            all.await.unwrap();
        })
        .await;
    writes.assert_kept("PostgreSQL crashed and started three times", &home, &server).await;
}

#[tokio::test]
async fn connections_that_are_cut_in_the_middle_of_transactions_lose_no_write() {
    let Some(cluster) = Cluster::create() else { return };
    cluster.start();
    let (home, server, writes) = serve(&cluster.url()).await;
    let beside = Database::connect(cluster.url()).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')";
    let local = LocalSet::new();
    local
        .run_until(async {
            let all = spawn_local(Rc::clone(&writes).run());
            while !writes.is_over() {
                beside.execute_unprepared(cut).await.unwrap();
                pause(Duration::from_millis(20)).await;
            }
            all.await.unwrap();
        })
        .await;
    beside.close().await.unwrap();
    writes.assert_kept("connections cut fifty times a second", &home, &server).await;
}

/// With synchronous replication: a commit is acknowledged when the standby has it as well.
#[tokio::test]
async fn a_standby_that_takes_over_has_every_write() {
    let Some(primary) = Cluster::create() else { return };
    primary.start();
    let Some(standby) = Cluster::standby_of(&primary) else { return };
    standby.start_with("-c synchronous_standby_names=''");
    primary.set("synchronous_standby_names", "*").await;
    let local = LocalSet::new();
    local
        .run_until(async {
            let relay = Relay::to(primary.port()).await;
            let address = format!("postgres://postgres@{}/postgres", relay.address);
            let (mut home, server, writes) = serve_at(&primary.url(), &address).await;
            let all = spawn_local(Rc::clone(&writes).run());
            reached(&writes, WRITES / 3).await;
            primary.stop();
            standby.promote();
            relay.lead_to(standby.port());
            all.await.unwrap();
            home.set("DATABASE_URL", &standby.url());
            writes.assert_kept("primary lost, standby promoted", &home, &server).await;
        })
        .await;
}
