//! A client of raw bytes: it sends what it is told, however wrong, and reads what comes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// The only value of a header.
    pub(crate) fn one(&self, name: &str) -> &str {
        let values = self.all(name);
        assert_eq!(values.len(), 1, "{name} in {self:?}");
        values[0]
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON expected: {self:?}"))
    }

    /// Checks that the body is the envelope with this code, and that its id is the header's.
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let json = self.json();
        assert_eq!(json["error_code"], code, "{self:?}");
        assert_eq!(json["request_id"], self.one("x-request-id"));
        assert!(json["error"].is_string() && !json["detail"].is_null());
        assert_eq!(self.one("content-type"), "application/json");
        assert_eq!(self.one("cache-control"), "no-store");
    }
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        // Only a bound on a failing test: no passing test waits for it.
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends while the server may already be closing.
    pub(crate) fn send_if_open(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    pub(crate) fn end_writing(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads one answer with a body of the announced length.
    pub(crate) fn answer(&mut self) -> Answer {
        self.read_answer(true)
    }

    /// Reads one answer to HEAD, which announces a body and has none.
    pub(crate) fn head_answer(&mut self) -> Answer {
        self.read_answer(false)
    }

    fn read_answer(&mut self, with_body: bool) -> Answer {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            assert!(self.more(), "no complete answer: {:?}", String::from_utf8_lossy(&self.buffer));
        };
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let split = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned())).unwrap();
        let headers: Vec<_> = lines.map(split).collect();
        let length = headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
        let length: usize = if with_body { length } else { 0 };
        while self.buffer.len() < length {
            assert!(self.more(), "the body is cut off");
        }
        let body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
        Answer { status, headers, body }
    }

    fn more(&mut self) -> bool {
        let mut chunk = [0; 8192];
        let read = self.stream.read(&mut chunk).unwrap_or(0);
        self.buffer.extend_from_slice(&chunk[..read]);
        read > 0
    }

    /// Reads to the end of the connection; what came after the answers already read.
    pub(crate) fn rest(&mut self) -> String {
        let mut chunk = [0; 8192];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => self.buffer.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the connection stays open: {error}"),
            }
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned()
    }
}

/// One request on a connection of its own.
pub(crate) fn once(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Answer {
    Client::connect(address).send(bytes).answer()
}

/// A GET of a path.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    once(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
}
