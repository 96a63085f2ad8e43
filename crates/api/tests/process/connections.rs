//! Clients that connect and then do little or nothing: they are let go in time, and nobody else waits for them.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Home, Raw, Server, pause, until};

/// The promised 10 s for a head, with room for a busy machine.
const LET_GO_WITHIN: u64 = 40;

async fn ready() -> (Home, Server) {
    let home = Home::sqlite().await;
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let server = home.serve().await;
    (home, server)
}

/// New connections are served, with and without the database.
async fn assert_served(server: &Server) {
    let fresh = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    assert_eq!(fresh.get(server.url("/health")).send().await.unwrap().status().as_u16(), 200);
    assert_eq!(Server::try_log_in(&fresh, server.address).await.unwrap().status, 200);
}

#[tokio::test]
async fn two_hundred_half_open_connections_stop_nobody_and_are_let_go() {
    let (_home, mut server) = ready().await;
    let before = server.descriptors();
    let mut clients = Vec::new();
    for number in 0..200 {
        let mut client = Raw::connect(server.address).await;
        let start = ["", "GET /hea", "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Le"][number % 3];
        client.send(start).await;
        clients.push(client);
    }
    assert_served(&server).await;
    let mut ends = JoinSet::new();
    for mut client in clients {
        ends.spawn(async move { client.rest(LET_GO_WITHIN).await });
    }
    while let Some(end) = ends.join_next().await {
        let answer = end.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    assert_served(&server).await;
    until("the descriptors are back", Duration::from_secs(20), async || {
        (server.descriptors() <= before + 20).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn heads_that_come_drop_by_drop_are_cut_off() {
    let (_home, server) = ready().await;
    let mut drips = JoinSet::new();
    for _ in 0..50 {
        let mut client = Raw::connect(server.address).await;
        drips.spawn(async move {
            client.send("GET /health HTTP/1.1\r\nHost: x\r\n").await;
            for drop in 0..LET_GO_WITHIN {
                if !client.offer(&format!("X-{drop}: a\r\n")).await {
                    return true;
                }
                pause(Duration::from_secs(1)).await;
            }
            false
        });
    }
    assert_served(&server).await;
    while let Some(cut_off) = drips.join_next().await {
        assert!(cut_off.unwrap(), "a head may take for ever");
    }
    assert_served(&server).await;
}

#[tokio::test]
async fn a_flood_of_two_thousand_connections_stops_nobody() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let (_home, mut server) = ready().await;
    let before = server.descriptors();
    let mut flood = Vec::new();
    for _ in 0..2000 {
        flood.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_served(&server).await;
    let memory = server.memory();
    drop(flood);
    until("the descriptors are back", Duration::from_mins(1), async || {
        (server.descriptors() <= before + 20).then_some(())
    })
    .await;
    assert_served(&server).await;
    assert!(memory < 200 * 1024, "{memory} KiB for 2,000 idle connections");
    server.stop().await;
}

/// Few open files, and more clients that do nothing than there can be: others are served all the same, with the database,
/// and no accept and no query fails for want of a descriptor.
#[tokio::test]
async fn where_few_files_may_be_open_a_crowd_of_idle_clients_stops_nobody() {
    let (home, mut server) = ready().await;
    server.stop().await;
    let mut server = home.serve_with_open_files(200).await;
    let mut crowd = Vec::new();
    for number in 0..400 {
        let mut client = Raw::connect(server.address).await;
        if number % 2 == 0 {
            // Half of them were served once and then stay.
            let _ = client.offer("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
        }
        crowd.push(client);
    }
    for _ in 0..3 {
        assert_served(&server).await;
    }
    assert!(server.descriptors() <= 200);
    drop(crowd);
    assert_served(&server).await;
    server.stop().await;
    let lines: Vec<_> = server.log.iter().map(|line| line["msg"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(lines.iter().any(|line| line.starts_with("Few open files are permitted")), "{lines:?}");
    assert!(
        server.log.iter().all(|line| !line.to_string().contains("open files\"") && line["level"] != 50),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_body_refused_unread_is_not_taken_for_a_request() {
    let (_home, server) = ready().await;
    let mut client = Raw::connect(server.address).await;
    let head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    client.send(&format!("{head}Content-Length: 11000000\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let answer = client.rest(LET_GO_WITHIN).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let (_home, server) = ready().await;
    let long = format!("X-Long: {}\r\n", "x".repeat(64 * 1024));
    let many = (0..2000).flat_map(|_| ["X: y\r\n"]).collect::<String>();
    for lines in [long, many] {
        let mut client = Raw::connect(server.address).await;
        client.send(&format!("GET /health HTTP/1.1\r\nHost: x\r\n{lines}\r\n")).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 431 ") || head.starts_with("HTTP/1.1 400 "), "{head}");
    }
    assert_served(&server).await;
}

#[tokio::test]
async fn bodies_built_to_be_costly_are_not() {
    let (_home, server) = ready().await;
    let memory = server.memory();
    let nested = format!(r#"{{"email":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let mut keys: String = (0..100_000).flat_map(|_| [r#""k":1,"#]).collect();
    keys.truncate(900_000);
    let keys = format!(r#"{{{keys}"k":1}}"#);
    for (body, encoding, status) in [(nested, "identity", 422), (keys, "identity", 422), ("x".repeat(999), "gzip", 422)]
    {
        let request = server.http.post(server.url("/auth/login")).header("Content-Type", "application/json");
        let answer = request.header("Content-Encoding", encoding).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{encoding}");
    }
    assert_served(&server).await;
    assert!(server.memory() < memory + 32 * 1024, "{memory} -> {} KiB", server.memory());
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_at_once_and_cost_nothing() {
    let (_home, server) = ready().await;
    let memory = server.memory();
    let head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let mut claimed = Raw::connect(server.address).await;
    claimed.send(&format!("{head}Content-Length: 11000000\r\n\r\n{{")).await;
    assert!(claimed.head().await.starts_with("HTTP/1.1 413 "));
    let mut chunked = Raw::connect(server.address).await;
    chunked.send(&format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // Taken or not: the answer is what counts.
    for _ in 0..160 {
        if !chunked.offer(&chunk).await {
            break;
        }
    }
    assert!(chunked.head().await.starts_with("HTTP/1.1 413 "));
    let answer = server.log_in_with(&"x".repeat(1_000_000)).await;
    assert_eq!(answer.status, 401);
    assert_served(&server).await;
    assert!(server.memory() < memory + 32 * 1024, "{memory} -> {} KiB", server.memory());
}
