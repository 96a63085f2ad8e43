//! Adding a user: the row and the roles. Also for those who create an organization, and so have no scope in it yet.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, NotSet};
use sme_pulse_domain::{
    ids::{OrgId, UserId},
    person::NewPerson,
    tenant::TenantScope,
};

use super::roles;
use crate::{StoreError, connection::Transaction, entity::user};

/// Adds a user who is at home in this organization, with roles there.
pub(crate) async fn create_user(
    tx: &Transaction,
    org: OrgId,
    new: &NewPerson,
    now: DateTime<Utc>,
) -> Result<UserId, StoreError> {
    let row = user::ActiveModel {
        id: NotSet,
        org_id: Set(org.get()),
        email: Set(new.email.as_str().to_owned()),
        password_hash: Set(new.password_hash.clone()),
        full_name: Set(new.full_name.clone()),
        status: Set(new.status.as_str().to_owned()),
        last_login_at: Set(None),
        password_changed_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let user = UserId::new(row.insert(tx).await?.id);
    roles::set(tx, (user, scope_of(org)), &new.roles, now).await?;
    Ok(user)
}

#[expect(clippy::disallowed_methods, reason = "the organization in which the user has just been written")]
const fn scope_of(org: OrgId) -> TenantScope {
    TenantScope::assume_verified(org, None)
}
