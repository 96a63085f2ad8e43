//! The load generator: one thread, one event loop, many keep-alive connections, never more than one request in
//! flight on each. It has to cost less than the servers it measures.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::clock::now;
use crate::reply;

const BUFFER: usize = 64 * 1024;

/// What to send and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) target: SocketAddr,
    /// The whole request, head and body.
    pub(crate) request: Vec<u8>,
    pub(crate) connections: u32,
    /// The time between two requests of one connection; `None` sends the next as soon as the last is answered.
    pub(crate) interval: Option<Duration>,
    pub(crate) duration: Duration,
    /// A new connection for every request, as strangers come.
    pub(crate) strangers: bool,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// How many answers of each status.
    pub(crate) statuses: BTreeMap<u16, u32>,
    /// The time of each answer with status 200, sorted.
    pub(crate) times: Vec<Duration>,
    /// When the first and the last 200 arrived.
    pub(crate) first: Option<Instant>,
    pub(crate) last: Option<Instant>,
    /// The longest wait for any answer.
    pub(crate) slowest: Duration,
}

impl Report {
    /// Answers with status 200.
    pub(crate) fn ok(&self) -> u32 {
        self.statuses.get(&200).copied().unwrap_or_default()
    }

    /// An error unless every answer was a 200.
    pub(crate) fn all_ok(self) -> anyhow::Result<Self> {
        if self.ok() == 0 || self.statuses.len() > 1 {
            bail!("not every answer was a 200: {:?}", self.statuses);
        }
        Ok(self)
    }

    fn count(&mut self, status: u16, time: Duration, at: Instant) {
        *self.statuses.entry(status).or_default() += 1;
        self.slowest = self.slowest.max(time);
        if status == 200 {
            self.times.push(time);
            self.first.get_or_insert(at);
            self.last = Some(at);
        }
    }
}

struct Connection {
    token: Token,
    stream: Option<TcpStream>,
    received: Vec<u8>,
    sent_at: Option<Instant>,
    due: Instant,
}

/// Sends as planned and reports. Requests in flight at the end are not counted.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<Report> {
    let mut poll = Poll::new().context("no event queue")?;
    let began = now();
    let mut connections = Vec::new();
    for index in 0..plan.connections {
        // Spread over the interval, so that paced connections do not send in step.
        let offset = plan.interval.map_or(Duration::ZERO, |interval| interval * index / plan.connections);
        let token = Token(usize::try_from(index)?);
        connections.push(Connection { token, stream: None, received: Vec::new(), sent_at: None, due: began + offset });
    }
    let mut report = Report::default();
    let mut events = Events::with_capacity(1024);
    let end = began + plan.duration;
    let mut buffer = vec![0; BUFFER];
    loop {
        let at = now();
        if at >= end {
            break;
        }
        let mut next = end;
        for connection in connections.iter_mut().filter(|connection| connection.sent_at.is_none()) {
            if connection.due <= at {
                connection.send(plan, &poll)?;
            } else {
                next = next.min(connection.due);
            }
        }
        poll.poll(&mut events, Some(next.saturating_duration_since(at))).or_else(interrupted)?;
        for event in &events {
            if let Some(connection) = connections.get_mut(event.token().0) {
                connection.receive(&mut buffer, plan, &poll, &mut report)?;
            }
        }
    }
    report.times.sort_unstable();
    Ok(report)
}

impl Connection {
    fn send(&mut self, plan: &Plan, poll: &Poll) -> anyhow::Result<()> {
        self.sent_at = Some(now());
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(connect(plan.target, self.token, poll)?),
        };
        // A request is far smaller than the socket's buffer, and nothing else is in flight.
        stream.write_all(&plan.request).context("cannot send")
    }

    fn receive(&mut self, buffer: &mut [u8], plan: &Plan, poll: &Poll, report: &mut Report) -> anyhow::Result<()> {
        // Each answer is one short read; whatever comes later raises a new event.
        while let Some(stream) = &mut self.stream {
            let count = match stream.read(buffer) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("cannot receive"),
            };
            self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
            let Some((_, status)) = reply::first(&self.received)? else { continue };
            self.received.clear();
            let at = now();
            let sent_at = self.sent_at.take().context("an answer without a request")?;
            report.count(status, at - sent_at, at);
            if plan.strangers {
                self.stream = None;
            }
            let Some(interval) = plan.interval else { return self.send(plan, poll) };
            // The next slot of the timetable; one that has passed is not made up for in a burst.
            self.due = (self.due + interval).max(at);
        }
        Ok(())
    }
}

fn connect(target: SocketAddr, token: Token, poll: &Poll) -> anyhow::Result<TcpStream> {
    let stream = std::net::TcpStream::connect(target).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, token, Interest::READABLE)?;
    Ok(stream)
}

fn interrupted(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}
