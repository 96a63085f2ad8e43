//! A page of a list: what is asked for, and how it is answered.

use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Page;

/// Most rows of one answer, unless a list says otherwise.
pub(super) const MAX_LIMIT: i64 = 500;

/// Rows left out and most rows returned, as the storage takes them.
pub(super) fn bounds(page: Page) -> (u64, u64) {
    let whole = |number| u64::try_from(number).unwrap_or_default();
    (whole(page.skip), whole(page.limit))
}

/// A part of the rows that match.
#[derive(Serialize, ToSchema)]
pub(super) struct PageView<T> {
    /// How many match.
    total: u64,
    /// How many were left out.
    skip: i64,
    /// How many are shown at most.
    limit: i64,
    /// The rows, newest first.
    items: Vec<T>,
}

impl<T> PageView<T> {
    /// The answer to a page of a list, each row as `view` shows it.
    pub(super) fn of<R>(page: Page, (total, rows): (u64, Vec<R>), view: impl Fn(&R) -> T) -> Self {
        Self { total, skip: page.skip, limit: page.limit, items: rows.iter().map(view).collect() }
    }

    /// The answer when nothing can match.
    pub(super) const fn empty(page: Page) -> Self {
        Self { total: 0, skip: page.skip, limit: page.limit, items: Vec::new() }
    }

    /// The same for rows that are nothing else afterwards.
    pub(super) fn from_rows<R: Into<T>>(page: Page, (total, rows): (u64, Vec<R>)) -> Self {
        Self { total, skip: page.skip, limit: page.limit, items: rows.into_iter().map(Into::into).collect() }
    }
}
