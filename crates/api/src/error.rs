//! Errors to answers, once: every failure of the shell and of the layers below becomes one [`ApiError`], and one
//! `match` without a wildcard arm gives it its status, code and text (section 3 of the contract).

use std::fmt;

/// One item of a 422 answer. It never holds the submitted value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Where: `body`, `query` or `path` first, then names and list indexes.
    pub loc: Vec<Loc>,
    /// The sentence a person reads.
    pub msg: String,
    /// The stable word a program reads.
    pub kind: &'static str,
}

/// A step of a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loc {
    /// A part of the request or a field name.
    Name(&'static str),
    /// A list index, or the byte offset of malformed JSON.
    Index(usize),
}

impl Issue {
    /// An issue at a place.
    pub fn new(loc: Vec<Loc>, msg: impl Into<String>, kind: &'static str) -> Self {
        Self { loc, msg: msg.into(), kind }
    }
}

/// Everything that can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request line or query is not decodable, or the framing is ambiguous.
    #[error("malformed request: {0}")]
    BadRequest(&'static str),
    /// One or more inputs are wrong.
    #[error("{} input(s) refused", .0.len())]
    Invalid(Vec<Issue>),
    /// No such path or row; the text is shown (`Not Found`, `Invoice not found`).
    #[error("{0}")]
    NotFound(&'static str),
    /// The path exists, the method does not; the value of `Allow`.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// The body is over the limit.
    #[error("request body too large")]
    TooLarge,
    /// A budget is used up; the window in seconds.
    #[error("rate limit exceeded")]
    RateLimited(u64),
    /// The handler took longer than allowed.
    #[error("the handler exceeded its time")]
    TimedOut,
    /// A preflight from an origin that is not allowed.
    #[error("origin not allowed")]
    DisallowedOrigin,
    /// A fault of our own.
    #[error("internal error: {0}")]
    Internal(Reason),
}

/// The text of an internal error; for the log only.
#[derive(Debug)]
pub struct Reason(pub String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
