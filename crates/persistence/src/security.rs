//! Whether the database itself keeps organizations apart.

use sea_orm::{ConnectionTrait, Statement};

use crate::{Engine, Store, StoreError};

/// What row-level security does for the connections that serve requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSecurity {
    /// The role they have.
    pub role: String,
    /// Whether it binds that role: superusers and roles with BYPASSRLS are bound by nothing.
    pub in_force: bool,
    /// Whether that role owns the tables, and so could open or drop it.
    pub owner: bool,
}

/// PostgreSQL itself says whether policies apply to the current role.
const STANDING: &str = "SELECT current_user::text AS role, row_security_active(c.oid) AS in_force, \
    pg_has_role(current_user, c.relowner, 'MEMBER') AS owner \
    FROM pg_class c WHERE c.oid = to_regclass('core.users')";

impl Store {
    /// How things stand; `None` on SQLite, which has nothing of the kind, and before the schema is there.
    pub async fn row_security(&self) -> Result<Option<RowSecurity>, StoreError> {
        if self.engine() == Engine::Sqlite {
            return Ok(None);
        }
        let pool = self.pool();
        let found = pool.query_one_raw(Statement::from_string(pool.get_database_backend(), STANDING)).await?;
        let read = |row: sea_orm::QueryResult| {
            Ok(RowSecurity {
                role: row.try_get("", "role")?,
                in_force: row.try_get("", "in_force")?,
                owner: row.try_get("", "owner")?,
            })
        };
        found.map(read).transpose()
    }
}
