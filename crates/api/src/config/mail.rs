//! Mail: where it goes, who it comes from, and the address that links in it begin with.

use std::path::PathBuf;

use lettre::{Address, message::Mailbox};
use url::{Host, Url};

use super::{
    database_url::SecretUrl,
    keys::{MAIL_DIR, MAIL_FROM, PUBLIC_URL, SMTP_URL},
    reader::Reader,
};

const SMTP_RULE: &str = "must be smtp://user:password@host:port or smtps://…, with no parameter but tls=required, tls=opportunistic or tls=none";

/// The rule of addresses that others are told of.
pub(super) const URL_RULE: &str = "must be an http:// or https:// URL without user, query and fragment";

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The base of links, without a slash at its end.
    pub public_url: String,
    /// The server that takes mail, if there is one.
    pub smtp: Option<Smtp>,
    /// Where mails are put as files, in development and without a server.
    pub folder: PathBuf,
    /// The sender.
    pub from: Mailbox,
}

/// A server that takes mail.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Host name, or an address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// When the connection is encrypted.
    pub tls: SmtpTls,
    /// The whole address; user and password are in it, percent-encoded.
    pub url: SecretUrl,
}

/// When the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the first byte (`smtps://`, RFC 8314 section 3.3).
    Immediate,
    /// By STARTTLS (RFC 3207), or no mail is sent.
    Required,
    /// By STARTTLS if the server offers it.
    Opportunistic,
    /// Never.
    Never,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Mail> {
    let public_url = reader.value(PUBLIC_URL, URL_RULE, public_url);
    let smtp = smtp(reader);
    let folder = reader.value(MAIL_DIR, "must be a path without control characters", |text| {
        (!text.is_empty() && !text.chars().any(char::is_control)).then(|| PathBuf::from(text))
    });
    let from = from(reader, public_url.as_deref());
    Some(Mail { public_url: public_url?, smtp, folder: folder?, from: from? })
}

pub(super) fn public_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && bare;
    fits.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// `None` when it is unset, and after a refusal, which has been noted.
fn smtp(reader: &mut Reader<'_>) -> Option<Smtp> {
    let Some(text) = reader.given(SMTP_URL).map(str::trim).filter(|text| !text.is_empty()) else {
        reader.show(SMTP_URL, "");
        return None;
    };
    let smtp = parse_smtp(text);
    match &smtp {
        Some(smtp) => reader.show(SMTP_URL, &smtp.url),
        None => reader.refuse(SMTP_URL, SMTP_RULE),
    }
    smtp
}

/// A password is not sent over a connection that could stay in clear, unless the address says so.
fn parse_smtp(text: &str) -> Option<Smtp> {
    let url = Url::parse(text).ok()?;
    let signs_in = !url.username().is_empty();
    let asked: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let tls = match (url.scheme(), asked.as_slice()) {
        ("smtps", []) => SmtpTls::Immediate,
        ("smtp", []) if signs_in => SmtpTls::Required,
        ("smtp", []) => SmtpTls::Opportunistic,
        ("smtp", [(name, value)]) if name == "tls" => match value.as_str() {
            "required" => SmtpTls::Required,
            "opportunistic" => SmtpTls::Opportunistic,
            "none" => SmtpTls::Never,
            _ => return None,
        },
        _ => return None,
    };
    // The parser keeps hosts of other schemes than the web's as they were written.
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let host = super::server::host(host)?;
    let usual = match tls {
        SmtpTls::Immediate => 465,
        _ if signs_in => 587,
        _ => 25,
    };
    let plain = matches!(url.path(), "" | "/") && url.fragment().is_none();
    let decodes = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8().is_ok();
    let readable = decodes(url.username()) && decodes(url.password().unwrap_or_default());
    let port = url.port().unwrap_or(usual);
    (plain && readable && port != 0).then(|| Smtp { host, port, tls, url: SecretUrl::new(&url) })
}

/// Without a sender of its own an installation uses the name its users know it by.
fn from(reader: &mut Reader<'_>, public_url: Option<&str>) -> Option<Mailbox> {
    if let Some(text) = reader.given(MAIL_FROM).map(str::trim).filter(|text| !text.is_empty()) {
        let mailbox = text.parse::<Mailbox>().ok().filter(|_| !text.chars().any(char::is_control));
        match &mailbox {
            Some(mailbox) => reader.show(MAIL_FROM, mailbox),
            None => reader.refuse(MAIL_FROM, "must be an e-mail address, or Name <address>"),
        }
        return mailbox;
    }
    let host = match Url::parse(public_url?).ok()?.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        _ => "localhost".to_owned(),
    };
    let address = Address::new("no-reply", host).or_else(|_| Address::new("no-reply", "localhost")).ok()?;
    let mailbox = Mailbox::new(Some("SME Pulse".to_owned()), address);
    reader.show(MAIL_FROM, &mailbox);
    Some(mailbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_has_its_usual_port_and_a_password_is_never_sent_in_clear_unasked() {
        for (text, host, port, tls) in [
            ("smtp://mail", "mail", 25, SmtpTls::Opportunistic),
            ("smtp://mail.example.com:2525/", "mail.example.com", 2525, SmtpTls::Opportunistic),
            ("smtp://u:p%40ss@mail.example.com", "mail.example.com", 587, SmtpTls::Required),
            ("smtp://u:p@127.0.0.1:25?tls=none", "127.0.0.1", 25, SmtpTls::Never),
            ("smtp://mail?tls=required", "mail", 25, SmtpTls::Required),
            ("smtps://u:p@[::1]", "::1", 465, SmtpTls::Immediate),
        ] {
            let smtp = parse_smtp(text).unwrap();
            assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), (host, port, tls), "{text}");
            assert!(!smtp.url.to_string().contains("p%40ss"), "{text}");
        }
        for text in [
            "mail:25",
            "http://mail",
            "smtp://",
            "smtp://mail:0",
            "smtp://mail/path",
            "smtp://mail?tls=maybe",
            "smtp://mail?x=1",
            "smtps://mail?tls=none",
            "smtp://u%ff@mail",
            "smtp://ma il",
        ] {
            assert!(parse_smtp(text).is_none(), "{text}");
        }
    }

    #[test]
    fn links_begin_with_a_bare_address() {
        assert_eq!(public_url("https://app.example.com/").as_deref(), Some("https://app.example.com"));
        assert_eq!(public_url("https://example.com/app").as_deref(), Some("https://example.com/app"));
        for text in
            ["app.example.com", "ftp://a.example", "https://u@a.example", "https://a.example?x", "https://a.example#x"]
        {
            assert_eq!(public_url(text), None, "{text}");
        }
    }
}
