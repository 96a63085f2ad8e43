//! `sme-pulse restore FILE [--force] [--with-secret]`: at every moment the old database or the new one is in its place.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use sme_pulse_persistence::{EmbeddedFile, InUse, StoreError};

use super::{
    Parts,
    backup::{keep_secret, secret_beside},
    database_file::{Checked, Part, check, embedded, folder, kept_secret, sync_folder},
    print,
};

const IN_USE: &str = "the database is in use; stop the server and every other command first. Nothing was changed";

/// What is put in the place of the database.
#[derive(Debug, Clone, Args)]
pub(super) struct RestoreArgs {
    /// What `backup` wrote.
    file: PathBuf,
    /// Also when its audit trail is broken.
    #[arg(long)]
    force: bool,
    /// Restore the signing key of a development installation too, from FILE.secret.
    #[arg(long)]
    with_secret: bool,
}

pub(super) async fn run(parts: Parts, args: RestoreArgs) -> anyhow::Result<()> {
    let RestoreArgs { file, force, with_secret } = args;
    let database = embedded(&parts)?;
    let secret = if with_secret { Some(secrets(&parts, &file)?) } else { None };
    if !file.is_file() {
        bail!("there is no file {}", file.display());
    }
    if database.canonicalize().ok().is_some_and(|database| file.canonicalize().is_ok_and(|file| file == database)) {
        bail!("{} is the database itself", file.display());
    }
    let folder = parts.config.database.target.data_folder();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    // Held to the end: whoever wants to open the database meanwhile is refused.
    let _alone = InUse::alone(&database)?.context(IN_USE)?;
    fold(&database).await?;

    let (part, checked) = copy(&parts, (&file, &database), force).await.context("nothing was restored")?;
    let stamp = parts.clock.now().format("%Y%m%dT%H%M%S%3fZ").to_string();
    let aside = set_aside(&database, &stamp).context("the old database was not kept aside; nothing was restored")?;
    part.settle(&database, true).context("nothing was restored")?;
    print(&format!("Restored {}: {}.", database.display(), checked.shown()));
    if let Some(aside) = aside {
        print(&format!("The old database is {}.", aside.display()));
    }
    match secret {
        Some((from, to)) => restore_secret(&from, &to, &database, &stamp)?,
        None => {
            print("The signing key was not restored; tokens, second factors and private keys need the one from then.");
        }
    }
    if checked.pending > 0 {
        print(&format!("Its schema lacks {} changes: run `sme-pulse migrate`.", checked.pending));
    }
    tracing::warn!(backup = %file.display(), "Database restored from a backup");
    Ok(())
}

/// Makes the old database one file. One that cannot be opened is kept as it is: that may be why it is replaced.
async fn fold(database: &Path) -> anyhow::Result<()> {
    if !database.exists() {
        return Ok(());
    }
    match EmbeddedFile::new(database).fold().await {
        Ok(()) => Ok(()),
        Err(StoreError::Busy(_)) => bail!(IN_USE),
        Err(error) => {
            print(&format!("The old database cannot be opened: {:#}.", anyhow::Error::from(error)));
            Ok(())
        }
    }
}

/// A complete copy beside the database, found to be good.
async fn copy(parts: &Parts, (file, database): (&Path, &Path), force: bool) -> anyhow::Result<(Part, Checked)> {
    let unusable = |checked: &Checked| match &checked.broken {
        _ if !checked.later.is_empty() => {
            bail!(
                "{} was written by a later version of this program, which has {}",
                file.display(),
                checked.later.join(", ")
            )
        }
        Some(finding) if !force => {
            bail!("the audit trail of {} is broken: {finding}; --force restores it", file.display())
        }
        _ => Ok(()),
    };
    // Copying mends indexes, so what is wrong with them shows only here.
    unusable(&check(parts, file).await?)?;
    let part = Part::claim(database)?;
    let copied = EmbeddedFile::new(file).copy_to(part.path()).await;
    copied.with_context(|| format!("{} was not copied", file.display()))?;
    let checked = check(parts, part.path()).await?;
    unusable(&checked)?;
    // Of an earlier version's schema too: the tokens of the time that is undone are the same.
    EmbeddedFile::new(part.path()).skip_revocations().await?;
    hand_over(part.path(), database)?;
    Ok((part, checked))
}

/// Root restores for the user that the server runs as: the owner of the old database, or else of the folder.
fn hand_over(part: &Path, database: &Path) -> io::Result<()> {
    let owner = fs::metadata(database).or_else(|_| fs::metadata(folder(database)))?;
    match chown(part, Some(owner.uid()), Some(owner.gid())) {
        // Nobody else may give files away, and theirs are their own.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

/// Gives the old database a second name, and only then removes what would be taken for the log of the new one.
fn set_aside(database: &Path, stamp: &str) -> io::Result<Option<PathBuf>> {
    let aside = with(database, &format!(".before-restore-{stamp}"));
    let kept = link(database, &aside)?;
    link(&with(database, "-wal"), &with(&aside, "-wal"))?;
    sync_folder(database)?;
    for ending in ["-wal", "-shm"] {
        match fs::remove_file(with(database, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(kept.then_some(aside))
}

/// False when there is nothing to link.
fn link(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The backup's key, and where it goes.
fn secrets(parts: &Parts, file: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let to = kept_secret(parts).context("--with-secret: the key is not in a file, but in BACKEND_SECRET_KEY")?;
    let from = secret_beside(file);
    if !from.is_file() {
        bail!("--with-secret: there is no {}", from.display());
    }
    Ok((from, to))
}

fn restore_secret(from: &Path, to: &Path, database: &Path, stamp: &str) -> anyhow::Result<()> {
    link(to, &with(to, &format!(".before-restore-{stamp}"))).context("the signing key was not kept aside")?;
    keep_secret(from, to, true)?;
    hand_over(to, database).context("the signing key was not given to the owner of the database")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
