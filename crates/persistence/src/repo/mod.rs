//! Queries of one aggregate a file, and the conversion between its rows and domain values.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod challenges;
pub(crate) mod exception;
pub(crate) mod expired;
pub(crate) mod factors;
pub(crate) mod given_passwords;
pub(crate) mod guesses;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod invitations;
pub(crate) mod last_seen;
pub(crate) mod newcomers;
pub(crate) mod organizations;
pub(crate) mod partners;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod places;
pub(crate) mod refresh;
pub(crate) mod rotate;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod sign_ups;
