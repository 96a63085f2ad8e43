//! More log-ins than can be hashed: the others are refused at once and cleanly, nobody else notices, and afterwards
//! everything is back.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use sme_pulse_testing::on_both_databases;
use tokio::task::spawn_local;

use crate::support::{Answer, Home, Server, elapsed, note, pause, until};

const CLIENTS: usize = 200;
const LENGTH: Duration = Duration::from_secs(10);
/// Further open files afterwards: connections to the database that the storm made the pool open.
const DESCRIPTORS: usize = 40;
/// Further memory afterwards, in KiB: what the allocator keeps, far below what 200 clients would occupy.
const MEMORY: u64 = 32 * 1024;

/// What one client saw: how often which status.
type Seen = BTreeMap<u16, usize>;

/// Logs in without a pause from an address and to an account of its own, so that each has budgets of its own.
async fn client(number: usize, address: SocketAddr, over: Rc<Cell<bool>>) -> Seen {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(40)).build().unwrap();
    let body = format!(r#"{{"email":"storm{number}@sme.com","password":"123456"}}"#);
    let mut seen = Seen::new();
    while !over.get() {
        let request = http.post(format!("http://{address}/auth/login")).header("Content-Type", "application/json");
        let request =
            request.header("X-Forwarded-For", format!("10.0.{}.{}", number / 100, number % 100)).body(body.clone());
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        check(&answer);
        *seen.entry(status).or_default() += 1;
        if status != 200 {
            // A client that minds `Retry-After` a little, or the test measures nothing but its own load.
            pause(Duration::from_millis(50)).await;
        }
    }
    seen
}

fn check(answer: &Answer) {
    match answer.status {
        200 => drop(answer.token()),
        429 => assert_eq!(answer.headers["retry-after"], "60"),
        503 => crate::support::assert_clean_unavailable(answer),
        _ => panic!("{answer:?}"),
    }
}

/// Polls until the storm is over; returns how long each answer took.
async fn watch_health(server: &Server, over: Rc<Cell<bool>>) -> Vec<Duration> {
    let mut took = Vec::new();
    while !over.get() {
        let began = elapsed();
        assert_eq!(server.get("/health").await.status, 200);
        took.push(elapsed().saturating_sub(began));
        pause(Duration::from_millis(20)).await;
    }
    took.sort();
    took
}

/// Logs in again and again, each time from a new address, until the storm is over: as somebody of another organization, or on a
/// device on which the owner of the account has logged in before. Neither is ever refused.
async fn log_in_quietly(server: &Server, email: &str, device: Option<&str>, over: Rc<Cell<bool>>) -> usize {
    let mut done = 0;
    while !over.get() {
        let request = server.http.post(server.url("/auth/login"));
        let request = request.json(&serde_json::json!({"email": email, "password": "123456"}));
        let client = format!("192.0.{}.{}", 1 + u8::from(device.is_some()), 1 + done);
        let request = request.header("X-Forwarded-For", client).header("X-Device-Token", device.unwrap_or_default());
        let answer = crate::support::send(request).await.unwrap();
        assert_eq!(answer.status, 200, "{email} after {done}: {answer:?}");
        done += 1;
        pause(Duration::from_millis(300)).await;
    }
    done
}

async fn storm(server: &Server, device: &str) -> (Seen, Vec<Duration>) {
    let over = Rc::new(Cell::new(false));
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| spawn_local(client(number, server.address, Rc::clone(&over)))).collect();
    let elsewhere = log_in_quietly(server, "quiet@elsewhere.com", None, Rc::clone(&over));
    let known = log_in_quietly(server, "admin@sme.com", Some(device), Rc::clone(&over));
    let end = async {
        pause(LENGTH).await;
        over.set(true);
    };
    let (took, elsewhere, known, ()) = tokio::join!(watch_health(server, Rc::clone(&over)), elsewhere, known, end);
    note(&format!("log-ins of another organization {elsewhere}, on a known device {known}"));
    assert!(elsewhere > 0 && known > 0, "{elsewhere} and {known}");
    let mut total = Seen::from([(200, elsewhere + known)]);
    for client in clients {
        for (status, count) in client.await.unwrap() {
            *total.entry(status).or_default() += count;
        }
    }
    (total, took)
}

/// An account for each client, with the password of the seeded administrator.
async fn accounts(home: &Home) {
    home.sql(&format!(
        "WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < {CLIENTS}) \
         INSERT INTO core.users (org_id, email, password_hash) \
         SELECT org_id, 'storm' || number || '@sme.com', password_hash FROM core.users CROSS JOIN numbers"
    ))
    .await;
    home.sql("INSERT INTO core.organizations (name) VALUES ('Elsewhere')").await;
    home.sql(
        "INSERT INTO core.users (org_id, email, password_hash) \
         SELECT (SELECT MAX(id) FROM core.organizations), 'quiet@elsewhere.com', password_hash FROM core.users \
         WHERE email = 'admin@sme.com'",
    )
    .await;
}

async fn is_weathered(mut home: Home) {
    home.set("BACKEND_BCRYPT_COST", "10").set("BACKEND_RATE_LIMIT_ENABLED", "true");
    home.set("BACKEND_TRUSTED_PROXIES", "127.0.0.0/8");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    accounts(&home).await;
    let mut server = home.serve().await;
    let first = server.log_in().await;
    let device = first.json()["device_token"].as_str().unwrap().to_owned();
    let token = first.token();
    let (descriptors, memory) = (server.descriptors(), server.memory());
    let (seen, took) = storm(&server, &device).await;
    let p99 = took[took.len() * 99 / 100];
    note(&format!("storm: {seen:?}; /health {} times, p99 {p99:?}, at most {:?}", took.len(), took.last().unwrap()));
    assert!(seen[&200] > 0 && seen[&503] > 0, "{seen:?}");
    assert!(took.len() > 50, "/health was asked {} times only", took.len());

    let now = until("the connections are closed", Duration::from_mins(1), async || {
        let now = server.descriptors();
        (now <= descriptors + DESCRIPTORS).then_some(now)
    });
    let now = now.await;
    note(&format!("descriptors {descriptors} -> {now}, memory {memory} -> {} KiB", server.memory()));
    assert!(server.memory() <= memory + MEMORY, "{memory} -> {} KiB", server.memory());
    assert_eq!(server.me(&token).await.status, 200);
    assert_eq!(server.log_in().await.status, 200);
    let sessions = home.numbers("SELECT COUNT(*) FROM auth.sessions").await[0];
    assert_eq!(usize::try_from(sessions).unwrap(), seen[&200] + 2, "a refused log-in has no session");
    crate::support::assert_unbroken_audit_trail(&home).await;
    server.stop().await;
}

on_both_databases! {
    async fn two_hundred_parallel_log_ins_hurt_nobody_else(home: Home) {
        is_weathered(home).await;
    }
}
