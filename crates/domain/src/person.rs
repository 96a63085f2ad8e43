//! A person as an organization sees one, and the rules about who may change whom. Whoever calls the rules has locked the
//! organization, so that what they are told still holds when the change is written.

use chrono::{DateTime, Utc};

use crate::{
    email::Email,
    ids::{OrgId, UserId},
    role::{Role, RoleSet},
    status::Status,
};

/// A user of an organization: at home there, or a member from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Key of the user.
    pub id: UserId,
    /// The organization that sees them.
    pub org: OrgId,
    /// Address in normal form.
    pub email: Email,
    /// Name, if given; `None` for somebody from elsewhere while they do not belong here.
    pub full_name: Option<String>,
    /// Whether the account may sign in anywhere. Their home decides.
    pub account: Status,
    /// Whether somebody from elsewhere belongs here; `None` for those who are at home here.
    pub membership: Option<Status>,
    /// The roles held here.
    pub roles: RoleSet,
    /// When they were added, or joined.
    pub created_at: DateTime<Utc>,
    /// When that last changed.
    pub updated_at: DateTime<Utc>,
    /// Their last log-in, wherever; `None` as for the name.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A new user at home in an organization. There is no `Debug`: it holds a hash.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// Address in normal form; unique over all organizations.
    pub email: Email,
    /// The hash of the password.
    pub password_hash: String,
    /// Name, if given.
    pub full_name: Option<String>,
    /// Whether they may sign in at once.
    pub status: Status,
    /// The roles held at home.
    pub roles: RoleSet,
}

impl NewPerson {
    /// The person that was stored then under this key.
    pub fn stored_as(self, id: UserId, org: OrgId, at: DateTime<Utc>) -> Person {
        Person {
            id,
            org,
            email: self.email,
            full_name: self.full_name,
            account: self.status,
            membership: None,
            roles: self.roles,
            created_at: at,
            updated_at: at,
            last_login_at: None,
        }
    }
}

/// A partial update: `None` leaves a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonPatch {
    /// New name.
    pub full_name: Option<Option<String>>,
    /// Other roles.
    pub roles: Option<RoleChange>,
    /// Whether they may take part.
    pub status: Option<Status>,
}

/// What is asked about roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleChange {
    /// Exactly this set.
    Exactly(RoleSet),
    /// Nothing when this one is held already; else this one alone. Older clients send the first role back with every
    /// other change, and must not take the others away by that.
    ToHold(Role),
}

impl RoleChange {
    /// The roles afterwards.
    pub fn applied_to(&self, held: &RoleSet) -> RoleSet {
        match self {
            Self::Exactly(roles) => roles.clone(),
            Self::ToHold(role) if held.contains(*role) => held.clone(),
            Self::ToHold(role) => [*role].into_iter().collect(),
        }
    }
}

/// Who acts on a person.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The user.
    pub id: UserId,
    /// The roles held in the organization.
    pub roles: &'a RoleSet,
}

impl Actor<'_> {
    /// Whether the rules let them act on others at all.
    fn manages(self) -> bool {
        self.roles.contains(Role::Owner) || self.roles.contains(Role::Admin)
    }

    fn is_owner(self) -> bool {
        self.roles.contains(Role::Owner)
    }
}

/// Why a person is not changed. All sentences but the first are for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonRefusal {
    /// The actor may not do that to this person.
    #[error("the roles do not allow that on this person")]
    NotAllowed,
    /// Nobody locks themselves out.
    #[error("You cannot deactivate your own account.")]
    OwnDeactivation,
    /// Nobody deletes themselves.
    #[error("You cannot delete your own account.")]
    OwnDeletion,
    /// Without an active owner nobody could mend anything.
    #[error("The organization must keep at least one active owner.")]
    LastOwner,
    /// The home organization keeps the name.
    #[error("The name of a member from another organization cannot be changed here.")]
    NameKeptElsewhere,
    /// The home organization has deactivated the account.
    #[error("The account of this member was deactivated by their own organization.")]
    AccountKeptElsewhere,
}

impl Person {
    /// Whether they take part here: inactive if either the account or the membership is.
    pub fn status(&self) -> Status {
        match self.membership {
            Some(Status::Inactive) => Status::Inactive,
            Some(Status::Active) | None => self.account,
        }
    }

    /// Whether they are at home in another organization.
    pub const fn is_from_elsewhere(&self) -> bool {
        self.membership.is_some()
    }

    /// Whether they count among those who keep the organization running.
    pub fn is_active_owner(&self) -> bool {
        self.status().is_active() && self.roles.contains(Role::Owner)
    }

    /// The person with the patch applied, if the actor may do that.
    pub fn patched(&self, patch: &PersonPatch, actor: Actor<'_>) -> Result<Self, PersonRefusal> {
        let mut after = self.clone();
        if let Some(roles) = &patch.roles {
            after.roles = roles.applied_to(&self.roles);
        }
        if let Some(status) = patch.status {
            after.set_status(status);
        }
        if let Some(name) = &patch.full_name {
            after.full_name.clone_from(name);
        }
        self.allows(&after, patch, actor)?;
        if actor.id == self.id && self.status().is_active() && patch.status == Some(Status::Inactive) {
            return Err(PersonRefusal::OwnDeactivation);
        }
        if self.is_from_elsewhere() && after.full_name != self.full_name {
            return Err(PersonRefusal::NameKeptElsewhere);
        }
        if patch.status.is_some_and(|wanted| wanted != after.status()) {
            return Err(PersonRefusal::AccountKeptElsewhere);
        }
        Ok(after)
    }

    /// The person without access, if the actor may do that.
    pub fn deactivated(&self, actor: Actor<'_>) -> Result<Self, PersonRefusal> {
        self.allows_acting(actor)?;
        if actor.id == self.id {
            return Err(PersonRefusal::OwnDeletion);
        }
        let mut after = self.clone();
        after.set_status(Status::Inactive);
        Ok(after)
    }

    /// Whether the actor may set a new password: only where the account is at home.
    pub fn allows_new_password(&self, actor: Actor<'_>) -> Result<(), PersonRefusal> {
        self.allows_acting(actor)?;
        if self.is_from_elsewhere() { Err(PersonRefusal::NotAllowed) } else { Ok(()) }
    }

    /// Whether the actor may add a person with these roles.
    pub fn may_be_added(roles: &RoleSet, actor: Actor<'_>) -> Result<(), PersonRefusal> {
        let allowed = actor.is_owner() || (actor.manages() && !roles.contains(Role::Owner));
        if allowed { Ok(()) } else { Err(PersonRefusal::NotAllowed) }
    }

    /// Refuses what would leave the organization without an active owner; `others` says whether another one is there.
    pub fn keeps_an_owner(&self, after: &Self, others: bool) -> Result<(), PersonRefusal> {
        let lost = self.is_active_owner() && !after.is_active_owner() && !others;
        if lost { Err(PersonRefusal::LastOwner) } else { Ok(()) }
    }

    fn set_status(&mut self, status: Status) {
        match &mut self.membership {
            Some(membership) => *membership = status,
            None => self.account = status,
        }
    }

    /// Only owners act on owners; who is neither owner nor admin acts on nobody.
    fn allows_acting(&self, actor: Actor<'_>) -> Result<(), PersonRefusal> {
        let allowed = actor.is_owner() || (actor.manages() && !self.roles.contains(Role::Owner));
        if allowed { Ok(()) } else { Err(PersonRefusal::NotAllowed) }
    }

    fn allows(&self, after: &Self, patch: &PersonPatch, actor: Actor<'_>) -> Result<(), PersonRefusal> {
        let own_name_only = after.roles == self.roles && patch.status.is_none_or(|status| status == self.status());
        if actor.id == self.id && own_name_only {
            return Ok(());
        }
        self.allows_acting(actor)?;
        let owner_changes = self.roles.contains(Role::Owner) != after.roles.contains(Role::Owner);
        if owner_changes && !actor.is_owner() { Err(PersonRefusal::NotAllowed) } else { Ok(()) }
    }
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
