//! What the audit trail keeps about changes of people: names and words, never a password.

use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    ids::{OrgId, UserId},
    person::Person,
    role::{Role, RoleSet},
    status::Status,
};

use crate::Principal;

/// Who makes a change, and in which organization; nobody stands for the operator.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub(super) actor: Option<UserId>,
    pub(super) org: OrgId,
}

impl From<&Principal> for By {
    fn from(caller: &Principal) -> Self {
        Self { actor: Some(caller.user_id()), org: caller.org_id() }
    }
}

pub(super) fn created(by: By, person: &Person, origin: &Origin) -> AuditEvent {
    let after = [
        ("email", Some(person.email.as_str().to_owned())),
        ("full_name", person.full_name.clone()),
        ("roles", Some(codes(&person.roles))),
    ];
    AuditEvent {
        after: Some(details(after)),
        personal: &["email", "full_name"],
        ..about(Action::UserCreated, by, person, origin)
    }
}

/// One event for each kind of change that was made.
pub(super) fn changes(by: By, (before, after): (&Person, &Person), ended: u64, origin: &Origin) -> Vec<AuditEvent> {
    let mut events = Vec::new();
    if before.full_name != after.full_name {
        events.push(AuditEvent {
            before: Some(details([("full_name", before.full_name.clone())])),
            after: Some(details([("full_name", after.full_name.clone())])),
            personal: &["full_name"],
            ..about(Action::UserUpdated, by, after, origin)
        });
    }
    if before.roles != after.roles {
        events.push(AuditEvent {
            before: Some(details([("roles", Some(codes(&before.roles)))])),
            after: Some(details([("roles", Some(codes(&after.roles)))])),
            ..about(Action::RolesChanged, by, after, origin)
        });
    }
    let (old, new) = (before.membership.unwrap_or(before.account), after.membership.unwrap_or(after.account));
    if old != new {
        let action = if new.is_active() { Action::UserActivated } else { Action::UserDeactivated };
        let status = |status: Status| ("status", Some(status.to_string()));
        events.push(AuditEvent {
            before: Some(details([status(old)])),
            after: Some(details([status(new), ("sessions_ended", Some(ended.to_string()))])),
            ..about(action, by, after, origin)
        });
    }
    events
}

pub(super) fn password_set(by: By, person: &Person, ended: u64, origin: &Origin) -> AuditEvent {
    AuditEvent {
        after: Some(details([("sessions_ended", Some(ended.to_string()))])),
        ..about(Action::PasswordSet, by, person, origin)
    }
}

fn about(action: Action, by: By, person: &Person, origin: &Origin) -> AuditEvent {
    let event = AuditEvent::about_user(action, (person.id, by.org), origin);
    AuditEvent { actor: by.actor, ..event }
}

fn details<const N: usize>(fields: [(&str, Option<String>); N]) -> Details {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `owner,admin`, in the order of every list of roles.
fn codes(roles: &RoleSet) -> String {
    roles.iter().map(Role::code).collect::<Vec<_>>().join(",")
}
