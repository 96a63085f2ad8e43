//! `auth.audit_log`.

use sea_orm::entity::prelude::*;

use crate::column::StoredUuid;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub org_id: Option<i64>,
    pub actor_user_id: Option<i64>,
    pub action: String,
    pub entity: Option<String>,
    pub entity_id: Option<i64>,
    pub before: Option<Json>,
    pub after: Option<Json>,
    pub request_id: Option<StoredUuid>,
    pub client_ip: Option<String>,
    pub seq: i64,
    pub prev_hash: Option<String>,
    pub hash: String,
    pub created_at: DateTimeUtc,
    pub encoding: i32,
    pub salts: Option<Json>,
    pub erased: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl super::TenantOwned for Entity {
    fn tenant_column() -> Column {
        Column::OrgId
    }
}
