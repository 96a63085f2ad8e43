//! `sme-pulse backup FILE [--force] [--with-secret]`.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use sme_pulse_persistence::EmbeddedFile;

use super::{
    Parts,
    database_file::{Part, check, embedded, kept_secret, tell_what_else},
    print,
};

/// Where the copy goes.
#[derive(Debug, Clone, Args)]
pub(super) struct BackupArgs {
    /// The file to write; its folder must exist.
    file: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
    /// Write the signing key of a development installation beside it, as FILE.secret.
    #[arg(long)]
    with_secret: bool,
}

pub(super) async fn run(parts: Parts, args: BackupArgs) -> anyhow::Result<()> {
    let BackupArgs { file, force, with_secret } = args;
    let database = embedded(&parts)?;
    if !database.exists() {
        bail!("there is no database {}", database.display());
    }
    let secret = if with_secret { Some(secret_to_keep(&parts)?) } else { None };
    for target in std::iter::once(file.clone()).chain(secret.as_ref().map(|_| secret_beside(&file))) {
        refuse_to_overwrite(&target, &database, force)?;
    }
    let part = Part::claim(&file)?;
    EmbeddedFile::new(&database).copy_to(part.path()).await.context("the database was not copied")?;
    let checked = check(&parts, part.path()).await.context("nothing was written")?;
    let bytes = fs::metadata(part.path()).context("nothing was written")?.len();
    part.settle(&file, force).with_context(|| format!("cannot write {}", file.display()))?;
    print(&format!("Wrote {}: {bytes} bytes, {}.", file.display(), checked.shown()));
    match secret {
        Some(secret) => keep_secret(&secret, &secret_beside(&file), force)?,
        None => tell_what_else(&parts),
    }
    tracing::info!(bytes, "Database backed up");
    if let Some(finding) = checked.broken {
        bail!("the copy is as the database is, whose audit trail is broken: {finding}; see `sme-pulse audit check`");
    }
    Ok(())
}

fn refuse_to_overwrite(target: &Path, database: &Path, force: bool) -> anyhow::Result<()> {
    let Ok(there) = target.canonicalize() else { return Ok(()) };
    if database.canonicalize().is_ok_and(|database| database == there) {
        bail!("{} is the database itself", target.display());
    }
    if !force {
        bail!("{} exists; --force replaces it", target.display());
    }
    Ok(())
}

fn secret_to_keep(parts: &Parts) -> anyhow::Result<PathBuf> {
    let file = kept_secret(parts).context("--with-secret: the key is not in a file, but in BACKEND_SECRET_KEY")?;
    if !file.exists() {
        bail!("--with-secret: there is no {}", file.display());
    }
    Ok(file)
}

/// Where a backup's key is.
pub(super) fn secret_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".secret");
    name.into()
}

/// Copies a key, as a file of its own that is complete or not there.
pub(super) fn keep_secret(from: &Path, to: &Path, replace: bool) -> anyhow::Result<()> {
    let key = zeroize::Zeroizing::new(fs::read(from).with_context(|| format!("cannot read {}", from.display()))?);
    let part = Part::claim(to)?;
    let mut file = fs::OpenOptions::new().write(true).open(part.path())?;
    file.write_all(&key)?;
    part.settle(to, replace).with_context(|| format!("cannot write {}", to.display()))?;
    print(&format!("Wrote {}: keep it as safe as a password.", to.display()));
    Ok(())
}
