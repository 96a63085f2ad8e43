//! A collector of traces and metrics that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::until;

/// Listens until it is dropped.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    heads: Vec<String>,
    requests: Vec<ExportTraceServiceRequest>,
    metrics: Vec<ExportMetricsServiceRequest>,
    /// How many batches are still answered with 503 and not kept.
    refused: usize,
}

impl Collector {
    /// One that answers.
    pub(crate) async fn start() -> Self {
        Self::serve(true, 0).await
    }

    /// One that cannot take so many batches.
    pub(crate) async fn refusing(batches: usize) -> Self {
        Self::serve(true, batches).await
    }

    /// One that takes connections and says nothing.
    pub(crate) async fn hung() -> Self {
        Self::serve(false, 0).await
    }

    async fn serve(answers: bool, refused: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Kept { refused, ..Kept::default() }));
        let keep = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                if answers {
                    tokio::spawn(talk(stream, Arc::clone(&keep)));
                } else {
                    silent.push(stream);
                }
            }
        });
        Self { address, kept, task }
    }

    /// The first lines and headers of what was sent, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.kept.lock().unwrap().heads.clone()
    }

    /// All spans so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let kept = self.kept.lock().unwrap();
        let scopes = kept.requests.iter().flat_map(|request| &request.resource_spans).flat_map(|of| &of.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// All batches of metrics so far.
    pub(crate) fn batches(&self) -> Vec<ExportMetricsServiceRequest> {
        self.kept.lock().unwrap().metrics.clone()
    }

    /// Everything as text, to look for what must not be there.
    pub(crate) fn text(&self) -> String {
        let kept = self.kept.lock().unwrap();
        format!("{:?} {:?}", kept.requests, kept.metrics)
    }

    /// The first span that fits, once it has come.
    pub(crate) async fn span(&self, what: &str, fits: impl Fn(&Span) -> bool) -> Span {
        until(what, Duration::from_secs(30), async || self.spans().into_iter().find(|span| fits(span))).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Kept {
    fn take(&mut self, head: String, body: &[u8]) -> &'static str {
        if let Some(fewer) = self.refused.checked_sub(1) {
            self.refused = fewer;
            return "503 Service Unavailable";
        }
        if head.contains("/v1/metrics ") {
            self.metrics.push(ExportMetricsServiceRequest::decode(body).unwrap());
        } else {
            self.requests.push(ExportTraceServiceRequest::decode(body).unwrap());
        }
        self.heads.push(head);
        "200 OK"
    }
}

/// Takes one post after the other.
async fn talk(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            more(&mut stream, &mut read).await?;
        };
        let head: Vec<u8> = read.drain(..end).collect();
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.parse().unwrap();
        while read.len() < length {
            more(&mut stream, &mut read).await?;
        }
        let body: Vec<u8> = read.drain(..length).collect();
        let status = kept.lock().unwrap().take(head, &body);
        stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.ok()?;
    }
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
    read.extend_from_slice(&buffer[..count]);
    Some(())
}
