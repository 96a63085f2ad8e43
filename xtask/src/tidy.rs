//! House rules no compiler knows: short files that say what they own, and documents that name only what exists.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::ci::Verdict;
use crate::say::say;

/// Past this a file is split by operation.
const MAX_LINES: usize = 400;
const SKIPPED: [&str; 5] = ["target", "node_modules", "data", "logs", ".git"];
/// A text in backticks that begins so names a place in this repository.
const PLACES: [&str; 8] = ["crates/", "migration/", "xtask/", "deploy/", "docs/", ".ci/", ".cargo/", ".config/"];

pub(crate) fn check(root: &Path) -> anyhow::Result<Verdict> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut complaints = Vec::new();
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file).display();
        let extension = file.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("rs" | "md")) {
            continue;
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let found = match extension {
            Some("rs") => of_source(&text),
            _ => of_document(&text, file.parent().unwrap_or(root), root),
        };
        complaints.extend(found.into_iter().map(|complaint| format!("{name}: {complaint}")));
    }
    for complaint in &complaints {
        say(complaint);
    }
    Ok(Verdict::of(complaints.is_empty()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
            collect(&path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

fn of_source(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        complaints.push(format!("{lines} lines, over {MAX_LINES}: split it by operation"));
    }
    let first = text.lines().find(|line| !line.is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        complaints.push("does not begin with a module doc that says what it owns".to_owned());
    }
    complaints
}

/// Paths in backticks count from the root of the repository, links from the document.
fn of_document(text: &str, folder: &Path, root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let quoted = line.split('`').skip(1).step_by(2).filter(|text| names_a_place(text));
            let missing = quoted.filter(|path| !root.join(path).exists());
            complaints.extend(missing.map(|path| format!("names `{path}`, which does not exist")));
            let missing = links(line).filter(|path| !folder.join(path).exists());
            complaints.extend(missing.map(|path| format!("links to {path}, which does not exist")));
        }
    }
    complaints
}

fn names_a_place(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    PLACES.iter().any(|place| text.starts_with(place)) && text.bytes().all(plain)
}

fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let files = targets.filter(|target| !target.contains(':') && !target.starts_with(['#', '/']));
    files.filter_map(|target| target.split('#').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_four_hundred_lines_is_the_longest_allowed() {
        assert!(of_source(&"//! Owns.\n".repeat(400)).is_empty());
        assert_eq!(of_source(&"//! Owns.\n".repeat(401)).len(), 1);
    }

    #[test]
    fn a_source_file_has_to_say_what_it_owns() {
        assert!(of_source("#![no_main]\n//! Owns.\n").is_empty());
        assert_eq!(of_source("use std::fmt;\n").len(), 1);
    }

    #[test]
    fn documents_may_name_only_what_exists() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("docs")).unwrap();
        std::fs::write(root.path().join("docs/api.md"), "").unwrap();
        let found = |text: &str| of_document(text, &root.path().join("docs"), root.path());
        assert!(
            found("see `docs/api.md` and [it](api.md#errors), not `/api/docs` or [out](https://example.org)")
                .is_empty()
        );
        assert_eq!(found("see `docs/gone.md`").len(), 1);
        assert_eq!(found("see [it](gone.md)").len(), 1);
        assert!(found("```\n`docs/gone.md`\n```").is_empty());
        assert!(found("any file `docs/adr/*.md`").is_empty());
    }
}
