//! `sme-pulse audit erase --user ID|EMAIL`.

use anyhow::Context as _;
use sme_pulse_auth::service::erase_personal_data;
use sme_pulse_domain::{audit::Origin, email::Email, ids::UserId, user::User};
use sme_pulse_persistence::Store;

use super::{super::print, Parts};

pub(super) async fn run(parts: &Parts, store: &Store, who: &str) -> anyhow::Result<()> {
    let user = find(store, who).await?.context("there is no such user")?;
    let done = erase_personal_data(store, &user, (None, &Origin::default()), parts.clock.now()).await?;
    print(&format!("Erased personal data from {} event(s) of user {}.", done.events, user.id));
    if done.not_erasable > 0 {
        let older = done.not_erasable;
        print(&format!("{older} event(s) from before erasure was possible keep the client's address."));
    }
    Ok(())
}

async fn find(store: &Store, who: &str) -> anyhow::Result<Option<User>> {
    if let Ok(id) = who.parse() {
        return Ok(store.principal(UserId::new(id), None).await?.map(|row| row.user));
    }
    let email = Email::parse(who).ok().context("--user takes an id or an e-mail address")?;
    Ok(store.account_by_email(&email).await?.map(|account| account.user))
}
