//! The shared log against a real Redis: compared with the log of one process, under concurrency, and when Redis fails.

use std::time::Duration;

use futures_util::future::join_all;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sme_pulse_domain::clock::{Clock as _, SystemClock};
use sme_pulse_testing::RedisServer;
use url::Url;

use super::*;
use crate::limit::{Admission, Budget, LimitConfig, SlidingLimiter, budget::Counted};

const W: Duration = Duration::from_mins(1);
/// Only a failure takes that long.
const BOUND: Duration = Duration::from_mins(1);

fn shape(requests: usize) -> Shape {
    Shape { name: "test", requests, window: W }
}

fn log_at(url: &str) -> SharedLog {
    SharedLog::new(SecretUrl::new(&Url::parse(url).unwrap()))
}

async fn connected(redis: &RedisServer) -> SharedLog {
    let log = log_at(&redis.url());
    log.connect().await;
    assert!(log.is_up());
    log
}

impl SharedLog {
    async fn ask(&self, shape: Shape, key: &u32) -> Option<Decision> {
        self.admit(shape, key).await.map(|(decision, _)| decision)
    }

    async fn stamp(&self, shape: Shape, key: u32) -> SharedStamp {
        self.admit(shape, &key).await.expect("Redis answers").1
    }
}

fn admitted(decision: Option<Decision>) -> bool {
    matches!(decision.expect("Redis answers"), Decision::Admitted { .. })
}

/// Waits until the log is up, or down.
async fn until_up(log: &SharedLog, up: bool) {
    let turning = async {
        while log.is_up() != up {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(BOUND, turning).await.expect("it turns in time");
}

#[tokio::test]
async fn it_decides_as_the_log_of_one_process_does() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let logs = [connected(&redis).await, connected(&redis).await];
    let mut dice = StdRng::seed_from_u64(23);
    let hour = Duration::from_hours(1);
    for requests in 1..6 {
        let model = SlidingLimiter::<u32>::new(requests, hour);
        let shape = Shape { name: "model", requests: model.requests(), window: hour };
        let mut counted = Vec::new();
        for step in 0..150_u64 {
            let key = requests * 10 + dice.random_range(0..4);
            let log = &logs[dice.random_range(0..2)];
            let now = Duration::from_millis(step);
            let (own, shared) = if counted.is_empty() || dice.random_bool(0.7) {
                let (own, stamp) = model.admit_stamped(key, now);
                let (shared, shared_stamp) = log.admit(shape, &key).await.unwrap();
                counted.push((key, stamp, shared_stamp));
                (own, Some(shared))
            } else {
                // Refused ones and some a second time as well: neither may take away another's.
                let index = dice.random_range(0..counted.len());
                let (key, stamp, shared_stamp) = counted[index];
                model.refund(key, stamp);
                (model.state(key, now), log.refund(shape, &key, shared_stamp).await)
            };
            let left = |decision| match decision {
                Decision::Admitted { left, .. } => Some(left),
                Decision::Refused { .. } => None,
            };
            assert_eq!(left(shared.unwrap()), left(own), "step {step} of {requests}");
        }
    }
}

/// Microseconds, by the clock of Redis.
fn redis_now(redis: &RedisServer) -> u64 {
    let text = redis.cli(&["TIME"]);
    let (seconds, micros) = text.split_once('\n').unwrap();
    seconds.parse::<u64>().unwrap() * 1_000_000 + micros.trim().parse::<u64>().unwrap()
}

fn put(redis: &RedisServer, key: &str, instants: &[u64]) {
    for at in instants {
        redis.cli(&["RPUSH", key, &at.to_string()]);
    }
}

#[tokio::test]
async fn what_has_left_the_window_does_not_count_and_the_rest_does() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let log = connected(&redis).await;
    let (key, now) = (key::filed("test", &1_u32), redis_now(&redis));
    put(&redis, &key, &[now - 90_000_000, now - 60_000_000, now - 30_000_000]);
    let Some(Decision::Admitted { left: 1, reset_secs }) = log.ask(shape(3), &1_u32).await else {
        panic!("room for 2")
    };
    assert!(reset_secs <= 30, "{reset_secs}");
    assert!(admitted(log.ask(shape(3), &1_u32).await));
    assert!(matches!(log.ask(shape(3), &1_u32).await, Some(Decision::Refused { reset_secs }) if reset_secs <= 30));
    assert_eq!(redis.cli(&["LLEN", &key]), "3", "a refused request is not counted");
    let lives: u64 = redis.cli(&["PTTL", &key]).parse().unwrap();
    assert!(lives <= 61_000, "{lives}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_window() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let log = connected(&redis).await;
    let (key, day) = (key::filed("test", &1_u32), 86_400_000_000);
    put(&redis, &key, &[redis_now(&redis) - 1_000_000, redis_now(&redis) + day, redis_now(&redis) + day]);
    let Some(Decision::Refused { reset_secs }) = log.ask(shape(3), &1_u32).await else { panic!("it is full") };
    assert!(reset_secs <= 60, "{reset_secs}");
    let instants = redis.cli(&["LRANGE", &key, "0", "-1"]);
    let now = redis_now(&redis);
    assert!(instants.lines().all(|at| at.trim().parse::<u64>().unwrap() <= now), "{instants}");
}

#[tokio::test]
async fn no_window_holds_more_than_the_budget_whoever_asks() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let logs = [connected(&redis).await, connected(&redis).await];
    let window = Duration::from_millis(150);
    let shape = Shape { name: "test", requests: 3, window };
    let clock = SystemClock::default();
    let now = || clock.monotonic();
    let end = now() + window * 6;
    let asking = (0..8).map(|index| {
        let (log, now) = (&logs[index % 2], &now);
        async move {
            let mut passed = Vec::new();
            while now() < end {
                let before = now();
                if admitted(log.ask(shape, &1_u32).await) {
                    passed.push((before, now()));
                }
            }
            passed
        }
    });
    let mut passed: Vec<_> = join_all(asking).await.into_iter().flatten().collect();
    assert!(passed.len() > 6, "it slides: {}", passed.len());
    passed.sort_by_key(|(_, after)| *after);
    // By the widest reading each admission lies in its pair, so a window with one too many would show.
    for (_, until) in &passed {
        let inside = passed.iter().filter(|(from, to)| to <= until && *from + window > *until).count();
        assert!(inside <= 3, "{inside} requests");
    }
}

#[tokio::test]
async fn of_fifty_parallel_requests_over_two_processes_exactly_five_pass() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let logs = [connected(&redis).await, connected(&redis).await];
    let asked = join_all((0..50).map(|index: usize| logs[index % 2].ask(shape(5), &7_u32))).await;
    assert_eq!(asked.into_iter().filter(|&decision| admitted(decision)).count(), 5);
    let states = logs.map(|log| log.state());
    assert_eq!(states.iter().map(|state| state.admitted).sum::<u64>(), 5);
    assert_eq!(states.iter().map(|state| state.refused).sum::<u64>(), 45);
    assert!(states.iter().all(|state| state.up && state.errors == 0 && state.fallbacks == 0), "{states:?}");
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_given_them_again() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let log = connected(&redis).await;
    redis.cli(&["SCRIPT", "FLUSH"]);
    let stamp = log.stamp(shape(1), 1).await;
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert!(log.refund(shape(1), &1_u32, stamp).await.is_some());
    assert!(admitted(log.ask(shape(1), &1_u32).await));
    assert_eq!(log.state().errors, 0);
}

/// What makes Redis refuse writes, as configuration, and the way back.
const TROUBLES: [(&str, &[&str], &[&str]); 2] = [
    ("full", &["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]),
    ("a replica", &["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]),
];

#[tokio::test]
async fn a_server_that_takes_no_writes_is_down_until_it_does() {
    for (what, harm, heal) in TROUBLES {
        let Some(redis) = RedisServer::start(&[]) else { return };
        let log = connected(&redis).await;
        redis.cli(harm);
        assert_eq!(log.ask(shape(1), &1_u32).await, None, "{what}");
        assert!(!log.is_up(), "{what}");
        log.connect().await;
        assert!(!log.is_up(), "{what}: it answers, but takes no writes");
        redis.cli(heal);
        log.connect().await;
        assert!(admitted(log.ask(shape(1), &1_u32).await), "{what}");
        assert_eq!((log.state().errors, log.state().fallbacks), (2, 1), "{what}");
    }
}

#[tokio::test]
async fn a_user_of_redis_needs_no_more_than_is_documented() {
    let rule = "sme on >hunter22 resetkeys ~sme-pulse:limit:* resetchannels -@all +eval +evalsha +script|load +time \
                +lindex +lset +llen +lpop +lrem +rpush +pexpire";
    let mut args = vec!["--user"];
    args.extend(rule.split_whitespace());
    let Some(redis) = RedisServer::start(&args) else { return };
    let url = redis.url().replace("//", "//sme:hunter22@");
    let log = log_at(&url);
    log.connect().await;
    let stamp = log.stamp(shape(1), 1).await;
    assert!(log.refund(shape(1), &1_u32, stamp).await.is_some());
    let stranger = log_at(&url.replace("hunter22", "hunter23"));
    stranger.connect().await;
    assert!(!stranger.is_up());
}

#[tokio::test]
async fn a_hung_server_is_given_up_and_found_again() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let log = connected(&redis).await;
    let keeper = tokio::spawn({
        let log = log.clone();
        async move { log.keep().await }
    });
    redis.freeze();
    assert_eq!(log.ask(shape(1), &1_u32).await, None);
    assert!(!log.is_up());
    redis.thaw();
    until_up(&log, true).await;
    assert!(!admitted(log.ask(shape(1), &1_u32).await), "the call that had no answer has counted");
    keeper.abort();
}

#[tokio::test]
async fn a_dead_connection_is_noticed_without_a_request() {
    let Some(mut redis) = RedisServer::start(&[]) else { return };
    let log = connected(&redis).await;
    let keeper = tokio::spawn({
        let log = log.clone();
        async move { log.keep().await }
    });
    redis.kill();
    until_up(&log, false).await;
    redis.restart();
    until_up(&log, true).await;
    keeper.abort();
}

/// A budget of five as one process has it.
struct Process {
    budget: Budget<u32>,
    log: SharedLog,
}

impl Process {
    async fn on(redis: &RedisServer) -> Self {
        let log = connected(redis).await;
        let config = LimitConfig { enabled: true, requests: 5, window: W };
        let budget = Budget::new("test", config, Arc::new(SystemClock::default()), Some(log.clone()));
        Self { budget, log }
    }

    async fn admits(&self, key: u32) -> bool {
        self.admission(key).await.is_some()
    }

    async fn admission(&self, key: u32) -> Option<Admission> {
        let (verdict, admission) = match self.budget.count(key).unwrap() {
            Counted::Decided(verdict, admission) => (verdict, admission),
            Counted::Open(open) => open.settle().await,
        };
        verdict.is_ok().then_some(admission)
    }

    async fn passed(&self, key: u32, of: usize) -> usize {
        join_all((0..of).map(|_| self.admits(key))).await.into_iter().filter(|&passed| passed).count()
    }
}

#[tokio::test]
async fn whatever_redis_forgets_no_process_admits_more_than_the_budget() {
    let Some(mut redis) = RedisServer::start(&[]) else { return };
    let (one, other) = (Process::on(&redis).await, Process::on(&redis).await);
    assert_eq!(one.passed(1, 3).await + other.passed(1, 10).await, 5);
    redis.cli(&["FLUSHALL"]);
    assert_eq!(one.passed(1, 10).await, 2, "three were counted here");
    assert_eq!(other.passed(1, 10).await, 3, "two were counted here");
    redis.kill();
    assert_eq!((one.passed(1, 10).await, other.passed(1, 10).await), (0, 0));
    assert_eq!((one.passed(2, 10).await, other.passed(2, 10).await), (5, 5), "each alone");
    redis.restart();
    one.log.connect().await;
    other.log.connect().await;
    assert_eq!((one.passed(2, 10).await, other.passed(2, 10).await), (0, 0));
    assert_eq!(one.passed(3, 10).await + other.passed(3, 10).await, 5, "together again");
}

#[tokio::test]
async fn what_redis_refuses_leaves_no_trace_in_the_process() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let (one, other) = (Process::on(&redis).await, Process::on(&redis).await);
    assert_eq!(one.passed(1, 5).await, 5);
    assert_eq!(other.passed(1, 20).await, 0);
    redis.cli(&["FLUSHALL"]);
    assert_eq!(other.passed(1, 20).await, 5, "it had counted nothing");
}

#[tokio::test]
async fn what_redis_has_not_counted_is_not_taken_back_there() {
    let Some(mut redis) = RedisServer::start(&[]) else { return };
    let (one, other) = (Process::on(&redis).await, Process::on(&redis).await);
    redis.kill();
    assert_eq!(one.log.ask(shape(1), &0_u32).await, None, "it is known to be down");
    let alone = one.admission(1).await.unwrap();
    redis.restart();
    one.log.connect().await;
    other.log.connect().await;
    assert_eq!(other.passed(1, 5).await, 5);
    one.budget.take_back(1, alone).await.unwrap();
    assert_eq!(one.passed(1, 5).await + other.passed(1, 5).await, 0, "all five are the other's");
}

#[tokio::test]
async fn what_redis_has_counted_is_taken_back_there() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let (one, other) = (Process::on(&redis).await, Process::on(&redis).await);
    let admission = one.admission(1).await.unwrap();
    assert_eq!(other.passed(1, 5).await, 4);
    one.budget.take_back(1, admission).await.unwrap();
    assert_eq!((other.passed(1, 5).await, one.passed(1, 5).await), (1, 0));
}

#[tokio::test]
async fn the_request_that_is_taken_back_is_the_one_that_leaves() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let one = Process::on(&redis).await;
    let (first, key) = (one.admission(1).await.unwrap(), key::filed("test", &1_u32));
    let log = |index| redis.cli(&["LINDEX", &key, index]);
    assert!(one.admits(1).await);
    let second = log("-1");
    one.budget.take_back(1, first).await.unwrap();
    assert_eq!((log("0"), redis.cli(&["LLEN", &key])), (second, "1".to_owned()));
}
