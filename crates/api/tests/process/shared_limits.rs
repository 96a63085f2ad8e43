//! Two servers over one database that share their limits in a real Redis: exact while it answers, and closed, alive and quick
//! whatever becomes of it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sme_pulse_testing::RedisServer;

use crate::support::{Answer, Home, Server, send};

/// What a client is promised while Redis hangs: far more than the quarter of a second that one request waits.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
const SHARED: &str = "Rate limits are shared";
const ALONE: &str = "Rate limits are not shared, this process limits alone";

/// Log-ins are limited to five in ten minutes, by the client that a proxy on this machine names.
async fn home(redis: &str) -> Home {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_RATE_LIMIT_ENABLED", "true").set("BACKEND_RATE_LIMIT_WINDOW", "600");
    home.set("BACKEND_TRUSTED_PROXIES", "127.0.0.1").set("REDIS_URL", redis);
    home.succeed(&["migrate"]);
    home
}

/// A log-in without a body: what passes is 422, and costs no hash.
async fn attempt(server: &Server, client: u8) -> Answer {
    let request =
        server.http.post(server.url("/api/v1/auth/login")).header("X-Forwarded-For", format!("10.0.0.{client}"));
    let sent = send(request.header("Content-Type", "application/json").body("{}"));
    let answer =
        tokio::time::timeout(ANSWERED_WITHIN, sent).await.unwrap_or_else(|_| panic!("no answer in time")).unwrap();
    assert!(matches!(answer.status, 422 | 429), "{answer:?}");
    answer
}

/// How many of so many parallel log-ins of one client pass, over these servers in turn.
async fn passed(servers: &[&Server], client: u8, of: usize) -> usize {
    let attempts = (0..of).map(|index| attempt(servers[index % servers.len()], client));
    join_all(attempts).await.into_iter().filter(|answer| answer.status == 422).count()
}

fn lines(server: &Server, message: &str) -> usize {
    server.log.iter().filter(|line| line["msg"] == message).count()
}

fn whole_log(server: &Server) -> String {
    server.log.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn of_fifty_parallel_log_ins_over_two_servers_exactly_five_pass() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let home = home(&redis.url()).await;
    let (one, other) = (home.serve().await, home.serve().await);
    assert_eq!((lines(&one, SHARED), lines(&other, SHARED)), (1, 1), "before the first request");
    assert_eq!(passed(&[&one, &other], 1, 50).await, 5);
    assert_eq!(attempt(&one, 2).await.headers["ratelimit"], "\"login\";r=4;t=600");
    let answer = attempt(&other, 2).await;
    assert!(answer.headers["ratelimit"].to_str().unwrap().starts_with("\"login\";r=3;t="), "{answer:?}");
    let refused = attempt(&other, 1).await;
    assert_eq!((refused.status, &refused.headers["retry-after"]), (429, &"600".parse().unwrap()));
    assert!(
        redis.cli(&["KEYS", "*"]).lines().all(|key| key.starts_with("sme-pulse:limit:login:") && !key.contains("10.0"))
    );
}

#[tokio::test]
async fn a_redis_that_is_killed_opens_nothing_stops_nothing_and_is_found_again() {
    let Some(mut redis) = RedisServer::start(&[]) else { return };
    let home = home(&redis.url()).await;
    let (mut one, mut other) = (home.serve().await, home.serve().await);
    assert_eq!((passed(&[&one], 1, 2).await, passed(&[&other], 1, 1).await), (2, 1));
    let both = [&one, &other];
    let (stormed, ()) = tokio::join!(passed(&both, 3, 50), async { redis.kill() });
    assert!((5..=10).contains(&stormed), "each lets five through at the most: {stormed}");
    // What each has let through itself still counts.
    assert_eq!((passed(&[&one], 1, 10).await, passed(&[&other], 1, 10).await), (3, 4));
    assert_eq!((passed(&[&one], 2, 10).await, passed(&[&other], 2, 10).await), (5, 5), "each alone");
    redis.restart();
    one.heard(SHARED).await.unwrap();
    other.heard(SHARED).await.unwrap();
    for client in [1, 2] {
        assert_eq!(passed(&[&one, &other], client, 20).await, 0, "an empty Redis opens nothing");
    }
    assert_eq!(passed(&[&one, &other], 4, 50).await, 5, "together again");
    for server in [&mut one, &mut other] {
        server.stop().await;
        server.rest_of_log().await;
        assert_eq!((lines(server, ALONE), lines(server, SHARED)), (1, 2), "each is said once");
    }
}

#[tokio::test]
async fn a_redis_that_hangs_holds_nobody_up_and_opens_nothing() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let home = home(&redis.url()).await;
    let (mut one, mut other) = (home.serve().await, home.serve().await);
    assert_eq!(passed(&[&one, &other], 1, 10).await, 5);
    redis.freeze();
    assert_eq!((passed(&[&one], 2, 25).await, passed(&[&other], 2, 25).await), (5, 5), "each alone");
    assert_eq!(passed(&[&one, &other], 2, 20).await, 0);
    assert_eq!(one.get("/health/ready").await.status, 200);
    redis.thaw();
    one.heard(SHARED).await.unwrap();
    other.heard(SHARED).await.unwrap();
    for client in [1, 2] {
        assert_eq!(passed(&[&one, &other], client, 20).await, 0);
    }
    assert_eq!(passed(&[&one, &other], 3, 50).await, 5, "together again");
}

#[tokio::test]
async fn a_server_starts_without_redis_and_uses_it_when_it_appears() {
    let Some(mut redis) = RedisServer::prepare(&[]) else { return };
    let home = home(&redis.url()).await;
    let (mut one, mut other) = (home.serve().await, home.serve().await);
    assert_eq!((lines(&one, ALONE), lines(&other, ALONE)), (1, 1));
    assert_eq!((passed(&[&one], 1, 10).await, passed(&[&other], 1, 10).await), (5, 5), "each alone");
    redis.restart();
    one.heard(SHARED).await.unwrap();
    other.heard(SHARED).await.unwrap();
    assert_eq!(passed(&[&one, &other], 2, 50).await, 5);
    one.stop().await;
    one.rest_of_log().await;
    assert_eq!((lines(&one, ALONE), lines(&one, SHARED)), (1, 1));
}

#[tokio::test]
async fn a_wrong_password_counts_as_down_and_stands_in_no_log() {
    let Some(redis) = RedisServer::start(&["--requirepass", "right-one"]) else { return };
    let wrong = home(&redis.url().replace("//", "//:hunter22@")).await;
    let mut server = wrong.serve().await;
    assert_eq!(passed(&[&server], 1, 10).await, 5);
    server.stop().await;
    server.rest_of_log().await;
    let complaint = server.log.iter().find(|line| line["msg"] == ALONE).unwrap();
    assert!(complaint["error"].as_str().unwrap().contains("Password authentication failed"), "{complaint}");
    assert_eq!(lines(&server, ALONE), 1);
    assert!(whole_log(&server).contains("redis://:***@127.0.0.1"));
    assert!(!whole_log(&server).contains("hunter22"));

    let right = home(&redis.url().replace("//", "//:right-one@")).await;
    let server = right.serve().await;
    assert_eq!((lines(&server, SHARED), lines(&server, ALONE)), (1, 0));
    assert!(!whole_log(&server).contains("right-one"));
}

#[tokio::test]
async fn wrong_proofs_at_two_servers_count_together_and_right_ones_are_taken_back() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let home = home(&redis.url()).await;
    home.succeed(&["seed"]);
    let (one, other) = (home.serve().await, home.serve().await);
    let token = one.log_in().await.token();
    let prove = async |server: &Server, password: &str| {
        server.post_json("/api/v1/auth/step-up", &token, &json!({ "password": password })).await
    };
    for server in [&one, &other, &one, &other, &one, &other, &one] {
        let answer = prove(server, "123456").await;
        assert_eq!((answer.status, &answer.headers["ratelimit"]), (200, &"\"step-up\";r=5;t=600".parse().unwrap()));
    }
    let wrong = [&one, &other, &one, &other, &one, &other, &one, &other].map(|server| prove(server, "wrong-one"));
    let statuses: Vec<_> = join_all(wrong).await.into_iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|&&status| status == 400).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|&&status| status == 429).count(), 3, "{statuses:?}");
    assert_eq!(prove(&other, "123456").await.status, 429);
}
