//! A connection on which a test writes the bytes itself.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection; what was read and not yet used is kept.
pub(crate) struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// False when the other side no longer takes it.
    pub(crate) async fn offer(&mut self, text: &str) -> bool {
        self.stream.write_all(text.as_bytes()).await.is_ok()
    }

    /// The next head of an answer, status line first.
    pub(crate) async fn head(&mut self) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the connection ended inside a head");
            self.read.extend_from_slice(&buffer[..count]);
        }
    }

    /// Reads so many bytes and forgets them.
    pub(crate) async fn skip(&mut self, length: usize) {
        let mut buffer = [0; 4096];
        while self.read.len() < length {
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the connection ended inside a body");
            self.read.extend_from_slice(&buffer[..count]);
        }
        self.read.drain(..length);
    }

    /// The next chunk of a body that comes in chunks; `None` after the last.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\r\n") {
                let length = usize::from_str_radix(std::str::from_utf8(&self.read[..end]).unwrap(), 16).unwrap();
                if self.read.len() >= end + 2 + length + 2 {
                    let chunk: Vec<u8> = self.read.drain(..end + 2 + length + 2).collect();
                    let text = String::from_utf8(chunk[end + 2..end + 2 + length].to_vec()).unwrap();
                    return (length > 0).then_some(text);
                }
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the connection ended inside a body");
            self.read.extend_from_slice(&buffer[..count]);
        }
    }

    /// Everything until the other side closes, which it has to do within so many seconds.
    pub(crate) async fn rest(&mut self, seconds: u64) -> String {
        let mut rest = std::mem::take(&mut self.read);
        let reading = self.stream.read_to_end(&mut rest);
        // A reset is an end too: the answer, if any, was read before it.
        let Ok(_) = tokio::time::timeout(Duration::from_secs(seconds), reading).await else {
            panic!("still open after {seconds} s")
        };
        String::from_utf8(rest).unwrap()
    }
}
