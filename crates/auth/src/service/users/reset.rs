//! Setting the password of a user, by somebody who may.

use sme_pulse_domain::{
    audit::Origin,
    ids::UserId,
    password_rules,
    person::{Actor, Person},
    session::EndReason,
    status::Status,
    user::User,
};
use sme_pulse_persistence::{NewHash, retrying};
use zeroize::Zeroizing;

use super::{UserError, allowed, events, refused, temporary_password};
use crate::{
    Principal,
    service::{AuthService, RECENT_MINUTES, applicants::signed_in, mail_texts},
};

/// A password to be set. There is no `Debug`: it holds one.
pub struct SetPassword {
    /// Whose.
    pub user: UserId,
    /// The new one, whose length has been checked; `None` asks for a temporary one.
    pub new: Option<Zeroizing<String>>,
    /// The request and the client's address.
    pub origin: Origin,
}

impl AuthService {
    /// Sets a user's password and returns the temporary one, if none was given. All their sessions end but the calling
    /// one, and open links to reset it.
    pub async fn set_password(
        &self,
        caller: &Principal,
        set: SetPassword,
    ) -> Result<Option<Zeroizing<String>>, UserError> {
        let user = set.user;
        // Only a look, so that a refusal costs no hash; what counts is asked in the transaction.
        let person = self.user(caller, user).await?;
        let asking = Actor { id: caller.user_id(), roles: caller.roles() };
        person.allows_new_password(asking).map_err(|refusal| refused(caller, refusal))?;
        if user == caller.user_id() {
            // Nobody is asked for the old password here, so that a stolen token must not be enough.
            caller.require_recent(RECENT_MINUTES)?;
            self.require_recent_if_factor(caller, RECENT_MINUTES).await?;
        }
        if let Some(new) = &set.new {
            password_rules::check_personal(new, &as_user(&person)).map_err(UserError::NewPassword)?;
        }
        let temporary = set.new.is_none().then(|| temporary_password::draw(&*self.parts.rng));
        let applicant = signed_in(caller, &set.origin);
        let hash = match (set.new, &temporary) {
            (Some(new), _) => self.parts.passwords.hash(applicant, new).await?,
            (None, Some(temporary)) => self.parts.passwords.hash(applicant, temporary.clone()).await?,
            (None, None) => return Ok(None),
        };
        retrying(|| self.store_set_password(caller, (user, &hash), &set.origin)).await?;
        self.changed(user);
        let is_own = user == caller.user_id();
        let told = as_user(&person);
        self.errands.notify(if is_own { mail_texts::changed(&told) } else { mail_texts::set_by_another(&told) });
        Ok(temporary)
    }

    async fn store_set_password(
        &self,
        caller: &Principal,
        (user, hash): (UserId, &str),
        origin: &Origin,
    ) -> Result<(), UserError> {
        let now = self.parts.clock.now();
        let tx = self.lock_people(caller).await?;
        let person = tx.people().find(user).await?.ok_or(UserError::NotFound)?;
        let rule = |actor: Actor<'_>| person.allows_new_password(actor).map(|()| person.clone());
        allowed(&tx, caller, &person, rule).await?;
        tx.passwords().set(&NewHash { user, hash: hash.to_owned(), at: now }, None).await?;
        if user != caller.user_id() {
            tx.passwords().note_given(user, now).await?;
        }
        tx.passwords().void_reset_tokens(user).await?;
        tx.challenges().remove_of(user).await?;
        let kept = caller.session().filter(|_| user == caller.user_id());
        let ended = tx.sessions().end_all_but((kept, user), EndReason::PasswordSet, now).await?;
        tx.record(events::password_set(caller.into(), &person, ended.here, origin), now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Somebody who is at home here.
fn as_user(person: &Person) -> User {
    User {
        id: person.id,
        org: person.org,
        email: person.email.clone(),
        full_name: person.full_name.clone(),
        status: Status::Active,
        last_login_at: person.last_login_at,
    }
}
