//! Watches a SQLite file by the size and time of change of the file and its write-ahead log: two system calls, no
//! query. Two commits within one tick of the file system's clock may look like one; what is remembered has a time to
//! live for that case.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Same,
    Changed,
    /// The file cannot be looked at.
    Unknown,
}

type Stamp = [Option<(u64, SystemTime)>; 2];

pub(super) struct FileWatch {
    paths: [PathBuf; 2],
    last: Mutex<Option<Stamp>>,
}

impl FileWatch {
    pub(super) fn new(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self { paths: [database.to_owned(), log.into()], last: Mutex::new(None) }
    }

    /// Compares with the look before; the first one is a change.
    pub(super) fn look(&self) -> Seen {
        let [database, log] = &self.paths;
        // From before the look: of two at once, the one with the older sight would take every later one for a change.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (Ok(Some(database)), Ok(log)) = (stamp(database), stamp(log)) else { return Seen::Unknown };
        let now = [Some(database), log];
        if last.replace(now) == Some(now) { Seen::Same } else { Seen::Changed }
    }
}

/// `None` when there is no such file.
fn stamp(path: &Path) -> io::Result<Option<(u64, SystemTime)>> {
    match fs::metadata(path) {
        Ok(data) => Ok(Some((data.len(), data.modified()?))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_log_and_a_missing_file_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let watch = FileWatch::new(&file);
        assert_eq!(watch.look(), Seen::Unknown);
        fs::write(&file, "x").unwrap();
        assert_eq!((watch.look(), watch.look()), (Seen::Changed, Seen::Same));
        fs::write(folder.path().join("a.db-wal"), "log").unwrap();
        assert_eq!((watch.look(), watch.look()), (Seen::Changed, Seen::Same));
    }
}
