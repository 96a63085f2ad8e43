//! Folders and files: whether they are there, can be written, and are read by their owner alone; and what the system allows.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access, statvfs},
    process::{Resource, getrlimit},
};

use super::Doctor;
use crate::config::{DatabaseTarget, FILE_NAME, SigningKey};

/// Bytes that should be free at least, and that must be.
const LITTLE_SPACE: u64 = 1 << 30;
const NO_SPACE: u64 = 100 << 20;
/// Files and sockets that a busy server has open.
const FEW_FILES: u64 = 4_096;
const TOO_FEW_FILES: u64 = 256;
/// Others may not read or write.
const OTHERS: u32 = 0o077;

pub(super) fn check(doctor: &mut Doctor<'_>) {
    let config = doctor.config;
    let embedded = matches!(config.database.target, DatabaseTarget::Sqlite { .. });
    let kept = matches!(config.tokens.key, SigningKey::Kept(_));
    if embedded || kept {
        let data = config.database.target.data_folder();
        folder(doctor, "data folder", &data);
        space(doctor, &data);
        if kept {
            private(doctor, "secret file", &data.join(FILE_NAME));
        }
    }
    if let DatabaseTarget::Sqlite { path } = &config.database.target {
        private(doctor, "database file", path);
    }
    if config.mail.smtp.is_none() && config.environment.is_development() {
        folder(doctor, "outbox", &config.mail.folder);
    }
    if let Some(log) = &config.log.file {
        folder(doctor, "log folder", log.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")));
    }
    descriptors(doctor);
}

/// It can be written, or be made.
fn folder(doctor: &mut Doctor<'_>, check: &'static str, path: &Path) {
    let there = nearest(path);
    let name = path.display();
    if !there.is_dir() {
        doctor.fail(check, format!("{} is no folder", there.display()), "move the file away or set another path");
    } else if access(&there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        doctor.fail(
            check,
            format!("{} cannot be written", there.display()),
            "give it to the user that the server runs as",
        );
    } else if there == path {
        doctor.ok(check, format!("{name} can be written"));
    } else {
        doctor.ok(check, format!("{name} is not there yet and can be made"));
    }
}

/// Nobody else reads it. That it is missing is said elsewhere.
fn private(doctor: &mut Doctor<'_>, check: &'static str, path: &Path) {
    let Ok(data) = fs::metadata(path) else {
        return doctor.ok(check, format!("{} is not there yet", path.display()));
    };
    let mode = data.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        doctor.warn(
            check,
            format!("{} has the mode {mode:o}, so others can open it", path.display()),
            "run chmod 600 on it",
        );
    } else if access(path, Access::READ_OK | Access::WRITE_OK).is_err() {
        doctor.fail(
            check,
            format!("{} cannot be opened", path.display()),
            "give it to the user that the server runs as",
        );
    } else {
        doctor.ok(check, format!("{} is its owner's alone", path.display()));
    }
}

fn space(doctor: &mut Doctor<'_>, path: &Path) {
    let Ok(disk) = statvfs(nearest(path)) else {
        return doctor.warn("disk", "how much space is free is not known", "look with df");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} MiB are free", free >> 20);
    match free {
        ..NO_SPACE => doctor.fail("disk", text, "make room before anything is lost"),
        NO_SPACE..LITTLE_SPACE => doctor.warn("disk", text, "make room"),
        _ => doctor.ok("disk", text),
    }
}

fn descriptors(doctor: &mut Doctor<'_>) {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let text = format!("{limit} files and sockets may be open");
    match limit {
        ..TOO_FEW_FILES => doctor.fail("descriptors", text, "raise it: ulimit -n, or LimitNOFILE of the unit"),
        TOO_FEW_FILES..FEW_FILES => {
            doctor.warn("descriptors", text, "4096 or more are better: ulimit -n, or LimitNOFILE");
        }
        _ => doctor.ok("descriptors", text),
    }
}

/// The path itself, or the nearest folder above it that exists.
fn nearest(path: &Path) -> PathBuf {
    let above = path.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    if above == Path::new("") { PathBuf::from(".") } else { above.to_owned() }
}
