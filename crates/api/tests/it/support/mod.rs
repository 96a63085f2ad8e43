//! A running application over a database of its own, with time in the test's hands.

mod app;
mod clock;
mod member;

pub(crate) use app::{Answer, TestApp};
pub(crate) use member::Member;
