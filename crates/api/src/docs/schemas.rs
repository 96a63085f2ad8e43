//! The shared forms of answers, as the OpenAPI document describes them.

use serde::Serialize;
use utoipa::ToSchema;

/// Every answer that is not 2xx, apart from 422 and 429.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorEnvelope {
    /// What went wrong, in one sentence.
    #[schema(example = "Not authenticated")]
    pub error: String,
    /// The text to show to a person.
    #[schema(example = "Not authenticated")]
    pub detail: String,
    /// Equal to the header `X-Request-ID` of the answer.
    #[schema(format = "uuid", example = "7f0c2b7e-3c1b-4f0e-9d55-0a6a3b0a9a51")]
    pub request_id: String,
    /// The stable word for a program.
    #[schema(example = "not_authenticated")]
    pub error_code: String,
}

/// 422: all failing inputs at once.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidationEnvelope {
    /// Always `Validation error`.
    #[schema(example = "Validation error")]
    pub error: String,
    /// One item for each failing input, in field order.
    pub detail: Vec<ValidationItem>,
    /// Equal to the header `X-Request-ID` of the answer.
    #[schema(format = "uuid", example = "7f0c2b7e-3c1b-4f0e-9d55-0a6a3b0a9a51")]
    pub request_id: String,
    /// Always `validation_error`.
    #[schema(example = "validation_error")]
    pub error_code: String,
}

/// One failing input. The submitted value is never part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidationItem {
    /// `body`, `query` or `path`, then field names and list indexes.
    #[schema(example = json!(["body", "email"]))]
    pub loc: Vec<LocationStep>,
    /// The sentence for a person.
    #[schema(example = "Field required")]
    pub msg: String,
    /// The stable word for a program.
    #[serde(rename = "type")]
    #[schema(example = "missing")]
    pub kind: String,
}

/// A step of a location: a name, or the index of a list element.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LocationStep {
    /// A part of the request or a field.
    Name(String),
    /// The index of a list element, or the byte offset of malformed JSON.
    Index(u64),
}

/// 429: the budget is used up.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateLimitedEnvelope {
    /// Always `Too many requests`.
    #[schema(example = "Too many requests")]
    pub error: String,
    /// The text to show to a person.
    #[schema(example = "Rate limit exceeded. Please try again in 60 seconds.")]
    pub detail: String,
    /// Equal to the header `X-Request-ID` of the answer.
    #[schema(format = "uuid", example = "7f0c2b7e-3c1b-4f0e-9d55-0a6a3b0a9a51")]
    pub request_id: String,
    /// Always `rate_limited`.
    #[schema(example = "rate_limited")]
    pub error_code: String,
    /// Seconds until the next attempt is worth making; equal to the header `Retry-After`.
    #[schema(example = 60)]
    pub retry_after: u64,
}

/// Alive, or ready.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// Always `ok`.
    #[schema(example = "ok")]
    pub status: &'static str,
}
