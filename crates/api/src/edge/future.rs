//! The future of one request: runs the inside behind the panic barrier and the time limit, then looks once at what
//! has arrived of an unread body, then completes the answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::rt::time::{Sleep, sleep};
use pin_project_lite::pin_project;

use super::answer::{Outcome, finish};
use super::body::BodyStatus;
use super::flight::Flight;
use super::panics;
use crate::error::ApiError;
use crate::metrics::Late;

/// How much of an unread body is dropped before the answer, to tell broken framing from an honest client.
const MAX_DISCARDED: usize = 64 * 1024;

pin_project! {
    /// One request on its way through the edge.
    pub struct EdgeFuture<F> {
        #[pin]
        stage: Stage<F>,
        flight: Flight,
        // Made when the inside has to wait for the first time: most answers are ready at once.
        limit: Option<Pin<Box<Sleep>>>,
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<F> {
        Running { #[pin] inner: F },
        Answered { outcome: Option<Outcome>, looked: bool },
    }
}

impl<F> EdgeFuture<F> {
    pub(super) fn running(flight: Flight, inner: F) -> Self {
        Self { stage: Stage::Running { inner }, flight, limit: None }
    }

    pub(super) fn answered(flight: Flight, outcome: Outcome) -> Self {
        Self { stage: Stage::Answered { outcome: Some(outcome), looked: false }, flight, limit: None }
    }
}

impl<F, B> Future for EdgeFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody + 'static,
{
    type Output = Result<ServiceResponse, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProj::Running { inner } => {
                    let outcome = match panics::catch(|| inner.poll(cx)) {
                        Ok(Poll::Ready(Ok(answer))) => Outcome::answered(answer.map_into_boxed_body()),
                        Ok(Poll::Ready(Err(error))) => Outcome::failed(error),
                        Ok(Poll::Pending) => {
                            let timeout = this.flight.timeout();
                            ready!(this.limit.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(cx));
                            Outcome::failed(late(this.flight))
                        }
                        Err(text) => {
                            this.flight.panicked();
                            Outcome::panicked(&text)
                        }
                    };
                    this.stage.set(Stage::Answered { outcome: Some(outcome), looked: false });
                }
                StageProj::Answered { outcome, looked } => {
                    ready!(look_at_unread(this.flight, outcome, looked, cx));
                    let outcome = outcome.take().unwrap_or_else(|| Outcome::panicked("polled after its end"));
                    return Poll::Ready(finish(this.flight, outcome));
                }
            }
        }
    }
}

/// Whose time it was: a client that holds its body back is no fault of the service.
fn late(flight: &Flight) -> ApiError {
    let waiting = flight.body.as_ref().is_some_and(|body| body.status() == BodyStatus::Open && !body.is_endless());
    flight.timed_out(if waiting { Late::Client } else { Late::Handler });
    if waiting { ApiError::BodyTimedOut } else { ApiError::TimedOut }
}

/// Gives the connection one chance to hand over what it has of an unread body. A body whose framing turns out to be
/// broken makes the whole request a bad one; nothing after it is served.
fn look_at_unread(
    flight: &mut Flight,
    outcome: &mut Option<Outcome>,
    looked: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let Some(body) = flight.body.clone().filter(|body| body.status() == BodyStatus::Open && !body.is_endless()) else {
        return Poll::Ready(());
    };
    flight.discarded = true;
    if !std::mem::replace(looked, true) {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    // Still pending after the chance means that the rest has not arrived: the answer does not wait for it.
    let _ = body.poll_discard(cx, MAX_DISCARDED);
    if let Some(outcome) = outcome.as_mut().filter(|_| body.status() == BodyStatus::Corrupt) {
        outcome.become_error(ApiError::BadRequest("the body's framing is broken"));
    }
    Poll::Ready(())
}
