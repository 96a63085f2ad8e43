//! The span of a request, for trace exporters. The log does not see spans, so it holds only what a trace needs.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;

use crate::edge::RequestContext;

/// A root span with the method and our own request id.
pub struct LeanSpan;

impl RootSpanBuilder for LeanSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let context = RequestContext::of(request.request());
        let request_id = context.map(|context| context.request_id());
        tracing::info_span!("request", method = %request.method(), request_id = request_id.map(tracing::field::display))
    }

    /// Outcomes are told by the edge, once.
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}
