//! Invitations into an organization. One is found by its token alone, before a tenant is known; everything else is done
//! inside the organization that it leads to.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, IntoSimpleExpr, NotSet,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType},
};
use sme_pulse_domain::{
    email::Email,
    ids::{InvitationId, OrgId, UserId},
    invitation::{Invitation, InvitationStatus},
    role::RoleSet,
    tenant::TenantScope,
};

use super::{exception, search::contains};
use crate::{
    Store, StoreError, TenantTx,
    column::fixed_length_hash,
    connection::Transaction,
    entity::{
        TenantOwned,
        invitation::{ActiveModel, Column, Entity, Model},
        organization,
    },
};

/// Invitations inside a transaction.
pub struct Invitations<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// An invitation to be stored. There is no `Debug`: it holds a hash.
pub struct NewInvitation<'a> {
    /// Whom.
    pub email: &'a Email,
    /// The roles that they will have.
    pub roles: &'a RoleSet,
    /// Its link.
    pub renewal: Renewal<'a>,
}

/// A link of an invitation, in place of the one before. There is no `Debug`.
#[derive(Clone, Copy)]
pub struct Renewal<'a> {
    /// The SHA-256 of the token, in 64 hexadecimal digits.
    pub token_hash: &'a str,
    /// Who sends it.
    pub by: UserId,
    /// Now.
    pub at: DateTime<Utc>,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
}

/// What the holder of a live link may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The name of the organization, which is active.
    pub organization: String,
}

/// Which invitations are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// What has become of them.
    pub status: Option<InvitationStatus>,
    /// A part of the address, in any letter case.
    pub search: Option<String>,
}

impl Store {
    /// The invitation that a live token belongs to, into an active organization.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever has the token is in no tenant yet; it finds one invitation by a unique key"
    )]
    pub async fn invitation_by_token(
        &self,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<ShownInvitation>, StoreError> {
        const FUNCTION: &str = "SELECT * FROM auth.find_invitation($1, $2)";
        if let Some(call) = exception::call(self.pool(), FUNCTION, [token_hash.into(), now.into()]) {
            let shown = |Shown { row, organization }| ShownInvitation { invitation: to_domain(row), organization };
            return Ok(exception::rows::<Shown>(self.pool(), call).await?.into_iter().next().map(shown));
        }
        let with_token = Column::TokenHash.into_simple_expr().eq(fixed_length_hash(token_hash));
        let row = Entity::find().filter(with_token).filter(is_pending(now)).one(self.pool()).await?;
        let Some(row) = row else { return Ok(None) };
        let organization = organization::Entity::find()
            .filter(organization::Column::Id.into_simple_expr().eq(row.org_id))
            .filter(organization::Column::Status.into_simple_expr().eq("active"))
            .one(self.pool())
            .await?;
        Ok(organization.map(|sheet| ShownInvitation { invitation: to_domain(row), organization: sheet.name }))
    }
}

/// What `auth.find_invitation` returns.
#[derive(FromQueryResult)]
struct Shown {
    #[sea_orm(nested)]
    row: Model,
    organization: String,
}

impl TenantTx {
    /// The invitations into this organization.
    pub const fn invitations(&self) -> Invitations<'_> {
        Invitations { tx: self.connection(), scope: self.scope() }
    }
}

impl Invitations<'_> {
    /// How many match, and a part of them, newest first.
    pub async fn list(
        &self,
        filter: &InvitationFilter,
        (skip, limit): (u64, u64),
        now: DateTime<Utc>,
    ) -> Result<(u64, Vec<Invitation>), StoreError> {
        let matching = Entity::within(self.scope).filter(filter.condition(now, self.tx.get_database_backend()));
        let total = matching.clone().count(self.tx).await?;
        let newest = matching.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).offset(skip).limit(limit);
        Ok((total, newest.all(self.tx).await?.into_iter().map(to_domain).collect()))
    }

    /// The invitation.
    pub async fn find(&self, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        Ok(Entity::within(self.scope).filter(is(id)).one(self.tx).await?.map(to_domain))
    }

    /// The same, locked until the transaction ends.
    pub async fn find_for_update(&self, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        let row = Entity::within(self.scope).filter(is(id)).lock(LockType::Update).one(self.tx).await?;
        Ok(row.map(to_domain))
    }

    /// Whether another invitation of this address is pending.
    pub async fn is_pending(
        &self,
        email: &Email,
        but: Option<InvitationId>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut pending = Entity::within(self.scope)
            .filter(Column::Email.into_simple_expr().eq(email.as_str()))
            .filter(is_pending(now));
        if let Some(but) = but {
            pending = pending.filter(Column::Id.into_simple_expr().ne(but.get()));
        }
        Ok(pending.count(self.tx).await? > 0)
    }

    /// Stores an invitation.
    pub async fn add(&self, new: &NewInvitation<'_>) -> Result<Invitation, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            org_id: Set(self.scope.org().get()),
            email: Set(new.email.as_str().to_owned()),
            roles: Set(new.roles.codes()),
            token_hash: Set(new.renewal.token_hash.to_owned()),
            expires_at: Set(new.renewal.expires_at),
            accepted_at: Set(None),
            revoked_at: Set(None),
            invited_by: Set(Some(new.renewal.by.get())),
            accepted_by: Set(None),
            created_at: Set(new.renewal.at),
            updated_at: Set(new.renewal.at),
        };
        Ok(to_domain(row.insert(self.tx).await?))
    }

    /// Puts another link in the place of the one before.
    pub async fn renew(&self, id: InvitationId, renewal: Renewal<'_>) -> Result<(), StoreError> {
        let changes = ActiveModel {
            token_hash: Set(renewal.token_hash.to_owned()),
            expires_at: Set(renewal.expires_at),
            invited_by: Set(Some(renewal.by.get())),
            updated_at: Set(renewal.at),
            ..Default::default()
        };
        Entity::update_within(self.scope).set(changes).filter(is(id)).exec(self.tx).await?;
        Ok(())
    }

    /// Takes an invitation back.
    pub async fn revoke(&self, id: InvitationId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let changes = ActiveModel { revoked_at: Set(Some(now)), updated_at: Set(now), ..Default::default() };
        Entity::update_within(self.scope).set(changes).filter(is(id)).exec(self.tx).await?;
        Ok(())
    }

    /// Uses a live token up, in one step with the check; of several who try, one gets the invitation.
    pub async fn use_up(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<Invitation>, StoreError> {
        let used = Entity::update_within(self.scope)
            .set(ActiveModel { accepted_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
            .filter(Column::TokenHash.into_simple_expr().eq(fixed_length_hash(token_hash)))
            .filter(is_pending(now))
            .exec_with_returning(self.tx)
            .await?;
        Ok(used.into_iter().next().map(to_domain))
    }

    /// Notes who has joined by it.
    pub async fn accepted_by(&self, id: InvitationId, user: UserId) -> Result<(), StoreError> {
        let changes = ActiveModel { accepted_by: Set(Some(user.get())), ..Default::default() };
        Entity::update_within(self.scope).set(changes).filter(is(id)).exec(self.tx).await?;
        Ok(())
    }
}

impl InvitationFilter {
    fn condition(&self, now: DateTime<Utc>, backend: DbBackend) -> Condition {
        let is_null = |column: Column| column.into_simple_expr().is_null();
        let by_status = match self.status {
            None => Condition::all(),
            Some(InvitationStatus::Pending) => is_pending(now),
            Some(InvitationStatus::Accepted) => Condition::all().add(is_null(Column::AcceptedAt).not()),
            Some(InvitationStatus::Revoked) => {
                Condition::all().add(is_null(Column::AcceptedAt)).add(is_null(Column::RevokedAt).not())
            }
            Some(InvitationStatus::Expired) => Condition::all()
                .add(is_null(Column::AcceptedAt))
                .add(is_null(Column::RevokedAt))
                .add(Column::ExpiresAt.into_simple_expr().lte(now)),
        };
        let Some(search) = &self.search else { return by_status };
        by_status.add(contains(backend, Column::Email.into_simple_expr(), search))
    }
}

fn is(id: InvitationId) -> Expr {
    Column::Id.into_simple_expr().eq(id.get())
}

fn is_pending(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::AcceptedAt.into_simple_expr().is_null())
        .add(Column::RevokedAt.into_simple_expr().is_null())
        .add(Column::ExpiresAt.into_simple_expr().gt(now))
}

fn to_domain(row: Model) -> Invitation {
    Invitation {
        id: InvitationId::new(row.id),
        org: OrgId::new(row.org_id),
        email: Email::stored(row.email),
        roles: RoleSet::stored(&row.roles),
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
        invited_by: row.invited_by.map(UserId::new),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
