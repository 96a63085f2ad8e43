//! What happens to a sign-up after its answer: a link for an address that is free, a notice for one that is not.

use std::{net::IpAddr, sync::Arc};

use chrono::TimeDelta;
use sme_pulse_domain::{audit::Origin, clock::Clock, network::Network, rng::Rng};
use sme_pulse_persistence::{SignUpRow, Store, StoreError, retrying};

use crate::{
    mail::Mail,
    service::{
        AuthParts,
        errands::chain,
        guesses::{GuessBook, GuessError, GuessScope},
        mail_texts,
        one_time_token::{OneTimeToken, TokenKind},
    },
};

/// How long a link works, as the mail says; what is not confirmed by then is removed.
const LIFETIME: TimeDelta = TimeDelta::days(3);

/// A sign-up that was answered. There is no `Debug`: it holds a hash.
pub(in crate::service) struct PendingSignUp {
    pub(super) row: SignUpRow,
    pub(super) origin: Origin,
}

/// Prepares links.
pub(in crate::service) struct SignUpDesk {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    public_url: String,
    guesses: GuessBook,
}

impl SignUpDesk {
    pub(in crate::service) fn new(parts: &AuthParts, guesses: GuessBook) -> Self {
        Self {
            guesses,
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            rng: Arc::clone(&parts.rng),
            public_url: parts.settings.public_url.clone(),
        }
    }

    /// The mail to the address, unless it has had too many. A failure is in the log; the person signs up again.
    pub(in crate::service) async fn prepare(&self, sign_up: PendingSignUp) -> Option<Mail> {
        match self.mail(&sign_up.row, &network(&sign_up.origin)).await {
            Ok(mail) => mail,
            Err(error) => {
                let request_id = sign_up.origin.request_id.map(|id| id.to_string());
                let (email, error) = (sign_up.row.email.masked().to_string(), chain(&error));
                tracing::error!(request_id, email, error, "A sign-up could not be prepared");
                None
            }
        }
    }

    async fn mail(&self, row: &SignUpRow, network: &str) -> Result<Option<Mail>, StoreError> {
        // By network, or a stranger who signs up with somebody's address would use up the mails of its owner.
        let scopes = (GuessScope::SignUpLink, GuessScope::SignUpMailbox);
        match self.guesses.admit_mail(scopes, network, &row.email).await {
            Ok(_counted) => {}
            Err(GuessError::TooEarly(seconds)) => {
                let email = row.email.masked().to_string();
                tracing::warn!(email, seconds, "No further link yet: too many were asked for");
                return Ok(None);
            }
            Err(GuessError::Store(error)) => return Err(error),
        }
        if self.store.account_by_email(&row.email).await?.is_some() {
            return Ok(Some(mail_texts::has_account(&row.email, &self.public_url)));
        }
        let (token, now) = (OneTimeToken::new(TokenKind::SignUp, &*self.rng), self.clock.now());
        let times = (now, now.checked_add_signed(LIFETIME).unwrap_or(now));
        let hash = token.hash();
        retrying(|| self.store.keep_sign_up(row, &hash, times)).await?;
        Ok(Some(mail_texts::confirm_sign_up(&row.email, &self.public_url, token.text())))
    }
}

/// What a client cannot change at will: its IPv4 address, or the 64 bits that its IPv6 network is known by.
fn network(origin: &Origin) -> String {
    let given = origin.client_ip.as_deref().unwrap_or_default();
    given.parse::<IpAddr>().map_or_else(|_| given.to_owned(), |address| Network::from(address).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_client_is_counted_by_its_network() {
        let of = |ip: &str| network(&Origin { client_ip: Some(ip.to_owned()), request_id: None });
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!((of("::ffff:192.0.2.1"), of("192.0.2.2")), ("192.0.2.1".to_owned(), "192.0.2.2".to_owned()));
        assert_eq!((network(&Origin { client_ip: None, request_id: None }), of("x")), (String::new(), "x".to_owned()));
    }
}
