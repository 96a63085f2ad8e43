//! Adding a user.

use sme_pulse_domain::{
    audit::Origin,
    email::Email,
    ids::UserId,
    password_rules,
    person::{Actor, NewPerson, Person},
    role::RoleSet,
    status::Status,
    user::User,
};
use sme_pulse_persistence::retrying;
use zeroize::Zeroizing;

use super::{UserError, events, refused};
use crate::{
    Principal,
    service::{AuthService, applicants::signed_in, mail_texts},
};

/// A user to be added. There is no `Debug`: it holds a password.
pub struct CreateUser {
    /// Address in normal form.
    pub email: Email,
    /// Name.
    pub full_name: String,
    /// The first password; its length has been checked.
    pub password: Zeroizing<String>,
    /// The roles to hold.
    pub roles: RoleSet,
    /// The request and the client's address.
    pub origin: Origin,
}

impl AuthService {
    /// Adds an active user, who is at home in the caller's organization.
    pub async fn create_user(&self, caller: &Principal, new: CreateUser) -> Result<Person, UserError> {
        let refused = |refusal| refused(caller, refusal);
        let asking = Actor { id: caller.user_id(), roles: caller.roles() };
        Person::may_be_added(&new.roles, asking).map_err(refused)?;
        password_rules::check_personal(&new.password, &as_user(caller, &new)).map_err(UserError::FirstPassword)?;
        let hash = self.parts.passwords.hash(signed_in(caller, &new.origin), new.password).await?;
        let person = NewPerson {
            email: new.email,
            password_hash: hash,
            full_name: Some(new.full_name),
            status: Status::Active,
            roles: new.roles,
        };
        let added = retrying(|| async {
            let now = self.parts.clock.now();
            let tx = self.lock_people(caller).await?;
            let acting = super::acting(&tx, caller).await?;
            Person::may_be_added(&person.roles, Actor { id: acting.id, roles: &acting.roles }).map_err(refused)?;
            let user = tx.people().create(&person, now).await?;
            tx.passwords().note_given(user, now).await?;
            let added = tx.people().find(user).await?.ok_or(UserError::NotFound)?;
            tx.record(events::created(caller.into(), &added, &new.origin), now).await?;
            tx.commit().await?;
            Ok::<_, UserError>(added)
        })
        .await?;
        // The address may be somebody's who knows nothing of it.
        self.errands.notify(mail_texts::account_made(&added.email, &self.parts.settings.public_url));
        Ok(added)
    }
}

/// Whose name the password must not be; the key does not exist yet.
fn as_user(caller: &Principal, new: &CreateUser) -> User {
    User {
        id: UserId::new(0),
        org: caller.org_id(),
        email: new.email.clone(),
        full_name: Some(new.full_name.clone()),
        status: Status::Active,
        last_login_at: None,
    }
}
