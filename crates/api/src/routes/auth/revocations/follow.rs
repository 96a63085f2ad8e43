//! One stream of server-sent events. Nothing waits in a queue: whenever the connection takes more, the next message tells
//! everything since the last one it took.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    FromRequest as _, HttpRequest,
    dev::Payload,
    rt::time::{Interval, interval},
    web::{Bytes, Data},
};
use futures_util::{Stream, stream::unfold};
use sme_pulse_auth::{
    AccessError,
    guard::FollowRevocations,
    service::{AuthService, RevocationMessage, RevocationNews, RevocationProgress},
};
use sme_pulse_domain::ids::OrgId;

use super::followers::Place;
use crate::{edge::RequestContext, error::ApiError, routes::caller::Watcher};

/// How often there is a sign of life, and the caller is looked at again.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a client should wait before it connects again, in milliseconds.
const RETRY: u32 = 1_000;

/// A stream and how far it has come.
pub(super) struct Following {
    req: HttpRequest,
    auth: Data<AuthService>,
    only: Option<OrgId>,
    first: Option<RevocationMessage>,
    sent: RevocationProgress,
    news: RevocationNews,
    ticks: Interval,
    place: Place,
    end: End,
}

impl Following {
    /// With its first message ready, so that a failure still is an answer.
    pub(super) async fn begin(
        (req, context): (HttpRequest, RequestContext),
        (auth, only): (Data<AuthService>, Option<OrgId>),
        place: Place,
        known: Option<RevocationProgress>,
    ) -> Result<Self, ApiError> {
        // First, so that nothing comes between.
        let news = auth.revocation_news();
        let first = auth.revocations_after(known, only).await?;
        let (sent, mut ticks) = (first.progress, interval(SIGN_OF_LIFE));
        ticks.reset();
        let end = End { context, messages: 0, reason: "the client left" };
        Ok(Self { req, auth, only, first: Some(first), sent, news, ticks, place, end })
    }

    /// Its events until it ends.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + 'static {
        unfold(Some(self), async |following| {
            let mut following = following?;
            match following.next().await {
                Ok(event) => Some((Ok(event), Some(following))),
                Err(reason) => {
                    following.end.reason = reason;
                    None
                }
            }
        })
    }

    async fn next(&mut self) -> Result<Bytes, &'static str> {
        let (retry, message) = match self.first.take() {
            Some(first) => (format!("retry: {RETRY}\n"), first),
            None => (String::new(), self.wait().await?),
        };
        self.sent = message.progress;
        self.end.messages = self.end.messages.saturating_add(1);
        let RevocationMessage { progress: RevocationProgress { seq, .. }, text } = message;
        Ok(format!("{retry}id: {seq}\nevent: revocations\ndata: {text}\n\n").into())
    }

    /// The next message: with news, or after a second without.
    async fn wait(&mut self) -> Result<RevocationMessage, &'static str> {
        loop {
            tokio::select! {
                biased;
                () = self.place.end() => return Err("the server stops"),
                _ = self.ticks.tick() => break,
                () = self.news.wait() => {
                    // Of other organizations' news nothing shows, not even when there is some.
                    if self.auth.has_revocations_after(self.sent, self.only) {
                        break;
                    }
                }
            }
        }
        self.check().await?;
        let message = self.auth.revocations_after(Some(self.sent), self.only).await;
        message.map_err(|_| "revocations cannot be read")
    }

    /// Asks of the caller what was asked when they connected.
    async fn check(&self) -> Result<(), &'static str> {
        match Watcher::<FollowRevocations>::from_request(&self.req, &mut Payload::None).await {
            Ok(watcher) if watcher.reach().only() == self.only => Ok(()),
            Err(ApiError::Access(AccessError::Undecided(_))) => Err("the caller cannot be checked"),
            Ok(_) | Err(_) => Err("the caller may not follow any more"),
        }
    }
}

/// Tells the log of the end: the access event was written when the stream began.
struct End {
    context: RequestContext,
    messages: u64,
    reason: &'static str,
}

impl Drop for End {
    fn drop(&mut self) {
        let Self { context, messages, reason } = self;
        let (user_id, org_id) = context.caller().unzip();
        let (request_id, client_ip) = (context.request_id(), context.client_ip());
        tracing::info!(%request_id, %client_ip, user_id, org_id, messages, reason, "Revocation feed ended");
    }
}
