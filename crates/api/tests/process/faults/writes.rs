//! Clients that write, whatever happens to the server: half of them repeat a write under its key until it is acknowledged, half
//! try each write once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::spawn_local;

use crate::support::{Home, KEY, Server, elapsed, note, pause, send};

const CLIENTS: usize = 4;
/// How many writes one test makes.
pub(super) const WRITES: usize = 500;
/// A client that was refused minds `Retry-After` a little.
const BEFORE_AGAIN: Duration = Duration::from_millis(50);

/// The writes of one test, and what became of them.
pub(super) struct Writes {
    address: SocketAddr,
    token: String,
    next: Cell<usize>,
    acknowledged: RefCell<Vec<usize>>,
    refused: Cell<usize>,
    broken: Cell<usize>,
    last: Cell<Duration>,
    longest_gap: Cell<Duration>,
}

/// Whether a write is repeated until it is acknowledged.
const fn is_repeated(number: usize) -> bool {
    number.is_multiple_of(2)
}

impl Writes {
    pub(super) fn new(address: SocketAddr, token: String) -> Rc<Self> {
        Rc::new(Self {
            address,
            token,
            next: Cell::new(0),
            acknowledged: RefCell::default(),
            refused: Cell::new(0),
            broken: Cell::new(0),
            last: Cell::new(elapsed()),
            longest_gap: Cell::new(Duration::ZERO),
        })
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.borrow().len()
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.get()
    }

    pub(super) fn is_over(&self) -> bool {
        self.next.get() >= WRITES
    }

    /// Makes all writes; to be called inside a `LocalSet`.
    pub(super) async fn run(self: Rc<Self>) {
        let clients: Vec<_> = (0..CLIENTS).map(|_| spawn_local(Rc::clone(&self).client())).collect();
        for client in clients {
            client.await.unwrap();
        }
    }

    async fn client(self: Rc<Self>) {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        while !self.is_over() {
            let number = self.next.replace(self.next.get() + 1);
            while !self.attempt(&http, number).await && is_repeated(number) {
                pause(BEFORE_AGAIN).await;
            }
        }
    }

    async fn attempt(&self, http: &reqwest::Client, number: usize) -> bool {
        let request = http.post(format!("http://{}/api/v1/customers", self.address)).bearer_auth(&self.token);
        let mut request = request.json(&json!({"name": name(number), "code": format!("W{number}")}));
        if is_repeated(number) {
            request = request.header("Idempotency-Key", name(number));
        }
        match send(request).await {
            Ok(answer) if answer.status == 201 => {
                assert_eq!(answer.json()["name"], name(number));
                self.acknowledged.borrow_mut().push(number);
                let now = elapsed();
                let gap = now.saturating_sub(self.last.replace(now));
                self.longest_gap.set(self.longest_gap.get().max(gap));
                return true;
            }
            // A 409 says that the first attempt is still running.
            Ok(answer) => {
                assert!([409, 503].contains(&answer.status), "{answer:?}");
                self.refused.set(self.refused.get() + 1);
            }
            Err(_) => self.broken.set(self.broken.get() + 1),
        }
        false
    }

    /// Each acknowledged write is there once and has its event, whatever else is there is whole as well, and the audit trail is
    /// unbroken.
    pub(super) async fn assert_kept(&self, what: &str, home: &Home, server: &Server) {
        let names = self.all(server, "/api/v1/customers?search=Write&limit=500", |item| item["name"].clone()).await;
        let events = self
            .all(server, "/api/v1/audit?action=customers.created&limit=500", |item| item["entity_id"].clone())
            .await;
        let acknowledged = self.acknowledged.borrow();
        for number in acknowledged.iter() {
            assert_eq!(names.get(&name(*number)), Some(&1), "an acknowledged write is lost or doubled: {number}");
        }
        for number in (0..WRITES).filter(|number| is_repeated(*number)) {
            assert_eq!(names.get(&name(number)), Some(&1), "a repeated write is not there once: {number}");
        }
        assert!(names.values().all(|count| *count == 1), "{names:?}");
        assert!(names.len() <= WRITES);
        assert_eq!(events.len(), names.len(), "a row and its event are one transaction");
        home.succeed(&["audit", "check"]);
        note(&format!(
            "{what}: {} writes, {} acknowledged, none lost or doubled; {} attempts refused, {} cut off, {} there without an answer; \
             no acknowledgement for {:.1} s at the longest",
            WRITES,
            acknowledged.len(),
            self.refused.get(),
            self.broken.get(),
            names.len() - acknowledged.len(),
            self.longest_gap.get().as_secs_f64(),
        ));
    }

    /// How often each value occurs in a list.
    async fn all(&self, server: &Server, path: &str, value: impl Fn(&Value) -> Value) -> BTreeMap<String, usize> {
        let mut seen = BTreeMap::new();
        for skip in (0..).step_by(500) {
            let answer = server.get_with(&format!("{path}&skip={skip}"), &self.token).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let page = answer.json();
            let items = page["items"].as_array().unwrap();
            for item in items {
                *seen.entry(value(item).to_string().trim_matches('"').to_owned()).or_default() += 1;
            }
            if items.len() < 500 {
                break;
            }
        }
        seen
    }
}

fn name(number: usize) -> String {
    format!("Write-{number}")
}

/// A home whose servers all listen on the same port and know each other's tokens.
pub(super) fn prepare(home: &mut Home) {
    home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_BCRYPT_COST", "4").set("BACKEND_LOG_FILE", "");
    home.set("BACKEND_PORT", &crate::support::free_port().to_string());
    home.set("BACKEND_POOL_SIZE", "4").set("BACKEND_MAX_OVERFLOW", "2");
}
