//! What handlers ask of their callers, as types.

use sme_pulse_domain::permission::Permission;

use crate::Principal;

/// Something a handler asks of its caller. A service writes its own; every [`Requires`] is one.
pub trait Requirement: 'static {
    /// Whether this caller may pass. Deny what is not known.
    fn is_met_by(caller: &Principal) -> bool;
}

impl<P: Requires> Requirement for P {
    fn is_met_by(caller: &Principal) -> bool {
        caller.may(P::PERMISSION)
    }
}

/// Asks for nothing but a token that counts, whatever roles its user has.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn;

impl Requirement for SignedIn {
    fn is_met_by(_: &Principal) -> bool {
        true
    }
}

/// A permission of the issuer as a type.
pub trait Requires: 'static {
    /// What the handler needs.
    const PERMISSION: Permission;
}

macro_rules! requirements {
    ($($name:ident),+ $(,)?) => {$(
        #[doc = concat!("Needs [`Permission::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Requires for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )+};
}

requirements!(
    UseOwnAccount,
    ReadUsers,
    WriteUsers,
    ManageInvitations,
    ReadOrganization,
    WriteOrganization,
    ReadAuditTrail,
    ReadPartners,
    WritePartners,
    ReadAccounts,
    WriteAccounts,
    ManageApiKeys,
    InspectTokens,
    RevokeTokens,
    FollowRevocations,
);
