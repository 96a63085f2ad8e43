//! The signing key of a development installation: made once, kept beside the data, so that tokens survive restarts.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sme_pulse_domain::rng::Rng;
use zeroize::Zeroizing;

use super::secret::Secret;

/// The name of the file.
pub const FILE_NAME: &str = "sme-pulse.secret";
/// Random bytes of a key; 64 characters of base64url, enough for every algorithm.
const RANDOM_BYTES: usize = 48;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The folder or file cannot be read or written.
    #[error("cannot keep a signing key in {}: {source}; set BACKEND_SECRET_KEY instead", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something that is no key; it is never overwritten.
    #[error("{} holds no usable signing key; delete it to have a new one made", .0.display())]
    Unusable(PathBuf),
}

/// The key kept in `folder`, made first if there is none. Processes that start at the same moment get the same key.
pub fn load_or_create(folder: &Path, rng: &dyn Rng) -> Result<Secret, SecretFileError> {
    let path = folder.join(FILE_NAME);
    let io = |source| SecretFileError::Io { path: path.clone(), source };
    if let Some(key) = load_existing(folder)? {
        return Ok(key);
    }
    fs::create_dir_all(folder).map_err(io)?;
    create(folder, &path, rng).map_err(io)?;
    load(&path)
}

/// The key kept in `folder`, if there is one.
pub(super) fn load_existing(folder: &Path) -> Result<Option<Secret>, SecretFileError> {
    match load(&folder.join(FILE_NAME)) {
        Err(SecretFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn load(path: &Path) -> Result<Secret, SecretFileError> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|source| SecretFileError::Io { path: path.to_owned(), source })?;
    let key = text.trim();
    if key.len() < 32 || key.chars().any(char::is_whitespace) {
        return Err(SecretFileError::Unusable(path.to_owned()));
    }
    Ok(Secret::new(key))
}

/// Writes a complete file under a name of its own and links it to the final one, which fails if that exists by then:
/// nobody ever sees half a key, and the first of several processes wins.
fn create(folder: &Path, path: &Path, rng: &dyn Rng) -> io::Result<()> {
    let temporary = folder.join(format!(".{FILE_NAME}.{}", rng.uuid().simple()));
    let written = write_key(&temporary, rng).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&temporary);
    written.and(removed)?;
    // The name is only safe from a power cut once the folder is on the disk too.
    File::open(folder)?.sync_all()
}

fn write_key(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    let mut bytes = Zeroizing::new([0_u8; RANDOM_BYTES]);
    rng.fill(bytes.as_mut_slice());
    let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(bytes.as_slice())));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
