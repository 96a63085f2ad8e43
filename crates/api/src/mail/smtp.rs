//! Mails to a server (RFC 5321), one connection each.

use std::{error::Error as _, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use percent_encoding::percent_decode_str;
use sme_pulse_auth::mail::{Mail, MailError, Mailer, Sending};
use url::Url;

use super::{letter::Letters, log_sent};
use crate::config::{self, SmtpTls};

/// How long the server may take for one step.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hands mails to one server.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    letters: Letters,
}

impl Smtp {
    pub(super) fn new(server: &config::Smtp, letters: Letters) -> Result<Self, Error> {
        let certified = || TlsParameters::new(server.host.clone());
        let tls = match server.tls {
            SmtpTls::Immediate => Tls::Wrapper(certified()?),
            SmtpTls::Required => Tls::Required(certified()?),
            SmtpTls::Opportunistic => Tls::Opportunistic(certified()?),
            SmtpTls::Never => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(letters.domain().to_owned()));
        if let Some(credentials) = credentials(server) {
            builder = builder.credentials(credentials);
        }
        Ok(Self { transport: builder.build(), letters })
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.letters.write(mail)?;
        self.transport.send(message).await.map_err(|error| failure(&error))?;
        log_sent(mail);
        Ok(())
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.hand_over(mail))
    }
}

fn credentials(server: &config::Smtp) -> Option<Credentials> {
    let url = Url::parse(server.url.expose()).ok().filter(|url| !url.username().is_empty())?;
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some(Credentials::new(decode(url.username()), decode(url.password().unwrap_or_default())))
}

/// Of an answer only its code: servers like to repeat the address in its text.
fn failure(error: &Error) -> MailError {
    let reason = match (error.status(), error.source()) {
        (Some(code), _) => format!("the mail server refused with {code}"),
        (None, _) if error.is_timeout() => "the mail server took too long".to_owned(),
        (None, _) if error.is_client() || error.is_response() => "the mail server could not be talked to".to_owned(),
        (None, Some(cause)) => format!("the mail server was not reached: {cause}"),
        (None, None) => "the mail server was not reached".to_owned(),
    };
    MailError { reason, permanent: error.is_permanent() }
}
