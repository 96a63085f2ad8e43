//! The organizations that one person belongs to: the one look-up that goes across tenants for somebody who is known.

use sea_orm::{ConnectionTrait, Statement};
use sme_pulse_domain::{
    ids::{OrgId, UserId},
    organization::Place,
    role::Role,
};

use super::exception;
use crate::{Store, StoreError};

/// On SQLite. One row a role; who holds none somewhere has one row for it. Home comes first, then the order of joining.
const PLACES: &str = "SELECT o.id, o.name, p.away, r.code FROM ( \
        SELECT u.org_id AS org_id, u.created_at AS since, 0 AS away FROM users AS u WHERE u.id = $1 \
        UNION ALL \
        SELECT m.org_id, m.created_at, 1 FROM memberships AS m JOIN users AS u ON u.id = m.user_id \
            WHERE m.user_id = $1 AND m.status = 'active' AND m.org_id <> u.org_id \
    ) AS p JOIN organizations AS o ON o.id = p.org_id AND o.status = 'active' \
    LEFT JOIN user_roles AS h ON h.user_id = $1 AND h.org_id = o.id LEFT JOIN roles AS r ON r.id = h.role_id \
    ORDER BY p.away, p.since, o.id, r.id";

impl Store {
    /// The active organizations of this person: home first if it is among them, then in the order of joining.
    pub async fn places_of(&self, user: UserId) -> Result<Vec<Place>, StoreError> {
        let pool = self.pool();
        let call = exception::call(pool, "SELECT * FROM auth.places_of($1)", [user.get().into()]);
        let statement = call.unwrap_or_else(|| {
            Statement::from_sql_and_values(pool.get_database_backend(), PLACES, [user.get().into()])
        });
        let mut places: Vec<(Place, Vec<_>)> = Vec::new();
        for row in pool.query_all_raw(statement).await? {
            let org = OrgId::new(row.try_get_by_index(0)?);
            let away: i32 = row.try_get_by_index(2)?;
            let code: Option<String> = row.try_get_by_index(3)?;
            if places.last().is_none_or(|(last, _)| last.org != org) {
                let place = Place {
                    org,
                    name: row.try_get_by_index(1)?,
                    roles: std::iter::empty().collect(),
                    is_home: away == 0,
                };
                places.push((place, Vec::new()));
            }
            if let Some((_, roles)) = places.last_mut() {
                // A role this binary does not know (written by a newer one) grants nothing.
                roles.extend(code.and_then(|code| code.parse::<Role>().ok()));
            }
        }
        Ok(places.into_iter().map(|(place, roles)| Place { roles: roles.into_iter().collect(), ..place }).collect())
    }
}
