//! The issues of one request, in the order in which they are reported.

use super::{Read, kinds::Fault};
use crate::error::{ApiError, Issue, Loc, Reason};

/// Collects issues under a location.
#[derive(Debug)]
pub(super) struct Report {
    at: Vec<Loc>,
    issues: Vec<Issue>,
}

impl Report {
    pub(super) fn new(at: Vec<Loc>) -> Self {
        Self { at, issues: Vec::new() }
    }

    /// A report for something inside.
    pub(super) fn inside(&self, step: Loc) -> Self {
        Self::new(self.place(&[step]))
    }

    pub(super) fn push(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    /// Adds an issue at a place below this report's own.
    pub(super) fn refuse(&mut self, below: &[Loc], fault: Fault) {
        let loc = self.place(below);
        self.push(Issue::new(loc, fault.msg, fault.kind));
    }

    /// Keeps the value or the issue.
    pub(super) fn keep<T>(&mut self, name: &'static str, result: Result<T, Fault>) -> Read<T> {
        result.map_err(|fault| self.refuse(&[Loc::Name(name)], fault)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.issues.is_empty()
    }

    pub(super) fn absorb(&mut self, inner: Self) {
        self.issues.extend(inner.issues);
    }

    /// The whole value if nothing was refused. Path first, then query, then body, each in the order of reading.
    pub(super) fn finish<T>(mut self, whole: impl FnOnce() -> Option<T>) -> Result<T, ApiError> {
        if self.issues.is_empty() {
            let lost = || ApiError::Internal(Reason("an input was lost without an issue".to_owned()));
            return whole().ok_or_else(lost);
        }
        self.issues.sort_by_key(|issue| match issue.loc.first() {
            Some(Loc::Name("path")) => 0,
            Some(Loc::Name("query")) => 1,
            _ => 2,
        });
        Err(ApiError::Invalid(self.issues))
    }

    /// The location of something below.
    pub(super) fn place(&self, below: &[Loc]) -> Vec<Loc> {
        self.at.iter().chain(below).cloned().collect()
    }
}
