//! What would be handed to a registry: complete, small, and compiled from nothing but itself. Nothing here publishes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

use crate::cargo;
use crate::ci::Verdict;
use crate::process::{self, Outcome, Signals};
use crate::say::say;

/// The libraries and what they need of this workspace. In one command, because none of them is in a registry.
const PACKAGES: [&str; 4] = ["sme-pulse-domain", "sme-pulse-migration", "sme-pulse-persistence", "sme-pulse-auth"];
/// Those that others name as a dependency: they have a README.
const IMPORTED: [&str; 2] = ["sme-pulse-domain", "sme-pulse-auth"];
/// The beginnings of what may be in a package; the last three are written by cargo.
const CONTENTS: [&str; 9] = [
    "src/",
    "examples/",
    "data/",
    "README.md",
    "LICENSE-",
    "Cargo.toml",
    "Cargo.toml.orig",
    "Cargo.lock",
    ".cargo_vcs_info",
];
/// Most bytes of a package, compressed.
const LARGEST: u64 = 256 * 1024;

/// Packs and compiles them.
pub(crate) fn check(signals: &Signals) -> anyhow::Result<Verdict> {
    let mut complaints = Vec::new();
    for package in PACKAGES {
        complaints.extend(complaints_about(package, &contents(package)?));
    }
    let target = target()?;
    // Cargo keeps what it has unpacked by the path of the build folder and the version, and never looks whether the package
    // of that version is still the same: a checkout where an earlier one lay would be compiled from that one's sources.
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    let build =
        tempfile::Builder::new().prefix("packing-").tempdir_in(&target).context("cannot make a build folder")?;
    let mut pack = cargo::command(&["package", "--quiet", "--allow-dirty"]);
    // The profiles of the workspace do not reach a packed crate, and nobody debugs this build.
    pack.env("CARGO_BUILD_BUILD_DIR", build.path()).env("CARGO_PROFILE_DEV_DEBUG", "false");
    for package in PACKAGES {
        pack.args(["-p", package]);
    }
    let complaint = NamedTempFile::new().context("cannot make a file for what cargo says")?;
    let packed = process::run(pack.stderr(complaint.reopen()?), signals)?;
    let said = fs::read(complaint.path()).context("cannot read what cargo said")?;
    let said = String::from_utf8_lossy(&said);
    if packed != Outcome::Exited(0) {
        bail!("cargo package ended with {}\n{}", packed.describe(), said.trim());
    }
    for package in PACKAGES {
        let file = target.join("package").join(format!("{package}-{}.crate", env!("CARGO_PKG_VERSION")));
        let size = fs::metadata(&file).with_context(|| format!("{} was not made", file.display()))?.len();
        say(format_args!("{package}: {size} bytes"));
        if size > LARGEST {
            complaints.push(format!("{package} has {size} bytes, more than {LARGEST}"));
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(Verdict::Passed)
}

fn contents(package: &str) -> anyhow::Result<Vec<String>> {
    let mut list = cargo::command(&["package", "--quiet", "--allow-dirty", "--list", "-p", package]);
    let output = list.output().context("cannot run cargo package")?;
    if !output.status.success() {
        bail!("cargo package --list -p {package}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn complaints_about(package: &str, files: &[String]) -> Vec<String> {
    let foreign = files.iter().filter(|file| !CONTENTS.iter().any(|start| file.starts_with(start)));
    let mut complaints: Vec<String> = foreign.map(|file| format!("{package} would hold {file}")).collect();
    let readme = IMPORTED.contains(&package).then_some("README.md");
    let needed = ["src/lib.rs", "LICENSE-MIT", "LICENSE-APACHE"].into_iter().chain(readme);
    let missing = needed.filter(|needed| !files.iter().any(|file| file == needed));
    complaints.extend(missing.map(|file| format!("{package} lacks {file}")));
    complaints
}

fn target() -> anyhow::Result<PathBuf> {
    let output = cargo::command(&["metadata", "--no-deps", "--format-version=1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(folder.context("cargo names no target directory")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_holds_its_source_its_licences_and_nothing_else() {
        let files = |more: &[&str]| {
            let all = ["Cargo.toml", "Cargo.lock", "src/lib.rs", "LICENSE-MIT", "LICENSE-APACHE"];
            all.iter().chain(more).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(complaints_about("sme-pulse-migration", &files(&[])).is_empty());
        assert_eq!(complaints_about("sme-pulse-auth", &files(&[])), ["sme-pulse-auth lacks README.md"]);
        assert!(complaints_about("sme-pulse-auth", &files(&["README.md", "src/token/mod.rs"])).is_empty());
        let found = complaints_about("sme-pulse-auth", &files(&["README.md", "tests/token.rs"]));
        assert_eq!(found, ["sme-pulse-auth would hold tests/token.rs"]);
    }
}
