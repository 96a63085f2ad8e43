//! Several servers over one PostgreSQL behind a real proxy: nobody can tell which one answers, and each can be replaced while
//! requests come.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::spawn_local;

use crate::support::{Answer, BODY, Home, KEY, Proxy, Server, elapsed, free_port, note, send, until};

const PATIENCE: Duration = Duration::from_mins(1);
/// How often each server is replaced.
const ROUNDS: usize = 2;

/// Two servers behind a proxy.
struct Cluster {
    home: Home,
    proxy: Proxy,
    http: reqwest::Client,
    servers: Vec<(u16, Server)>,
}

impl Cluster {
    async fn start() -> Option<Self> {
        let ports = [free_port(), free_port()];
        let (mut home, proxy) = (Home::postgres().await?, Proxy::before(&ports)?);
        home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_TRUSTED_PROXIES", "127.0.0.0/8");
        home.set("BACKEND_DRAIN_SECONDS", "1").set("BACKEND_POOL_SIZE", "5");
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        let mut servers = Vec::new();
        for port in ports {
            servers.push((port, home.set("BACKEND_PORT", &port.to_string()).serve().await));
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let cluster = Self { home, proxy, http, servers };
        for (port, _) in &cluster.servers {
            cluster.is_asked(*port).await;
        }
        Some(cluster)
    }

    /// Waits until the proxy sends requests to the server on this port.
    async fn is_asked(&self, port: u16) {
        until("the proxy knows the server", PATIENCE, async || self.proxy.knows(port).await.then_some(())).await;
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.proxy.address)
    }

    async fn log_in(&self) -> Value {
        let request = self.http.post(self.url("/api/v1/auth/login")).header("Content-Type", "application/json");
        let answer = send(request.body(BODY)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    async fn me(&self, token: &str) -> Answer {
        send(self.http.get(self.url("/api/v1/auth/me")).bearer_auth(token)).await.unwrap()
    }

    /// Stops one server as a service manager does, and starts the next version of it.
    async fn replace(&mut self, index: usize) {
        let (port, mut old) = self.servers.remove(index);
        old.signal(rustix::process::Signal::TERM);
        assert_eq!(old.ended(15).await.code(), Some(0));
        old.rest_of_log().await;
        // While it drains it answers 503 to the proxy's question and to nothing else.
        let faults = old.log.iter().filter(|line| line["level"].as_i64().unwrap() >= 50);
        let others: Vec<_> = faults.filter(|line| line["path"] != "/health/ready").collect();
        assert!(others.is_empty(), "{others:?}");
        let new = self.home.set("BACKEND_PORT", &port.to_string()).serve().await;
        self.servers.insert(index, (port, new));
        self.is_asked(port).await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sessions_their_end_and_refreshes_are_the_same_on_all_servers() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let (first, second) = (cluster.log_in().await, cluster.log_in().await);
    let (token, other) = (text(&first["access_token"]), text(&second["access_token"]));
    for _ in 0..20 {
        assert_eq!((cluster.me(&token).await.status, cluster.me(&other).await.status), (200, 200));
    }
    // A refresh token goes from server to server.
    let mut refresh = text(&second["refresh_token"]);
    for _ in 0..6 {
        let request = cluster.http.post(cluster.url("/api/v1/auth/refresh")).json(&json!({"refresh_token": refresh}));
        let answer = send(request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        refresh = text(&answer.json()["refresh_token"]);
    }
    let request = cluster.http.post(cluster.url("/api/v1/auth/logout")).bearer_auth(&token);
    assert_eq!(send(request).await.unwrap().status, 204);
    let start = elapsed();
    let mut refused = 0;
    until("all servers refuse", PATIENCE, async || {
        refused = if cluster.me(&token).await.status == 401 { refused + 1 } else { 0 };
        (refused == 10).then_some(())
    })
    .await;
    note(&format!("ten refusals in a row {:?} after the log-out", elapsed().saturating_sub(start)));
    assert_eq!(cluster.me(&other).await.status, 200);
    for (port, server) in &mut cluster.servers {
        server.stop().await;
        server.rest_of_log().await;
        let mine =
            server.log.iter().filter(|line| line["msg"] == "Request completed" && line["path"] != "/health/ready");
        assert!(mine.clone().count() > 10, "the server on {port} was hardly asked");
        assert!(mine.clone().all(|line| line["client_ip"] == "127.0.0.1"));
    }
}

/// What a client saw that calls without a pause until it is told to stop.
#[derive(Default)]
struct Seen {
    good: Cell<usize>,
    bad: RefCell<Vec<String>>,
}

async fn call(seen: Rc<Seen>, over: Rc<Cell<bool>>, mut request: impl FnMut(usize) -> reqwest::RequestBuilder) {
    let mut number = 0;
    while !over.get() {
        match send(request(number)).await {
            Ok(answer) if (200..300).contains(&answer.status) => seen.good.set(seen.good.get() + 1),
            Ok(answer) => seen.bad.borrow_mut().push(format!("{} {}", answer.status, answer.text)),
            Err(error) => seen.bad.borrow_mut().push(format!("{error:?}")),
        }
        number += 1;
    }
}

#[tokio::test]
async fn servers_are_replaced_one_by_one_without_a_failed_request() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let token = text(&cluster.log_in().await["access_token"]);
    let (reads, writes, over) = (Rc::<Seen>::default(), Rc::<Seen>::default(), Rc::new(Cell::new(false)));
    let local = tokio::task::LocalSet::new();
    let replaced = local.run_until(async {
        let mut clients = Vec::new();
        for client in 0..4 {
            let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
            let (me, customers, token) =
                (cluster.url("/api/v1/auth/me"), cluster.url("/api/v1/customers"), token.clone());
            let over = Rc::clone(&over);
            clients.push(if client % 2 == 0 {
                spawn_local(call(Rc::clone(&reads), over, move |_| http.get(&me).bearer_auth(&token)))
            } else {
                // Nothing may repeat these: each acknowledged one is a row, and nothing else is.
                spawn_local(call(Rc::clone(&writes), over, move |number| {
                    let body = json!({"name": format!("Customer {client}-{number}")});
                    http.post(&customers).bearer_auth(&token).json(&body)
                }))
            });
        }
        for round in 0..ROUNDS * 2 {
            cluster.replace(round % 2).await;
        }
        over.set(true);
        for client in clients {
            client.await.unwrap();
        }
        cluster
    });
    let cluster = replaced.await;
    note(&format!(
        "{} reads and {} writes while {} servers were replaced",
        reads.good.get(),
        writes.good.get(),
        ROUNDS * 2
    ));
    assert_eq!((reads.bad.take(), writes.bad.take()), (Vec::new(), Vec::new()));
    assert!(reads.good.get() > 100 && writes.good.get() > 20);
    let rows = cluster.home.numbers("SELECT COUNT(*) FROM finance.customers WHERE name LIKE 'Customer %'").await;
    assert_eq!(usize::try_from(rows[0]).unwrap(), writes.good.get());
}
