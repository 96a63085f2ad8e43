//! DELETE ON MERGE: the answer of an [`ApiError`] until `error.rs` gives it one (compiling then fails here).
use crate::error::ApiError;
use actix_web::{HttpResponse, ResponseError, http::StatusCode};

impl ResponseError for ApiError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::MethodNotAllowed(allow) => {
                HttpResponse::build(StatusCode::METHOD_NOT_ALLOWED).insert_header(("Allow", allow.as_str())).finish()
            }
            Self::NotFound(_) => HttpResponse::NotFound().finish(),
            _ => HttpResponse::InternalServerError().finish(),
        }
    }
}
