//! Queries of one aggregate a file, and the conversion between its rows and domain values.

pub(crate) mod audit;
pub(crate) mod challenges;
pub(crate) mod factors;
pub(crate) mod identity;
pub(crate) mod organizations;
pub(crate) mod sessions;
