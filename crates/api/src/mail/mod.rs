//! How mails leave: to a server by SMTP, in development into files, elsewhere not at all.

mod folder;
mod letter;
mod smtp;

use std::sync::Arc;

use anyhow::Context as _;
use sme_pulse_auth::mail::{Mail, Mailer, NoMailer};
use sme_pulse_domain::{clock::Clock, rng::Rng};

use crate::config::Config;
use folder::Folder;
use letter::Letters;
use smtp::Smtp;

/// What an operator should know who has set up no way for mails outside development.
pub const NOT_SENT: &str = "BACKEND_SMTP_URL is not set: mails are not sent, so nobody can reset a forgotten password, \
    confirm a sign-up or accept an invitation";

/// Whether mails go nowhere.
pub fn is_missing(config: &Config) -> bool {
    config.mail.smtp.is_none() && !config.environment.is_development()
}

/// What carries mails, as configured. Outside development, without a server, it is one warning and mails are dropped.
pub fn mailer(config: &Config, clock: &Arc<dyn Clock>, rng: &Arc<dyn Rng>) -> anyhow::Result<Arc<dyn Mailer>> {
    let letters = Letters::new(config.mail.from.clone(), Arc::clone(clock), Arc::clone(rng));
    if let Some(server) = &config.mail.smtp {
        let smtp = Smtp::new(server, letters).context("the mail server of BACKEND_SMTP_URL cannot be used")?;
        return Ok(Arc::new(smtp));
    }
    if config.environment.is_development() {
        return Ok(Arc::new(Folder::new(config.mail.folder.clone(), letters)));
    }
    tracing::warn!("{NOT_SENT}");
    Ok(Arc::new(NoMailer))
}

/// Says in the log that a mail has left.
fn log_sent(mail: &Mail) {
    let (email, subject) = (mail.to.masked().to_string(), mail.subject.as_str());
    tracing::info!(email, subject, "Mail sent");
}
