//! What the routes of people answer.

use serde::Serialize;
use sme_pulse_domain::{person::Person, role::Role};
use utoipa::ToSchema;

use crate::routes::timestamp;

/// A user, as an organization sees them.
#[derive(Serialize, ToSchema)]
pub(in crate::routes) struct PersonView {
    /// Key.
    id: i64,
    /// Address in normal form.
    #[schema(example = "ann@example.com")]
    email: String,
    /// Name, if given.
    full_name: Option<String>,
    /// The caller's organization.
    org_id: i64,
    /// `active` or `inactive`; for a member from another organization, inactive if either the account or the membership is.
    #[schema(example = "active")]
    status: &'static str,
    /// Role codes held in this organization, ordered by role id.
    #[schema(example = json!(["owner", "admin"]))]
    roles: Vec<&'static str>,
    /// When they were added, or joined.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    created_at: String,
    /// When that last changed.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    updated_at: String,
    /// The last log-in.
    #[schema(format = DateTime, example = "2025-11-20T08:15:30.123456Z")]
    last_login: Option<String>,
}

/// A password has been set.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordSetView {
    /// What was done.
    #[schema(example = "Password reset")]
    pub(super) message: &'static str,
    /// 16 random characters, shown once; only if no password was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temporary_password: Option<String>,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id.get(),
            status: person.status().as_str(),
            email: person.email.as_str().to_owned(),
            full_name: person.full_name,
            org_id: person.org.get(),
            roles: person.roles.iter().map(Role::code).collect(),
            created_at: timestamp(person.created_at),
            updated_at: timestamp(person.updated_at),
            last_login: person.last_login_at.map(timestamp),
        }
    }
}
