//! The words of the mails.

use sme_pulse_domain::user::User;

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
