//! The mails that the application has put into its folder.

use std::{path::Path, time::Duration};

use super::TestApp;

impl TestApp {
    /// The mails to this address whose subject begins so, once there are so many; a mail leaves after its answer.
    pub(crate) async fn mails(&self, to: &str, subject: &str, count: usize) -> Vec<String> {
        mails_in(self.mails.path(), to, subject, count).await
    }

    /// The token in the newest of so many mails with a link to this address. The link must be of the configured page.
    pub(crate) async fn reset_token(&self, to: &str, seen: &mut Vec<String>) -> String {
        let mails = self.mails(to, "Set a new password", seen.len() + 1).await;
        let tokens: Vec<String> = mails.iter().map(|mail| token_in(mail)).collect();
        let new = tokens.into_iter().find(|token| !seen.contains(token)).unwrap();
        seen.push(new.clone());
        new
    }

    /// How many mails there are, to whomever.
    pub(crate) fn mail_count(&self) -> usize {
        read(self.mails.path()).len()
    }
}

/// The token of the link in a mail.
pub(crate) fn token_in(mail: &str) -> String {
    link_token(mail, "reset-password")
}

/// The token of the link to this page in a mail.
pub(crate) fn link_token(mail: &str, page: &str) -> String {
    let start = format!("http://localhost:3000/{page}?token=");
    let link = mail.lines().find_map(|line| line.strip_prefix(&start));
    link.unwrap_or_else(|| panic!("no link in {mail}")).to_owned()
}

/// The same for any folder.
pub(crate) async fn mails_in(folder: &Path, to: &str, subject: &str, count: usize) -> Vec<String> {
    let (to, subject) = (format!("To: {to}\r\n"), format!("Subject: {subject}"));
    let waiting = async {
        loop {
            let mut mails = read(folder);
            mails.retain(|mail| mail.contains(&to) && mail.contains(&subject));
            if mails.len() >= count {
                return mails;
            }
            tokio::task::yield_now().await;
        }
    };
    let mails = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    let mails = mails.unwrap_or_else(|_| panic!("no {count} mails within 10 s, but {:?}", read(folder)));
    assert_eq!(mails.len(), count, "{mails:?}");
    mails
}

fn read(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let whole = paths.filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
    whole.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
