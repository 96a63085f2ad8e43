//! The items of a 422 answer: where, what, and the stable word for it.

use serde::Serialize;

/// One item of a 422 answer. It never holds the submitted value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// Where: `body`, `query` or `path` first, then names and list indexes.
    pub loc: Vec<Loc>,
    /// The sentence a person reads.
    pub msg: String,
    /// The stable word a program reads.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// A step of a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
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
