//! `GET /api/v1/audit`: the organization's own events, newest first; owners and admins only.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, Utc};
use sme_pulse_auth::{guard::ReadAuditTrail, service::AuthService};
use sme_pulse_domain::ids::UserId;
use sme_pulse_persistence::AuditFilter;

use super::view::AuditEventView;
use crate::{
    error::ApiError,
    input::{DATE, ID, Page, Query, untrimmed},
    routes::{
        caller::Caller,
        page::{MAX_LIMIT, PageView, bounds},
    },
};

/// The organization's events that match, newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "listAuditEvents", tag = "audit",
    security(("bearer" = [])),
    params(
        ("skip" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 500, description = "How many to show, 1 to 500; 100 unless given"),
        ("action" = Option<String>, Query, description = "What happened, such as `auth.log_in`"),
        ("actor_user_id" = Option<i64>, Query, description = "Who did it"),
        ("entity" = Option<String>, Query, description = "The kind of row, such as `users`"),
        ("entity_id" = Option<i64>, Query, description = "The key of the row"),
        ("start_date" = Option<String>, Query, format = Date, description = "First day (UTC), `YYYY-MM-DD`"),
        ("end_date" = Option<String>, Query, format = Date, description = "Last day (UTC), `YYYY-MM-DD`"),
    ),
    responses(
        (status = 200, description = "The events", body = PageView<AuditEventView>),
        (status = 400, description = "A malformed query", body = crate::docs::schemas::ErrorEnvelope),
        (status = 401, description = "Not signed in", body = crate::docs::schemas::ErrorEnvelope),
        (status = 403, description = "No role allows it", body = crate::docs::schemas::ErrorEnvelope),
        (status = 422, description = "A wrong filter", body = crate::docs::schemas::ValidationEnvelope),
        (status = 503, description = "Temporarily unavailable", body = crate::docs::schemas::ErrorEnvelope),
    ))]
pub(super) async fn handle(
    caller: Caller<ReadAuditTrail>,
    req: HttpRequest,
    auth: Data<AuthService>,
) -> Result<Json<PageView<AuditEventView>>, ApiError> {
    let (filter, page) = read(Query::of(&req)?)?;
    let found = auth.audit_events(caller.principal(), &filter, bounds(page)).await?;
    Ok(Json(PageView::from_rows(page, found)))
}

/// Later ones have five digits, which do not sort as text.
const LAST_YEAR: i32 = 9999;

fn read(mut query: Query) -> Result<(AuditFilter, Page), ApiError> {
    let page = query.page(MAX_LIMIT);
    // A word of any length may be asked for; the unknown ones match nothing.
    let word = untrimmed(0, usize::MAX);
    let (action, actor) = (query.optional("action", word), query.optional("actor_user_id", ID));
    let (entity, entity_id) = (query.optional("entity", word), query.optional("entity_id", ID));
    let (first, last) = (query.optional("start_date", DATE), query.optional("end_date", DATE));
    query.finish(|| {
        let filter = AuditFilter {
            action: action?,
            actor: actor?.map(UserId::new),
            entity: entity?,
            entity_id: entity_id?,
            from: first?.map(midnight),
            before: last?.and_then(day_after).map(midnight),
        };
        Some((filter, page?))
    })
}

/// `None` after the last day that both databases can store, where there is nothing to leave out.
fn day_after(day: NaiveDate) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(1)).filter(|next| next.year() <= LAST_YEAR)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
