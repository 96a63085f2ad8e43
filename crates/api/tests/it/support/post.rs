//! A mail server that a test plays.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A mail server without encryption that keeps what it is told.
#[derive(Clone, Default)]
pub(crate) struct Post(Arc<Mutex<Vec<String>>>);

impl Post {
    /// Listens and answers, on a thread of its own, so that a test may wait for a process meanwhile; recipients whose
    /// address begins with `gone` are refused for good.
    pub(crate) fn open() -> (Self, u16) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (kept, port) = (Self::default(), listener.local_addr().unwrap().port());
        let serving = kept.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serving.clone().serve(stream));
                }
            });
        });
        (kept, port)
    }

    async fn serve(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 post\r\n").await.unwrap();
        // A message is kept as a whole, or those that come at once would lie among each other.
        let mut message: Option<Vec<String>> = None;
        while let Ok(Some(line)) = lines.next_line().await {
            match &mut message {
                Some(message) => message.push(line.clone()),
                None if line == "DATA" => {}
                None => self.0.lock().unwrap().push(line.clone()),
            }
            let reply = match (&mut message, line.as_str()) {
                (Some(whole), ".") => {
                    self.0.lock().unwrap().append(whole);
                    message = None;
                    "250 kept"
                }
                (Some(_), _) => continue,
                (None, "DATA") => {
                    message = Some(vec![line]);
                    "354 go on"
                }
                (None, line) if line.starts_with("EHLO") => "250-post\r\n250 AUTH PLAIN",
                (None, line) if line.starts_with("AUTH") => "235 welcome",
                (None, line) if line.starts_with("RCPT TO:<gone") => "550 <gone@example.com> is no more",
                (None, "QUIT") => "221 bye",
                _ => "250 fine",
            };
            write.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
        }
    }

    /// Waits until a line begins so, and returns all.
    pub(crate) async fn until(&self, start: &str) -> Vec<String> {
        let waiting = async {
            loop {
                let lines = self.0.lock().unwrap().clone();
                if lines.iter().any(|line| line.starts_with(start)) {
                    return lines;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .unwrap_or_else(|_| panic!("{:?}", self.0.lock().unwrap()))
    }

    /// The mails to this address whose subject begins so, once there are so many.
    pub(crate) async fn mails(&self, to: &str, subject: &str, count: usize) -> Vec<String> {
        let waiting = async {
            loop {
                let mails = self.whole(&format!("To: {to}"), &format!("Subject: {subject}"));
                if mails.len() >= count {
                    return mails;
                }
                tokio::task::yield_now().await;
            }
        };
        let mails = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        mails.unwrap_or_else(|_| panic!("no {count} mails: {:?}", self.0.lock().unwrap()))
    }

    fn whole(&self, to: &str, subject: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        let mails = lines.split(|line| line == "DATA").skip(1).filter(|mail| mail.iter().any(|line| line == "."));
        let wanted = mails.filter(|mail| mail.iter().any(|line| line == to));
        let wanted = wanted.filter(|mail| mail.iter().any(|line| line.starts_with(subject)));
        wanted.map(|mail| mail.join("\n")).collect()
    }
}
