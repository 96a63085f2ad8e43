//! The second factor: completing a log-in with it, and a signed-in user's management of their own.

pub(super) mod confirm;
pub(super) mod disable;
pub(super) mod enrol;
pub(super) mod recovery_codes;
pub(super) mod status;
pub(super) mod verify;
mod view;
