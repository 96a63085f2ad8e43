//! `auth.sessions`.

use sea_orm::entity::prelude::*;

use crate::column::StoredUuid;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StoredUuid,
    pub user_id: i64,
    pub org_id: i64,
    pub expires_at: DateTimeUtc,
    pub last_seen_at: Option<DateTimeUtc>,
    pub refresh_counter: i64,
    pub revoked_at: Option<DateTimeUtc>,
    pub revoke_reason: Option<String>,
    pub client_ip: Option<String>,
    pub user_agent: Option<String>,
    pub authenticated_at: Option<DateTimeUtc>,
    pub amr: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl super::TenantOwned for Entity {
    fn tenant_column() -> Column {
        Column::OrgId
    }
}
