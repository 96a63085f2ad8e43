//! Requests as bytes, for what no client library would send: odd paths, repeated headers, broken encodings.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Answer, TestApp};

impl TestApp {
    /// One request on a connection of its own. The bytes must ask for the end of the connection or provoke it.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> Answer {
        raw(&self.base, bytes).await
    }

    /// A request without a body: `GET /health`, and header lines that each end in CRLF.
    pub(crate) async fn line(&self, line: &str, headers: &str) -> Answer {
        self.raw(format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await
    }
}

/// Sends the bytes to the server at this address and reads one answer up to the end of the connection.
pub(crate) async fn raw(base: &str, bytes: impl AsRef<[u8]>) -> Answer {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes.as_ref()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a complete head");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    Answer { status, headers, text: String::from_utf8(answer[end + 4..].to_vec()).unwrap() }
}
