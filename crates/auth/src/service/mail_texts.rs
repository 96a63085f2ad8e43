//! The words of the mails.

use chrono::{DateTime, Utc};
use sme_pulse_domain::{email::Email, text, user::User};

use crate::mail::Mail;

/// The link by which a forgotten password is set anew. The page behind it asks for the new password; opening it alone
/// does nothing, because programs that check mails open links too.
pub(super) fn reset(user: &User, public_url: &str, token: &str) -> Mail {
    let text = format!(
        "Hello,\n\n\
         somebody asked to set a new password for your SME Pulse account. To choose\n\
         one, open this link within 30 minutes:\n\n\
         {public_url}/reset-password?token={token}\n\n\
         The link works once. If you did not ask for it, ignore this mail: your\n\
         password stays as it is.\n"
    );
    Mail { to: user.email.clone(), subject: "Set a new password for SME Pulse".to_owned(), text }
}

/// The notice that the password is another one now.
pub(super) fn changed(user: &User) -> Mail {
    let text = "Hello,\n\n\
                the password of your SME Pulse account was changed, and your other devices\n\
                were logged out.\n\n\
                If it was not you, use \"Forgot password\" on the log-in page at once, and tell\n\
                your administrator.\n"
        .to_owned();
    Mail { to: user.email.clone(), subject: "Your SME Pulse password was changed".to_owned(), text }
}

/// The notice that somebody else has set the password.
pub(super) fn set_by_another(user: &User) -> Mail {
    let text = "Hello,\n\n\
                an administrator of your organization has set a new password for your SME\n\
                Pulse account, and your devices were logged out.\n\n\
                They will tell you the password; change it after your first log-in. If you did\n\
                not expect this, ask them.\n"
        .to_owned();
    Mail { to: user.email.clone(), subject: "A new password was set for your SME Pulse account".to_owned(), text }
}

/// The notice that somebody else has made an account with this address. The organization's name is theirs to choose, so it is not
/// in it.
pub(super) fn account_made(to: &Email, public_url: &str) -> Mail {
    let text = format!(
        "Hello,\n\n\
         an organization has made an SME Pulse account for this address. It governs the\n\
         account: it has set the first password and can deactivate it. Your first log-in:\n\n\
         {public_url}\n\n\
         They will tell you the password; change it then. If you do not know who this is,\n\
         do not use the account, and answer this mail: the address is yours.\n"
    );
    Mail { to: to.clone(), subject: "An SME Pulse account was made for you".to_owned(), text }
}

/// The notice that log-ins ask for a code from now on.
pub(super) fn factor_enabled(user: &User) -> Mail {
    let text = "Hello,\n\n\
                your SME Pulse account now asks for a code of your authenticator app when you\n\
                log in. Keep the recovery codes where you find them without your telephone.\n\n\
                If it was not you, change your password at once, and tell your administrator.\n"
        .to_owned();
    Mail { to: user.email.clone(), subject: "Your SME Pulse account has a second factor".to_owned(), text }
}

/// The notice that log-ins ask for the password alone again.
pub(super) fn factor_removed(user: &User) -> Mail {
    let text = "Hello,\n\n\
                the second factor of your SME Pulse account was removed: a log-in asks for the\n\
                password alone again.\n\n\
                If it was not you, use \"Forgot password\" on the log-in page at once, and tell\n\
                your administrator.\n"
        .to_owned();
    Mail { to: user.email.clone(), subject: "The second factor of your SME Pulse account was removed".to_owned(), text }
}

/// The link by which somebody joins an organization. Opening it alone does nothing.
pub(super) fn invitation(
    to: &Email,
    (organization, sender): (&str, &Email),
    (public_url, token): (&str, &str),
    expires_at: DateTime<Utc>,
) -> Mail {
    let (organization, sender, day) = (harmless(organization), sender.as_str(), expires_at.format("%d %B %Y"));
    let text = format!(
        "Hello,\n\n\
         {sender} invites you to join \"{organization}\" on SME Pulse. To see the\n\
         invitation, open this link before {day}:\n\n\
         {public_url}/invitation?token={token}\n\n\
         The link works once. If you do not know who this is, ignore this mail: nothing\n\
         happens.\n"
    );
    Mail { to: to.clone(), subject: "You are invited to SME Pulse".to_owned(), text }
}

/// The link by which a company confirms the address it signed up with. Nothing that was typed in is in it: anybody can sign
/// up with any address, and this mail must not carry their words.
pub(super) fn confirm_sign_up(to: &Email, public_url: &str, token: &str) -> Mail {
    let text = format!(
        "Hello,\n\n\
         somebody signed up for SME Pulse with this address. If it was you, open this\n\
         link within 3 days and type the password you signed up with:\n\n\
         {public_url}/confirm-sign-up?token={token}\n\n\
         The link works once. If it was not you, ignore this mail: without the link\n\
         and that password nothing comes of it.\n"
    );
    Mail { to: to.clone(), subject: "Confirm your address for SME Pulse".to_owned(), text }
}

/// The notice that a company cannot sign up with the address of an account.
pub(super) fn has_account(to: &Email, public_url: &str) -> Mail {
    let text = format!(
        "Hello,\n\n\
         somebody signed up for SME Pulse with this address, which has an account\n\
         already. Nothing was changed.\n\n\
         If it was you, log in with your account at {public_url}, or use \"Forgot\n\
         password\" there; a new company needs an owner with another address. If it was\n\
         not you, ignore this mail.\n"
    );
    Mail { to: to.clone(), subject: "You have an SME Pulse account already".to_owned(), text }
}

/// Most characters of a name in a mail.
const NAME: usize = 80;

/// A name that a stranger chose, as one line in which no mail program finds a link.
fn harmless(name: &str) -> String {
    let mut line = String::new();
    let mut last = ' ';
    for letter in text::cut(name, NAME).chars().filter(|letter| !turns(*letter)) {
        let letter = if letter.is_control() || "/\\@:<>\"\u{2028}\u{2029}".contains(letter) { ' ' } else { letter };
        if last == '.' && letter.is_alphanumeric() {
            line.push(' ');
        }
        if letter != ' ' || last != ' ' {
            line.push(letter);
        }
        last = letter;
    }
    line.trim_end().to_owned()
}

/// Whether a character is not seen itself but changes the direction of what follows, so that a name would rewrite the
/// sentence it stands in.
const fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_mail_is_one_line_without_links() {
        for (name, shown) in [
            ("Acme Inc.", "Acme Inc."),
            ("  O'Neil & Sons  Ltd", "O'Neil & Sons Ltd"),
            ("Win!\r\nhttps://evil.example/x?y", "Win! https evil. example x?y"),
            ("call me@evil.com", "call me evil. com"),
            ("\u{202e}\"abc\"", "abc"),
            ("a\u{200e}b\u{200f}c\u{202a}d\u{2066}e\u{2069}f.\u{202b}g", "abcdef. g"),
            ("", ""),
        ] {
            assert_eq!(harmless(name), shown, "{name:?}");
        }
        assert_eq!(harmless(&"ü".repeat(255)).chars().count(), NAME);
    }
}
