//! Tests of the body extractor.

use actix_web::{FromRequest, dev::Payload, http::header, test::TestRequest, web::Bytes};
use futures_util::stream;

use super::*;

const LIMIT: usize = 100;

async fn extract(request: TestRequest) -> Result<Body, ApiError> {
    let (request, mut payload) = request.app_data(BodyLimit(LIMIT)).to_http_parts();
    Body::from_request(&request, &mut payload).await
}

/// A body of unknown length in two pieces.
async fn chunked(first: usize, second: usize) -> Result<Body, ApiError> {
    let request = TestRequest::default().app_data(BodyLimit(LIMIT)).to_http_request();
    let pieces = [first, second].map(|size| Ok(Bytes::from(vec![b' '; size])));
    let stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = _>>> = Box::pin(stream::iter(pieces));
    Body::from_request(&request, &mut Payload::from(stream)).await
}

#[actix_web::test]
async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_too_large() {
    assert_eq!(chunked(60, 40).await.unwrap().bytes().len(), LIMIT);
    assert!(matches!(chunked(60, 41).await, Err(ApiError::TooLarge)));
    assert!(matches!(chunked(101, 0).await, Err(ApiError::TooLarge)));
}

#[actix_web::test]
async fn a_claimed_length_over_the_limit_is_refused_before_reading() {
    for claim in ["101", "99999999999999999999999999"] {
        let request = TestRequest::default().insert_header((header::CONTENT_LENGTH, claim));
        assert!(matches!(extract(request).await, Err(ApiError::TooLarge)), "{claim}");
    }
}

#[actix_web::test]
async fn a_body_that_breaks_off_has_nobody_left_to_answer() {
    let request = TestRequest::default().app_data(BodyLimit(LIMIT)).to_http_request();
    let pieces = [Ok(Bytes::from_static(b"{")), Err(PayloadError::Incomplete(None))];
    let stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = _>>> = Box::pin(stream::iter(pieces));
    let result = Body::from_request(&request, &mut Payload::from(stream)).await;
    assert!(matches!(result, Err(ApiError::ClientGone)));
}

#[actix_web::test]
async fn without_a_limit_nothing_is_read() {
    let (request, mut payload) = TestRequest::default().set_payload("{}").to_http_parts();
    assert!(matches!(Body::from_request(&request, &mut payload).await, Err(ApiError::Internal(_))));
}

#[actix_web::test]
async fn the_content_type_decides_whether_it_is_json() {
    for (value, expected) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/json;", true),
        ("application/problem+json", true),
        ("text/x+JSON ; a=b", true),
        ("", true),
        ("application/x-www-form-urlencoded", false),
        ("text/plain", false),
        ("application/jsonp", false),
        ("text/json", false),
        ("+json", false),
        ("/x+json", false),
        ("a/+json", false),
        ("json", false),
    ] {
        let request = TestRequest::default().insert_header((header::CONTENT_TYPE, value)).set_payload("{}");
        assert_eq!(extract(request).await.unwrap().promises_json(), expected, "{value}");
    }
    assert!(extract(TestRequest::default().set_payload("{}")).await.unwrap().promises_json());
    let both = TestRequest::default()
        .append_header((header::CONTENT_TYPE, "application/json"))
        .append_header((header::CONTENT_TYPE, "text/plain"));
    assert!(!extract(both).await.unwrap().promises_json());
}

#[actix_web::test]
async fn a_compressed_body_is_not_json() {
    for (coding, expected) in [("gzip", false), ("identity, gzip", false), ("Identity", true)] {
        let request = TestRequest::default().insert_header((header::CONTENT_ENCODING, coding)).set_payload("{}");
        assert_eq!(extract(request).await.unwrap().promises_json(), expected, "{coding}");
    }
}

#[test]
fn a_body_is_not_shown() {
    let body = Body { bytes: Bytes::from_static(b"{\"password\":\"x\"}"), promises_json: true, promises_form: false };
    assert!(!format!("{body:?}").contains("password"));
}
