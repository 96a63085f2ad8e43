//! The request body as the edge sees it: whether it was read to its end, and what that means for the connection.
//!
//! A body that is still arriving when the answer is ready must never be taken for a next request. The connection is
//! closed then, and the unread payload is kept until the answer is written, because only then does the HTTP library
//! linger: it reads and drops for a moment, so that the client sees the answer instead of a reset.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use futures_util::Stream;

/// How far a body got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyStatus {
    /// More may come.
    Open,
    /// Read to its end.
    Finished,
    /// Its framing is broken; the HTTP library reads nothing more from this connection.
    Corrupt,
    /// The client went away in the middle.
    Lost,
}

/// A handle on the body of a request that has one.
#[derive(Clone)]
pub(super) struct Incoming(Rc<State>);

struct State {
    payload: RefCell<Payload>,
    status: Cell<BodyStatus>,
    /// Bytes that are still the body's, where the HTTP library would read on to the end of the stream: it does so
    /// for every request that asks for a WebSocket, whatever its length says. `None`: the library knows the end.
    left: Cell<Option<u64>>,
}

impl Incoming {
    /// Puts itself between the connection and the request; `None`, and no cost, for a request without a body.
    pub(super) fn track(req: &mut ServiceRequest) -> Option<Self> {
        if matches!(req.parts().1, Payload::None) {
            return None;
        }
        let left = endless(req).then(|| declared_length(req));
        let payload = RefCell::new(req.parts_mut().1.take());
        let state = Self(Rc::new(State { payload, status: Cell::new(BodyStatus::Open), left: Cell::new(left) }));
        if left != Some(0) {
            req.set_payload(Payload::Stream { payload: Box::pin(state.clone()) });
        }
        Some(state)
    }

    pub(super) fn status(&self) -> BodyStatus {
        self.0.status.get()
    }

    /// Whether what follows could be told from a body at all.
    pub(super) fn is_endless(&self) -> bool {
        self.0.left.get().is_some()
    }

    /// Drops what has arrived; `Ready` when the body ended one way or another, or when it is not worth waiting.
    pub(super) fn poll_discard(&self, cx: &mut Context<'_>, most: usize) -> Poll<()> {
        let mut dropped = 0_usize;
        while self.status() == BodyStatus::Open && dropped <= most {
            match self.poll_chunk(cx) {
                Poll::Ready(Some(Ok(bytes))) => dropped = dropped.saturating_add(bytes.len()),
                Poll::Ready(_) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if self.0.left.get() == Some(0) {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(cx);
        polled.map(|item| match item {
            Some(Ok(bytes)) => Some(Ok(self.cut(bytes))),
            Some(Err(error)) => {
                let lost = matches!(error, PayloadError::Incomplete(_) | PayloadError::Io(_));
                self.0.status.set(if lost { BodyStatus::Lost } else { BodyStatus::Corrupt });
                Some(Err(error))
            }
            None => {
                self.0.status.set(BodyStatus::Finished);
                None
            }
        })
    }

    fn cut(&self, mut bytes: Bytes) -> Bytes {
        if let Some(left) = self.0.left.get() {
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let taken = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.0.left.set(Some(left.saturating_sub(taken)));
        }
        bytes
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

/// Whether the HTTP library reads this request's body to the end of the stream.
fn endless(req: &ServiceRequest) -> bool {
    let headers = req.headers();
    let websocket = headers.contains_key(header::UPGRADE) && !headers.contains_key(header::TRANSFER_ENCODING);
    websocket || *req.method() == Method::CONNECT
}

fn declared_length(req: &ServiceRequest) -> u64 {
    let declared = req.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    declared.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// How the connection ends after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is closed after a moment of lingering.
    Linger,
    /// It is cut as soon as the answer is out. After broken framing the HTTP library would write a second, bare 400.
    Cut,
}

/// An answer's body that keeps the unread request body alive until it is written.
pub(super) struct Closing {
    body: BoxBody,
    ending: Ending,
    flushed: bool,
    _unread: Incoming,
}

impl Closing {
    pub(super) fn new(body: BoxBody, ending: Ending, unread: Incoming) -> Self {
        Self { body, ending, flushed: false, _unread: unread }
    }
}

impl MessageBody for Closing {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match self.body.size() {
            BodySize::None => BodySize::Sized(0),
            size => size,
        }
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        if self.ending == Ending::Linger || !matches!(next, Poll::Ready(None)) {
            return next;
        }
        if self.flushed {
            return Poll::Ready(Some(Err(io::Error::other("closed after a malformed request body").into())));
        }
        // One round without data makes the connection write out what it has.
        self.flushed = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
