//! A file that is being written under a name of its own, until it is complete and gets its real one.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

/// What the name of the unfinished file ends in. It begins with a point, so that nobody takes it for a backup.
const ENDING: &str = "unfinished";

/// The unfinished file; removed when it is dropped. What a killed process leaves is used by the next one.
pub(in crate::command) struct Part {
    path: PathBuf,
    file: File,
    is_settled: bool,
}

impl Part {
    /// Claims an empty file, readable by its owner alone, in the folder of `target`.
    pub(in crate::command) fn claim(target: &Path) -> anyhow::Result<Self> {
        let name = target.file_name().with_context(|| format!("{} names no file", target.display()))?;
        let path = folder(target).join(format!(".{}.{ENDING}", name.to_string_lossy()));
        let claimed = claim(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let Some(file) = claimed else { bail!("another command is writing {}", target.display()) };
        Ok(Self { path, file, is_settled: false })
    }

    pub(in crate::command) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name once it is on the disk. Without `replace` a file that has the name already stays.
    pub(in crate::command) fn settle(mut self, target: &Path, replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        if replace {
            fs::rename(&self.path, target)?;
            self.is_settled = true;
        } else {
            fs::hard_link(&self.path, target)?;
        }
        sync_folder(target)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_settled {
            // It may be gone, and the next command uses what is left.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `None` while another process has it.
fn claim(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Whoever had the lock may have given the file its real name, and then it is no longer ours to empty.
        let same = fs::metadata(path).is_ok_and(|now| file.metadata().is_ok_and(|ours| ours.ino() == now.ino()));
        if same {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.set_len(0)?;
            remove_journal(path)?;
            return Ok(Some(file));
        }
    }
}

/// What a killed process left beside the file would be applied to the next one.
fn remove_journal(path: &Path) -> io::Result<()> {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    match fs::remove_file(journal) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folder that a file is in.
pub(in crate::command) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A name is only safe from a power cut once its folder is on the disk.
pub(in crate::command) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}
