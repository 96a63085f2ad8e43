//! Mails as files, for development: one `.eml` each, which mail programs open.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sme_pulse_auth::mail::{Mail, MailError, Mailer, Sending};

use super::{letter::Letters, log_sent};

/// Writes into one folder, which is made when the first mail comes.
pub(super) struct Folder {
    path: PathBuf,
    letters: Letters,
}

impl Folder {
    pub(super) fn new(path: PathBuf, letters: Letters) -> Self {
        Self { path, letters }
    }

    async fn put(&self, mail: &Mail) -> Result<(), MailError> {
        let bytes = self.letters.write(mail)?.formatted();
        let (folder, name) = (self.path.clone(), self.letters.id());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        let failed = |reason: String| MailError { reason, permanent: false };
        written.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        log_sent(mail);
        Ok(())
    }
}

impl Mailer for Folder {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.put(mail))
    }
}

/// Under another name first, so that whoever looks for `.eml` files finds whole ones only.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = folder.join(format!("{name}.part"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    fs::rename(unfinished, folder.join(format!("{name}.eml")))
}
