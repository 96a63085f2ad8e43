//! Who may call a handler, read from the types of its arguments, so that route table, guard and documents cannot differ.
//! An extractor is either a guard, which comes first, or plain; one that is neither does not compile in a handler.

use actix_web::{
    FromRequest, HttpRequest,
    web::{Bytes, Data, Path},
};
use sme_pulse_auth::guard::Requires;
use sme_pulse_domain::permission::Permission;

use super::caller::{Caller, RecentCaller, Watcher};
use crate::{edge::RequestContext, input::Body};

/// An extractor that lets only some callers pass.
pub trait Guard: FromRequest {
    /// What they must be allowed.
    const PERMISSION: Permission;
    /// Within how many minutes they must have proved who they are.
    const MAX_AGE_MINUTES: Option<u32> = None;
}

impl<P: Requires> Guard for Caller<P> {
    const PERMISSION: Permission = P::PERMISSION;
}

impl<P: Requires, const MINUTES: u32> Guard for RecentCaller<P, MINUTES> {
    const PERMISSION: Permission = P::PERMISSION;
    const MAX_AGE_MINUTES: Option<u32> = Some(MINUTES);
}

impl<P: Requires> Guard for Watcher<P> {
    const PERMISSION: Permission = P::PERMISSION;
}

/// An extractor that says nothing about who may call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no plain argument of a handler",
    note = "a guard comes first and needs `get`, `post`, `put` or `delete`; a new extractor is listed in `signature.rs`"
)]
pub trait Plain: FromRequest {}

impl Plain for HttpRequest {}
impl Plain for super::repeatable::Repeatable {}
impl Plain for RequestContext {}
impl Plain for Body {}
impl Plain for Bytes {}
impl<T> Plain for Path<T> where Self: FromRequest {}
impl<T: ?Sized + 'static> Plain for Data<T> {}
impl<A: Plain + 'static, B: Plain + 'static> Plain for (A, B) {}
impl<A: Plain + 'static, B: Plain + 'static, C: Plain + 'static> Plain for (A, B, C) {}

/// The arguments of a handler for signed-in callers: a guard, then plain ones.
#[diagnostic::on_unimplemented(
    message = "the handler's arguments `{Self}` do not begin with a guard",
    note = "name the permission as `Caller<P>` in the first argument, or mount the handler for everybody with `open_get` or \
            `open_post`"
)]
pub trait Guarded: FromRequest {
    /// What the guard demands.
    const PERMISSION: Permission;
    /// Within how many minutes the caller must have proved who they are.
    const MAX_AGE_MINUTES: Option<u32>;
}

/// The arguments of a handler for everybody: plain ones only.
#[diagnostic::on_unimplemented(
    message = "the handler's arguments `{Self}` are not all plain",
    note = "a handler with a guard is mounted with `get`, `post`, `put` or `delete`"
)]
pub trait Open: FromRequest {}

impl Open for () {}

macro_rules! signatures {
    ($($($name:ident)*;)+) => {$(
        impl<G: Guard + 'static, $($name: Plain + 'static),*> Guarded for (G, $($name,)*) {
            const PERMISSION: Permission = G::PERMISSION;
            const MAX_AGE_MINUTES: Option<u32> = G::MAX_AGE_MINUTES;
        }

        impl<First: Plain + 'static, $($name: Plain + 'static),*> Open for (First, $($name,)*) {}
    )+};
}

signatures! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F H;
}
