//! Reads a request's body completely before its handler runs, within the limit, and hands it on as one piece. So a
//! body that is too large is refused before a token is asked for, and no handler leaves a body behind unread.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use futures_util::future::LocalBoxFuture;
use pin_project_lite::pin_project;

use crate::input::{claimed_length, read_whole};

/// The layer of one resource.
pub(super) struct BodyStage {
    /// The methods the resource has: a wrong method is answered without looking at the body.
    pub(super) methods: Rc<[Method]>,
    /// The largest body in bytes.
    pub(super) max: usize,
    /// Whether every answer carries `Cache-Control: no-store`.
    pub(super) no_store: bool,
}

impl<S> Transform<S, ServiceRequest> for BodyStage
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
    S::Future: 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = BodyStageService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(self.around(service)))
    }
}

impl BodyStage {
    pub(super) fn around<S>(&self, service: S) -> BodyStageService<S> {
        let (methods, max, no_store) = (Rc::clone(&self.methods), self.max, self.no_store);
        BodyStageService { service: Rc::new(service), methods, max, no_store }
    }
}

pub(super) struct BodyStageService<S> {
    service: Rc<S>,
    methods: Rc<[Method]>,
    max: usize,
    no_store: bool,
}

impl<S> Service<ServiceRequest> for BodyStageService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
    S::Future: 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Future = BodyStageFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, mut req: ServiceRequest) -> Self::Future {
        let no_store = self.no_store;
        if matches!(req.parts().1, Payload::None) || !self.methods.contains(req.method()) {
            return BodyStageFuture { stage: Stage::Direct { inner: self.service.call(req) }, no_store };
        }
        let (service, max) = (Rc::clone(&self.service), self.max);
        let reading = Box::pin(async move {
            let claimed = claimed_length(req.headers());
            let payload = req.parts_mut().1.take();
            match read_whole(payload, claimed, max).await {
                Ok(bytes) => {
                    req.set_payload(Payload::from(bytes));
                    service.call(req).await
                }
                Err(error) => Ok(req.error_response(error)),
            }
        });
        BodyStageFuture { stage: Stage::Reading { reading }, no_store }
    }
}

pin_project! {
    pub(super) struct BodyStageFuture<F> {
        #[pin]
        stage: Stage<F>,
        no_store: bool,
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<F> {
        Direct { #[pin] inner: F },
        Reading { reading: LocalBoxFuture<'static, Result<ServiceResponse, Error>> },
    }
}

impl<F> Future for BodyStageFuture<F>
where
    F: Future<Output = Result<ServiceResponse, Error>>,
{
    type Output = Result<ServiceResponse, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match this.stage.project() {
            StageProj::Direct { inner } => inner.poll(cx),
            StageProj::Reading { reading } => reading.as_mut().poll(cx),
        };
        polled.map_ok(|mut answer| {
            if *this.no_store {
                answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            answer
        })
    }
}
