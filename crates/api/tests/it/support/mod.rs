//! A running application over a database of its own, with time in the test's hands.

mod app;
mod clock;
mod factor;
mod feed;
mod mails;
mod member;
mod mint;
mod people;
mod post;
mod process;
mod raw;
mod statements;

pub(crate) use app::{Answer, HASH, PASSWORD, TestApp};
pub(crate) use clock::TestClock;
pub(crate) use factor::{Holder, VERIFY, assert_refused, assert_wrong};
pub(crate) use feed::{Feed, REVOCATIONS, opened, shared_secret};
pub(crate) use mails::{link_token, mails_in, token_in};
pub(crate) use member::Member;
pub(crate) use mint::{HEADER, claims, claims_but, mint, mint_text, part, sign_with};
pub(crate) use people::{USERS, new_user, user_path};
pub(crate) use post::Post;
pub(crate) use process::Process;
