//! Companies that sign up: what waits for its confirmation, of no tenant yet, and what becomes of it, a new tenant.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, NotSet,
    PaginatorTrait, QueryFilter, Statement,
};
use sme_pulse_domain::{email::Email, ids::OrgId, organization::Organization, role::Role, status::Status};

use super::exception;
use crate::{
    Store, StoreError, SystemTx,
    column::fixed_length_hash,
    entity::{organization, role, sign_up},
};

/// What a company signs up with. There is no `Debug`: hashes are not for logs.
#[derive(Clone)]
pub struct SignUpRow {
    /// The first owner's address.
    pub email: Email,
    /// The first owner's name.
    pub full_name: String,
    /// The hash of the first owner's password.
    pub password_hash: String,
    /// The organization.
    pub organization: NewOrganization,
}

/// An organization to be founded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Name of the company.
    pub name: String,
    /// Tax code, which no other may have.
    pub tax_code: Option<String>,
}

impl Store {
    /// Whether an organization has this tax code.
    #[expect(clippy::disallowed_methods, reason = "whoever signs up is in no tenant yet; it tells nothing but this")]
    pub async fn is_tax_code_taken(&self, tax_code: &str) -> Result<bool, StoreError> {
        const FUNCTION: &str = "SELECT auth.count_tax_code($1)";
        if let Some(call) = exception::call(self.pool(), FUNCTION, [tax_code.into()]) {
            return Ok(exception::changed(self.pool(), call).await? > 0);
        }
        let with_it =
            organization::Entity::find().filter(organization::Column::TaxCode.into_simple_expr().eq(tax_code));
        Ok(with_it.count(self.pool()).await? > 0)
    }

    /// Keeps a sign-up until it is confirmed by the token with this hash, or its time is up.
    pub async fn keep_sign_up(
        &self,
        new: &SignUpRow,
        token_hash: &str,
        (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        const FUNCTION: &str = "SELECT auth.keep_sign_up($1, $2, $3, $4, $5, $6, $7, $8)";
        let NewOrganization { name, tax_code } = new.organization.clone();
        let values = [
            new.email.as_str().into(),
            new.full_name.as_str().into(),
            new.password_hash.as_str().into(),
            name.into(),
            tax_code.into(),
            token_hash.into(),
            expires_at.into(),
            now.into(),
        ];
        if let Some(call) = exception::call(self.pool(), FUNCTION, values) {
            exception::changed(self.pool(), call).await?;
            return Ok(());
        }
        let row = sign_up::ActiveModel {
            id: NotSet,
            email: Set(new.email.as_str().to_owned()),
            full_name: Set(new.full_name.clone()),
            password_hash: Set(new.password_hash.clone()),
            organization_name: Set(new.organization.name.clone()),
            tax_code: Set(new.organization.tax_code.clone()),
            token_hash: Set(token_hash.to_owned()),
            expires_at: Set(expires_at),
            created_at: Set(now),
            updated_at: Set(now),
        };
        sign_up::Entity::insert(row).exec_without_returning(self.pool()).await?;
        Ok(())
    }
}

impl SystemTx {
    /// Takes the sign-up that a live token belongs to, in one step with the check; of several who try, one gets it.
    #[expect(clippy::disallowed_methods, reason = "of no tenant, and found by a unique key")]
    pub async fn take_sign_up(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<SignUpRow>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.take_sign_up($1, $2)";
        let taken = match exception::call(self.connection(), FUNCTION, [token_hash.into(), now.into()]) {
            Some(call) => exception::rows::<sign_up::Model>(self.connection(), call).await?,
            None => {
                sign_up::Entity::delete_many()
                    .filter(sign_up::Column::TokenHash.into_simple_expr().eq(fixed_length_hash(token_hash)))
                    .filter(sign_up::Column::ExpiresAt.into_simple_expr().gt(now))
                    .exec_with_returning(self.connection())
                    .await?
            }
        };
        Ok(taken.into_iter().next().map(|row| SignUpRow {
            email: Email::stored(row.email),
            full_name: row.full_name,
            password_hash: row.password_hash,
            organization: NewOrganization { name: row.organization_name, tax_code: row.tax_code },
        }))
    }

    /// Founds an organization. A taken tax code is `StoreError::is_duplicate_of("tax_code")`.
    pub async fn found(&self, new: &NewOrganization, now: DateTime<Utc>) -> Result<Organization, StoreError> {
        const FUNCTION: &str = "SELECT auth.create_organization($1, $2, $3)";
        let NewOrganization { name, tax_code } = new.clone();
        let values = [name.clone().into(), tax_code.clone().into(), now.into()];
        if let Some(call) = exception::call(self.connection(), FUNCTION, values) {
            let row = self.connection().query_one_raw(call).await?.ok_or(StoreError::Unreadable("organization"))?;
            return Ok(founded(row.try_get_by_index(0)?, name, tax_code));
        }
        let row = organization::ActiveModel {
            id: NotSet,
            name: Set(new.name.clone()),
            tax_code: Set(new.tax_code.clone()),
            address: Set(None),
            phone: Set(None),
            email: Set(None),
            status: Set(Status::Active.as_str().to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let row = row.insert(self.connection()).await?;
        Ok(founded(row.id, name, tax_code))
    }

    /// Makes sure that the roles exist, which `seed` need not have written: nobody could be an owner without.
    #[expect(clippy::disallowed_methods, reason = "roles belong to no tenant")]
    pub async fn ensure_roles(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        const ADD: &str = "INSERT INTO roles (code, name, description, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $4) ON CONFLICT (code) DO NOTHING";
        let known = role::Entity::find().all(self.connection()).await?;
        let backend = self.connection().get_database_backend();
        for role in Role::ALL.into_iter().filter(|role| known.iter().all(|known| known.code != role.code())) {
            let values = [role.code().into(), role.name().into(), role.description().into(), now.into()];
            let call = exception::call(self.connection(), "SELECT auth.add_role($1, $2, $3, $4)", values.clone());
            let add = call.unwrap_or_else(|| Statement::from_sql_and_values(backend, ADD, values));
            self.connection().execute_raw(add).await?;
        }
        Ok(())
    }
}

fn founded(id: i64, name: String, tax_code: Option<String>) -> Organization {
    let id = OrgId::new(id);
    Organization { id, name, tax_code, address: None, phone: None, email: None, status: Status::Active }
}
