//! The issuer inside the test: HTTP by hand, so that every byte of an answer can be wrong. Time stands still until a test moves it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use sme_pulse_auth::{
    remote::{FeedLoss, Remote, Status},
    testing::Issuer,
    token::Verifier,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
};

/// What the fake does when it is asked for keys.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Its key set.
    Keys,
    /// Its key set, when the test says so ([`Fake::release`]).
    Later,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then nothing.
    Hang(Vec<u8>),
    /// The beginning of an answer, then a byte per second.
    Drip,
}

/// What it does with a connection for the feed.
#[derive(Clone)]
pub(crate) enum Feed {
    /// A snapshot, or what came after the last event; then what the test sends.
    Follow,
    /// What the test sends.
    Silent,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) keys: usize,
    pub(crate) feeds: Vec<HashMap<String, String>>,
    /// Connections for the feed that the other side has ended.
    pub(crate) left: usize,
}

struct Script {
    keys: Answer,
    feed: Feed,
}

pub(crate) struct Fake {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) base: String,
    script: Arc<Mutex<Script>>,
    seen: Arc<watch::Sender<Seen>>,
    gate: Arc<watch::Sender<()>>,
    sent: broadcast::Sender<Option<Vec<u8>>>,
    /// While a blocking task runs, paused time does not advance by itself.
    _frozen: mpsc::Sender<()>,
}

pub(crate) const CREDENTIAL: &str = "smep_test";

impl Fake {
    pub(crate) async fn start() -> Self {
        Self::of(Issuer::new()).await
    }

    pub(crate) async fn of(issuer: Issuer) -> Self {
        let (frozen, thaw) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || thaw.recv());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            issuer: Arc::new(issuer),
            base: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::new(Mutex::new(Script { keys: Answer::Keys, feed: Feed::Follow })),
            seen: Arc::default(),
            gate: Arc::default(),
            sent: broadcast::channel(64).0,
            _frozen: frozen,
        };
        let server = Server {
            issuer: Arc::clone(&fake.issuer),
            script: Arc::clone(&fake.script),
            seen: Arc::clone(&fake.seen),
            gate: fake.gate.subscribe(),
            sent: fake.sent.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        fake
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote::at(&self.base)
    }

    /// A verifier that has fetched its keys.
    pub(crate) async fn verifier(&self) -> Verifier {
        self.verifier_by(self.remote()).await
    }

    /// The same, with settings.
    pub(crate) async fn verifier_by(&self, remote: Remote) -> Verifier {
        let verifier = self.issuer.verifier_builder().remote(remote).build().unwrap();
        assert!(verifier.ready().await);
        verifier
    }

    /// The same, following the feed.
    pub(crate) async fn follower(&self, loss: FeedLoss) -> Verifier {
        self.verifier_by(self.remote().follow_revocations(CREDENTIAL, loss)).await
    }

    pub(crate) fn answer(&self, answer: Answer) {
        self.script.lock().unwrap().keys = answer;
    }

    pub(crate) fn feed(&self, feed: Feed) {
        self.script.lock().unwrap().feed = feed;
    }

    /// Lets go all answers that wait.
    pub(crate) fn release(&self) {
        self.gate.send_replace(());
    }

    /// Sends bytes to whoever follows.
    pub(crate) fn send_bytes(&self, bytes: impl Into<Vec<u8>>) {
        self.sent.send(Some(bytes.into())).unwrap();
    }

    /// Sends a message as an event.
    pub(crate) fn send(&self, message: &str) {
        self.send_bytes(event(message));
    }

    /// What the issuer has taken back after a number, or without any a sign of life.
    pub(crate) fn send_after(&self, after: u64) {
        self.send(&self.issuer.signed_message(after));
    }

    /// Ends all connections of the feed.
    pub(crate) fn hang_up(&self) {
        self.sent.send(None).unwrap();
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until the fake has seen that.
    pub(crate) async fn until(&self, reached: impl Fn(&Seen) -> bool) {
        self.seen.subscribe().wait_for(|seen| reached(seen)).await.unwrap();
    }

    /// Lets time pass for clocks and timers alike.
    pub(crate) async fn pass(&self, by: Duration) {
        self.issuer.clock().advance(by);
        tokio::time::advance(by).await;
    }

    /// Lets time pass a second at a time, until it is going like this.
    pub(crate) async fn pass_until(&self, verifier: &Verifier, reached: impl Fn(&Status) -> bool) {
        while !reached(&verifier.status().unwrap()) {
            self.pass(Duration::from_secs(1)).await;
            // Lets sockets have their turn; how long they take changes nothing but how far time gets.
            tokio::task::spawn_blocking(|| {}).await.unwrap();
        }
    }
}

pub(crate) fn event(message: &str) -> String {
    format!("data: {message}\n\n")
}

/// A whole answer with this body.
pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    typed("application/json", body)
}

pub(crate) fn typed(media: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[derive(Clone)]
struct Server {
    issuer: Arc<Issuer>,
    script: Arc<Mutex<Script>>,
    seen: Arc<watch::Sender<Seen>>,
    gate: watch::Receiver<()>,
    sent: broadcast::Sender<Option<Vec<u8>>>,
}

impl Server {
    async fn serve(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let (line, rest) = head.split_once("\r\n").unwrap();
        let headers = rest.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        // Errors mean that the other side has gone.
        match line {
            "GET /.well-known/jwks.json HTTP/1.1" => self.keys(&mut stream).await.ok(),
            "GET /api/v1/auth/revocations HTTP/1.1" => self.feed(&mut stream, headers).await.ok(),
            other => unreachable!("{other}"),
        };
    }

    async fn keys(mut self, stream: &mut TcpStream) -> std::io::Result<()> {
        self.gate.mark_unchanged();
        let answer = self.script.lock().unwrap().keys.clone();
        self.seen.send_modify(|seen| seen.keys += 1);
        match answer {
            Answer::Keys => stream.write_all(&ok(self.issuer.key_set().as_bytes())).await,
            Answer::Later => {
                self.gate.changed().await.unwrap();
                stream.write_all(&ok(self.issuer.key_set().as_bytes())).await
            }
            Answer::Bytes(bytes) => stream.write_all(&bytes).await,
            Answer::Hang(bytes) => {
                stream.write_all(&bytes).await?;
                std::future::pending().await
            }
            Answer::Drip => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{").await?;
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    stream.write_all(b" ").await?;
                }
            }
        }
    }

    async fn feed(self, stream: &mut TcpStream, headers: HashMap<String, String>) -> std::io::Result<()> {
        let mut sent = self.sent.subscribe();
        let feed = self.script.lock().unwrap().feed.clone();
        if let Feed::Bytes(bytes) = feed {
            self.seen.send_modify(|seen| seen.feeds.push(headers));
            return stream.write_all(&bytes).await;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await?;
        if matches!(feed, Feed::Follow) {
            let after = headers.get("last-event-id").map_or(0, |id| id.parse().unwrap());
            stream.write_all(event(&self.issuer.signed_message(after)).as_bytes()).await?;
        }
        self.seen.send_modify(|seen| seen.feeds.push(headers));
        let mut byte = [0];
        loop {
            tokio::select! {
                left = stream.read(&mut byte) => {
                    assert_eq!(left.unwrap_or(0), 0, "nothing is sent after the request");
                    self.seen.send_modify(|seen| seen.left += 1);
                    return Ok(());
                }
                bytes = sent.recv() => match bytes.unwrap() {
                    Some(bytes) => stream.write_all(&bytes).await?,
                    None => return Ok(()),
                },
            }
        }
    }
}
