//! Clients that send one request after the other, each on a connection of its own, and may make the next request from
//! the last answer.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};

use crate::clock::now;
use crate::{reply, requests};

/// The next request; it is given the body of the last answer, which is empty at first. `None` ends.
type Next = Box<dyn FnMut(&[u8]) -> anyhow::Result<Option<Vec<u8>>> + Send>;

/// What one connection sends.
pub(super) struct Sender(Next);

impl<F> From<F> for Sender
where
    F: FnMut(&[u8]) -> anyhow::Result<Option<Vec<u8>>> + Send + 'static,
{
    fn from(next: F) -> Self {
        Self(Box::new(next))
    }
}

/// The seeded log-in, over and over.
pub(super) fn log_in(address: SocketAddr) -> impl FnMut(&[u8]) -> anyhow::Result<Option<Vec<u8>>> + Send + 'static {
    let request = requests::login(address, requests::CREDENTIALS);
    move |_| Ok(Some(request.clone()))
}

/// The sorted times of the answers, which have to be successes: for this long, or until everybody has sent everything.
pub(super) fn drive(
    address: SocketAddr,
    senders: &mut [Sender],
    duration: Option<Duration>,
) -> anyhow::Result<Vec<Duration>> {
    let end = duration.map(|duration| now() + duration);
    let mut times = thread::scope(|scope| {
        let running: Vec<_> =
            senders.iter_mut().map(|sender| scope.spawn(move || send(address, &mut sender.0, end))).collect();
        let mut times = Vec::new();
        for sender in running {
            times.extend(sender.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        Ok::<_, anyhow::Error>(times)
    })?;
    ensure!(!times.is_empty(), "no request was answered in time");
    times.sort_unstable();
    Ok(times)
}

fn send(address: SocketAddr, next: &mut Next, end: Option<Instant>) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (mut times, mut last) = (Vec::new(), Vec::new());
    while end.is_none_or(|end| now() < end) {
        let Some(request) = next(&last)? else { break };
        let began = now();
        std::io::Write::write_all(&mut stream, &request).context("cannot send")?;
        let (status, body) = reply::read(&mut stream)?;
        times.push(now() - began);
        ensure!((200..300).contains(&status), "answered {status}: {}", String::from_utf8_lossy(&body));
        last = body;
    }
    Ok(times)
}
