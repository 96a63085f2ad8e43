//! The fields that several bodies share: roles under both their names, and full names.

use sme_pulse_domain::{
    person::RoleChange,
    role::{Role, RoleSet},
    text::NAME,
};

use crate::input::{Fault, Kind, Object, Read, Text, Word, text, word};

/// A role's code.
pub(in crate::routes) const ROLE: Word<Role> = word(&Role::ALL, Role::code);
/// Roles in one list: as many as there are. Naming one twice within that does no harm.
const MOST_ROLES: usize = Role::ALL.len();

/// A name that may be cleared by null, but not by an empty text.
#[derive(Debug, Clone, Copy)]
pub(super) struct FullName(Text);

/// 1 to 255 characters.
pub(super) const FULL_NAME: FullName = FullName(text(1, NAME));

impl Kind for FullName {
    type Value = String;

    fn json(&self, raw: &str) -> Result<String, Fault> {
        self.0.json(raw)
    }

    fn query(&self, text: &str) -> Result<String, Fault> {
        self.0.query(text)
    }
}

/// Any value but null.
#[derive(Debug, Clone, Copy)]
struct Anything;

impl Kind for Anything {
    type Value = ();

    fn json(&self, _: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn query(&self, _: &str) -> Result<(), Fault> {
        Ok(())
    }
}

/// The roles of somebody new, from `roles` or, without that, from `role`. One of them must be there, and what is there
/// must be right.
pub(in crate::routes) fn new_roles(fields: &mut Object<'_>) -> Read<RoleSet> {
    if fields.optional("roles", Anything)?.is_none() {
        return Some([fields.required("role", ROLE)?].into_iter().collect());
    }
    let (one, several) = (fields.optional("role", ROLE), list(fields));
    one.and(several)
}

/// What an update says about roles: `roles` is the whole set and wins, `role` alone is one to be held.
pub(super) fn role_change(fields: &mut Object<'_>) -> Read<Option<RoleChange>> {
    let one = fields.changed("role", ROLE);
    let several = if fields.has("roles") { list(fields).map(Some) } else { Some(None) };
    Some(several?.map(RoleChange::Exactly).or(one?.map(RoleChange::ToHold)))
}

fn list(fields: &mut Object<'_>) -> Read<RoleSet> {
    Some(fields.list("roles", 1, MOST_ROLES, ROLE)?.into_iter().collect())
}
