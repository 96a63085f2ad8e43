//! Reading a query string parameter by parameter, with the same issues as a body.

use actix_web::HttpRequest;

use super::{
    Read,
    kinds::{Fault, Kind, integer},
    report::Report,
};
use crate::error::{ApiError, Loc};

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows left out.
    pub skip: i64,
    /// Most rows returned.
    pub limit: i64,
}

impl Page {
    /// The limit when none is given.
    pub const DEFAULT_LIMIT: i64 = 100;
}

/// A decoded query string being read. Of a repeated parameter the last counts; unknown ones are ignored.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
    report: Report,
}

impl Query {
    /// Decodes the query of a request; malformed percent-encoding and UTF-8 is a bad request.
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        Self::parse(request.query_string())
    }

    /// Decodes a query string.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        let pairs = pairs.collect::<Option<_>>().ok_or(ApiError::BadRequest("query encoding"))?;
        Ok(Self { pairs, report: Report::new(vec![Loc::Name("query")]) })
    }

    /// A parameter that must be there.
    pub fn required<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<K::Value> {
        let result = self.find::<K>(name).ok_or_else(Fault::missing).and_then(|text| kind.query(text));
        self.report.keep(name, result)
    }

    /// A parameter that may be absent; an empty filter is.
    pub fn optional<K: Kind>(&mut self, name: &'static str, kind: K) -> Read<Option<K::Value>> {
        let result = self.find::<K>(name).map(|text| kind.query(text)).transpose();
        self.report.keep(name, result)
    }

    /// A parameter with a default.
    pub fn or<K: Kind>(&mut self, name: &'static str, kind: K, default: K::Value) -> Read<K::Value> {
        self.optional(name, kind).map(|value| value.unwrap_or(default))
    }

    /// `skip` and `limit`, where `max_limit` is the largest limit allowed.
    pub fn page(&mut self, max_limit: i64) -> Read<Page> {
        let skip = self.or("skip", integer(0, i64::MAX), 0);
        let limit = self.or("limit", integer(1, max_limit), Page::DEFAULT_LIMIT.min(max_limit));
        Some(Page { skip: skip?, limit: limit? })
    }

    /// The integer in the request's path; it is reported before the parameters.
    pub fn path_id(&mut self, request: &HttpRequest, name: &'static str) -> Read<i64> {
        super::path::read(request, name).map_err(|issue| self.report.push(issue)).ok()
    }

    /// Notes a rule that spans parameters, at one of them or, with an empty `below`, at the query.
    pub fn refuse(&mut self, below: &[Loc], msg: &'static str) {
        self.report.refuse(below, Fault::value(msg));
    }

    /// All issues as one error, or what `whole` makes of the parameters.
    pub fn finish<T>(self, whole: impl FnOnce() -> Option<T>) -> Result<T, ApiError> {
        self.report.finish(whole)
    }

    fn find<K: Kind>(&self, name: &str) -> Option<&str> {
        let value = self.pairs.iter().rev().find_map(|(key, value)| (key == name).then_some(value.as_str()));
        value.filter(|text| !(K::EMPTY_IS_ABSENT && text.is_empty()))
    }
}

/// `None` for a malformed escape or when the result is not UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = after.split_at_checked(2)?;
                rest = after;
                escape(digits)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn escape(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, &digit| {
        let digit = u8::try_from(char::from(digit).to_digit(16)?).ok()?;
        value.checked_mul(16)?.checked_add(digit)
    })
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
