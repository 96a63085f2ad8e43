//! PostgreSQL gone, at any time: the process lives, what needs the database is refused cleanly and soon, and all of it
//! heals without help.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::support::{Answer, Cluster, Home, Server, assert_clean_unavailable, pause, until};

/// What a client is promised: a clean answer within this time.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);
const HEALED_WITHIN: Duration = Duration::from_mins(1);

fn home(cluster: &Cluster) -> Home {
    let mut home = Home::bare();
    home.set("BACKEND_BCRYPT_COST", "4").set("BACKEND_RATE_LIMIT_ENABLED", "false");
    home.set("BACKEND_POOL_SIZE", "2").set("BACKEND_MAX_OVERFLOW", "2").set("DATABASE_URL", &cluster.url());
    home
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(REFUSED_WITHIN, work).await.unwrap_or_else(|_| panic!("no answer within 10 s"))
}

async fn assert_alive_but_not_ready(server: &Server, token: Option<&str>) {
    assert_eq!(server.get("/health").await.status, 200);
    let (ready, log_in) = tokio::join!(within(server.get("/health/ready")), within(server.log_in()));
    assert_clean_unavailable(&ready);
    assert_clean_unavailable(&log_in);
    if let Some(token) = token {
        assert_clean_unavailable(&within(server.me(token)).await);
    }
    assert_eq!(server.get("/health").await.status, 200);
}

/// The status of a log-in that is either granted or refused cleanly.
async fn server_answers(server: &Server) -> u16 {
    let answer = within(server.log_in()).await;
    if answer.status != 200 {
        assert_clean_unavailable(&answer);
    }
    answer.status
}

async fn assert_heals(server: &Server) {
    until("readiness comes back", HEALED_WITHIN, async || {
        (server.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_costs_no_restart() {
    let Some(cluster) = Cluster::create() else { return };
    cluster.start();
    let home = home(&cluster);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let mut server = home.serve().await;
    let token = server.log_in().await.token();

    for _ in 0..2 {
        cluster.stop();
        assert_alive_but_not_ready(&server, Some(&token)).await;
        cluster.start();
        assert_heals(&server).await;
        assert_eq!(server.me(&token).await.status, 200);
        assert_eq!(server.log_in().await.status, 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn log_ins_across_an_outage_are_answered_one_way_or_the_other() {
    let Some(cluster) = Cluster::create() else { return };
    cluster.start();
    let home = home(&cluster);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let server = home.serve().await;
    let (granted, first) = oneshot::channel();
    let log_ins = async {
        assert_eq!(server.log_in().await.status, 200);
        granted.send(()).unwrap();
        // The crash falls into one of these.
        while server_answers(&server).await == 200 {}
    };
    let crash = async {
        first.await.unwrap();
        cluster.stop();
    };
    tokio::join!(log_ins, crash);
    cluster.start();
    assert_heals(&server).await;
    assert_eq!(server.log_in().await.status, 200);
}

#[tokio::test]
async fn a_restart_that_nobody_noticed_costs_nobody_a_refusal() {
    let Some(cluster) = Cluster::create() else { return };
    cluster.start();
    let mut home = home(&cluster);
    home.set("BACKEND_POOL_SIZE", "8");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let server = home.serve().await;
    // Together they make the pool open its connections.
    let tokens: Vec<_> = join_all((0..8).map(|_| server.log_in())).await.iter().map(Answer::token).collect();
    // A restart takes longer than a second in life; here it may not, and younger connections are not tried.
    cluster.stop();
    pause(Duration::from_millis(1100)).await;
    cluster.start();
    for answer in join_all(tokens.iter().map(|token| server.me(token))).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    for answer in join_all((0..16).map(|_| server.log_in())).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_database_that_hangs_costs_a_clean_refusal_and_nothing_later() {
    let Some(cluster) = Cluster::create() else { return };
    cluster.start();
    let home = home(&cluster);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let mut server = home.serve().await;
    let token = server.log_in().await.token();
    cluster.freeze();
    // From then on a connection is tried before it is used.
    pause(Duration::from_millis(1100)).await;
    for _ in 0..2 {
        assert_alive_but_not_ready(&server, Some(&token)).await;
    }
    cluster.thaw();
    assert_heals(&server).await;
    assert_eq!(server.me(&token).await.status, 200);
    assert_eq!(server.log_in().await.status, 200);

    // With a log-in that waits for an answer which never comes, and connections that cannot be closed.
    cluster.freeze();
    let address = server.address;
    let ends = async {
        assert_eq!(server.get("/health").await.status, 200);
        server.stop().await;
    };
    let http = reqwest::Client::new();
    tokio::select! {
        () = ends => {}
        // Cut off at the end of the server.
        () = async { drop(Server::try_log_in(&http, address).await); std::future::pending::<()>().await } => {}
    }
}

#[tokio::test]
async fn a_server_that_starts_first_waits_for_its_database_and_migrates_it() {
    let Some(cluster) = Cluster::create() else { return };
    let home = home(&cluster);
    let mut server = home.serve().await;
    assert_alive_but_not_ready(&server, None).await;
    cluster.start();
    assert_heals(&server).await;
    home.succeed(&["seed"]);
    assert_eq!(server.log_in().await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_may_not_migrate_is_ready_once_somebody_has() {
    let Some(cluster) = Cluster::create() else { return };
    let mut home = home(&cluster);
    home.set("BACKEND_AUTO_MIGRATE", "false");
    let server = home.serve().await;
    cluster.start();
    assert_clean_unavailable(&within(server.get("/health/ready")).await);
    home.succeed(&["migrate"]);
    assert_heals(&server).await;
}
