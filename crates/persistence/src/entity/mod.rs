//! SeaORM rows, one file a table, private to this crate: columns never become API.
#![expect(unreachable_pub, reason = "the derives of SeaORM make their types public")]

pub(crate) mod account;
pub(crate) mod api_key;
pub(crate) mod audit_checkpoint;
pub(crate) mod audit_head;
pub(crate) mod audit_log;
pub(crate) mod customer;
pub(crate) mod given_password;
pub(crate) mod guess_counter;
pub(crate) mod idempotency_key;
pub(crate) mod invitation;
pub(crate) mod membership;
pub(crate) mod mfa_challenge;
pub(crate) mod mfa_factor;
pub(crate) mod mfa_recovery_code;
pub(crate) mod organization;
pub(crate) mod password_reset_token;
pub(crate) mod payment;
pub(crate) mod role;
pub(crate) mod service_account;
pub(crate) mod session;
pub(crate) mod sign_up;
pub(crate) mod signing_key;
pub(crate) mod supplier;
pub(crate) mod user;
pub(crate) mod user_role;

use sea_orm::{DeleteMany, QueryFilter, Select, UpdateMany, prelude::*};
use sme_pulse_domain::tenant::TenantScope;

/// A table whose rows belong to one organization.
pub(crate) trait TenantOwned: EntityTrait {
    /// The column that names the organization.
    fn tenant_column() -> Self::Column;

    /// The only read of such a table that the lints allow.
    #[expect(clippy::disallowed_methods, reason = "this adds the filter the lint is about")]
    fn within(scope: TenantScope) -> Select<Self> {
        Self::find().filter(Self::tenant_column().eq(scope.org().get()))
    }

    /// The only update of such a table that the lints allow.
    #[expect(clippy::disallowed_methods, reason = "this adds the filter the lint is about")]
    fn update_within(scope: TenantScope) -> UpdateMany<Self> {
        Self::update_many().filter(Self::tenant_column().eq(scope.org().get()))
    }

    /// The only deletion from such a table that the lints allow.
    #[expect(clippy::disallowed_methods, reason = "this adds the filter the lint is about")]
    fn delete_within(scope: TenantScope) -> DeleteMany<Self> {
        Self::delete_many().filter(Self::tenant_column().eq(scope.org().get()))
    }
}
