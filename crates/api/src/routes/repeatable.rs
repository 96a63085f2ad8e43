//! `Idempotency-Key`: a request that is sent again gets its first answer again. A handler takes [`Repeatable`] and answers
//! with [`Repeatable::created`]; the use case behind it keeps the answer in the transaction of the change.

use std::collections::HashSet;
use std::future::{Ready, ready};
use std::sync::{Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sme_pulse_domain::{hex::hex, ids::UserId, tenant::TenantScope};
use sme_pulse_finance::{Done, Finance, KeptAnswer, KeyedRequest, LedgerError, Once};

use crate::{
    edge::RequestContext,
    error::{ApiError, Rule},
    input::Body,
};

const KEY: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const LONGEST_KEY: usize = 255;

/// The keys whose first request this process is working on: organization, user, key.
#[derive(Debug, Default)]
pub struct RunningKeys(Mutex<HashSet<RunningKey>>);

type RunningKey = (i64, Option<i64>, String);

/// A request that may be sent again.
pub(super) struct Repeatable {
    /// What the header says; a malformed one is refused only when the caller and the body have been looked at.
    key: Result<Option<String>, ApiError>,
    method: String,
    path: String,
    context: Option<RequestContext>,
    running: Option<Data<RunningKeys>>,
    finance: Option<Data<Finance>>,
}

impl FromRequest for Repeatable {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            key: key(req),
            method: req.method().as_str().to_owned(),
            path: req.path().trim_end_matches('/').to_owned(),
            context: RequestContext::of(req),
            running: req.app_data().cloned(),
            finance: req.app_data().cloned(),
        }))
    }
}

impl Repeatable {
    /// Does the work, once for a key, and answers 201 with what it made.
    pub(super) async fn created<T, V: Serialize>(
        self,
        scope: TenantScope,
        body: &Body,
        view: impl Fn(&T) -> V,
        work: impl AsyncFnOnce(&Finance, &Once<'_, T>) -> Result<Done<T>, LedgerError>,
    ) -> Result<HttpResponse, ApiError> {
        self.answered(StatusCode::CREATED, scope, body, view, work).await
    }

    async fn answered<T, V: Serialize>(
        self,
        status: StatusCode,
        scope: TenantScope,
        body: &Body,
        view: impl Fn(&T) -> V,
        work: impl AsyncFnOnce(&Finance, &Once<'_, T>) -> Result<Done<T>, LedgerError>,
    ) -> Result<HttpResponse, ApiError> {
        let finance = self.finance.ok_or_else(|| ApiError::internal("the ledgers are not mounted"))?;
        let render = |value: &T| KeptAnswer { status: status.as_u16(), body: json(&view(value)) };
        let Some(key) = self.key? else {
            return match work(&finance, &Once::unkeyed()).await? {
                Done::Now(value) => answer(&render(&value)),
                Done::Before(kept) => answer(&kept),
            };
        };
        let running = self.running.ok_or_else(|| ApiError::internal("idempotency keys are not mounted"))?;
        let _guard = running.begin((scope.org().get(), scope.actor().map(UserId::get), key.clone()))?;
        let body_hash = hex(&Sha256::digest(body.bytes()));
        let request = KeyedRequest { key, method: self.method, path: self.path, body_hash };
        match work(&finance, &Once::keyed(&request, &render)).await {
            Ok(Done::Now(value)) => answer(&render(&value)),
            Ok(Done::Before(kept)) => {
                if let Some(context) = self.context {
                    context.promise_header(REPLAYED, HeaderValue::from_static("true"));
                }
                answer(&kept)
            }
            Err(error) => {
                let error = ApiError::from(error);
                if let Some(refusal) = error.to_kept() {
                    finance.keep_refusal(scope, &request, &refusal).await?;
                }
                Err(error)
            }
        }
    }
}

/// Compact JSON. Views are made of strings, numbers and lists of them, which cannot fail to serialize.
fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_default()
}

/// An answer as it was given the first time.
fn answer(kept: &KeptAnswer) -> Result<HttpResponse, ApiError> {
    match StatusCode::from_u16(kept.status) {
        Ok(status) if status.is_success() => {
            Ok(HttpResponse::build(status).content_type(ContentType::json()).body(kept.body.clone()))
        }
        _ => Err(ApiError::of_kept(kept)),
    }
}

/// The one header, if it is there: 1 to 255 visible ASCII characters.
fn key(req: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut headers = req.headers().get_all(KEY);
    let Some(value) = headers.next() else { return Ok(None) };
    let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
    if headers.next().is_some() || !visible || !(1..=LONGEST_KEY).contains(&value.len()) {
        let text = "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters.";
        return Err(ApiError::rule(Rule::Violated, text));
    }
    Ok(value.to_str().ok().map(str::to_owned))
}

impl RunningKeys {
    /// Takes the key until the guard is dropped, also by a request that was given up.
    fn begin(&self, key: RunningKey) -> Result<Running<'_>, LedgerError> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.insert(key.clone()) { Ok(Running { keys: self, key }) } else { Err(LedgerError::KeyRunning) }
    }
}

struct Running<'a> {
    keys: &'a RunningKeys,
    key: RunningKey,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
