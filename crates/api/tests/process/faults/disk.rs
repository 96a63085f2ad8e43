//! A disk that is full, under the embedded database and its log.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{LocalSet, spawn_local};

use super::writes::{Writes, prepare};
use crate::support::{Home, assert_clean_unavailable, note, until};

/// A small file system in memory; taken away when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with one line, where file systems cannot be mounted: that takes root, and not every container lets it.
    fn at(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mounted = mount(folder, "size=3m");
        if !mounted {
            note("skipped: a small file system cannot be mounted here");
        }
        mounted.then(|| Self(folder.to_owned()))
    }

    fn grow(&self) {
        assert!(mount(&self.0, "remount,size=64m"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder).output();
    done.is_ok_and(|done| done.status.success())
}

#[tokio::test]
async fn a_disk_that_fills_up_loses_no_write_and_heals_when_there_is_room() {
    let mut home = Home::bare();
    prepare(&mut home);
    let Some(disk) = SmallDisk::at(&home.folder().join("data")) else { return };
    home.set("BACKEND_LOG_FILE", "data/app.log");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    let mut server = home.serve().await;
    let token = server.log_in().await.token();
    // What is left is taken by something else but for a few hundred kilobytes.
    let ballast = disk.0.join("ballast");
    let room = free(&disk.0).saturating_sub(300 * 1024);
    std::fs::write(&ballast, vec![0; usize::try_from(room).unwrap()]).unwrap();
    let writes = Writes::new(server.address, token.clone());
    let local = LocalSet::new();
    local
        .run_until(async {
            let all = spawn_local(Rc::clone(&writes).run());
            until("the disk is full", Duration::from_mins(2), async || (writes.refused() > 20).then_some(())).await;
            assert_eq!(server.get("/health").await.status, 200);
            assert_eq!(server.me(&token).await.status, 200, "what is there can be read");
            // A log-in is smaller than the writes above, and some may still fit.
            let refused = until("a log-in does not fit", Duration::from_mins(1), async || {
                Some(server.log_in().await).filter(|answer| answer.status != 200)
            });
            assert_clean_unavailable(&refused.await);
            disk.grow();
            all.await.unwrap();
        })
        .await;
    writes.assert_kept("disk full", &home, &server).await;
    server.stop().await;
}

/// Bytes that can still be written.
fn free(folder: &Path) -> u64 {
    let free = rustix::fs::statvfs(folder).unwrap();
    free.f_bavail * free.f_frsize
}
