//! The refresh that everybody makes: the newest token of a session whose user may go on, in one statement that writes
//! and reads. It has no row for anything else, and has written nothing then; `refresh.rs` reads what there is to judge.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Statement, prelude::DateTimeUtc};
use sme_pulse_domain::{
    email::Email,
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    session::Session,
    status::Status,
    user::User,
};

use super::refresh::RefreshRow;
use crate::{Engine, Store, StoreError, column::StoredUuid};

/// The whole step is a function of the database, since no tenant is known before it. What the tokens will say is what it
/// returns, so the conditions and the answer are of one moment.
const ROTATE: &str = "SELECT * FROM auth.step_refresh($1, $2, $3, $4, $5, $6)";

/// The step from one refresh token to the next, and what it does to the session's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The session.
    pub session: SessionId,
    /// The number of the token that is used up.
    pub from: i64,
    /// The number of the token that takes its place.
    pub to: i64,
    /// When the session ends if nobody refreshes it again.
    pub idle_end: DateTime<Utc>,
    /// How long it may last from its opening, however often it is refreshed.
    pub longest: TimeDelta,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Takes the step if the token is the newest of a live session, and its user and organization are active and the user
    /// still belongs to it; the session as it is after that. `None` when it is not so, and always on SQLite, where a second
    /// statement costs no round trip: nothing has been written then.
    pub async fn step_refresh(&self, step: Step) -> Result<Option<RefreshRow>, StoreError> {
        let longest = match (self.engine(), step.longest.num_microseconds()) {
            (Engine::Postgres, Some(longest)) => longest,
            // Too long a time for PostgreSQL; the way over two statements can reckon with it.
            (Engine::Postgres, None) | (Engine::Sqlite, _) => return Ok(None),
        };
        let values = [
            StoredUuid(step.session.get()).into(),
            step.from.into(),
            step.to.into(),
            step.at.into(),
            step.idle_end.into(),
            longest.into(),
        ];
        let pool = self.pool();
        let statement = Statement::from_sql_and_values(pool.get_database_backend(), ROTATE, values);
        pool.query_one_raw(statement).await?.map(|row| into_domain(&row, step)).transpose()
    }
}

/// By position: the driver looks names up in a map, for every column of every row.
fn into_domain(row: &QueryResult, step: Step) -> Result<RefreshRow, StoreError> {
    let org = OrgId::new(row.try_get_by_index(0)?);
    let created_at: DateTimeUtc = row.try_get_by_index(1)?;
    let user = UserId::new(row.try_get_by_index(7)?);
    let amr: Option<String> = row.try_get_by_index(6)?;
    let roles: Option<String> = row.try_get_by_index(12)?;
    Ok(RefreshRow {
        session: Session {
            id: step.session,
            user,
            org,
            created_at,
            expires_at: row.try_get_by_index(2)?,
            last_seen_at: Some(step.at),
            client_ip: row.try_get_by_index(3)?,
            user_agent: row.try_get_by_index(4)?,
            revoked_at: None,
            authenticated_at: row.try_get_by_index::<Option<DateTimeUtc>>(5)?.unwrap_or(created_at),
            methods: amr.as_deref().map_or(Methods::PASSWORD, Methods::stored),
        },
        counter: step.to,
        user: User {
            id: user,
            org: OrgId::new(row.try_get_by_index(8)?),
            email: Email::stored(row.try_get_by_index(9)?),
            full_name: row.try_get_by_index(10)?,
            status: Status::Active,
            last_login_at: row.try_get_by_index(11)?,
        },
        org_status: Status::Active,
        is_member: true,
        // A role this binary does not know (written by a newer one) grants nothing.
        roles: roles.iter().flat_map(|codes| codes.split(' ')).filter_map(|code| code.parse().ok()).collect(),
    })
}
