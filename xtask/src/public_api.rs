//! The public surface of the library crates as text, feature by feature, so that no change of it goes unseen. Made from rustdoc's
//! JSON, which is not a stable format: a compiler of another format is said, not failed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::ci::Verdict;
use crate::process::{self, Outcome, Signals};
use crate::say::say;

/// The packages that others import, and their folders.
const PACKAGES: [(&str, &str); 2] = [("sme-pulse-domain", "crates/domain"), ("sme-pulse-auth", "crates/auth")];
/// The format of rustdoc's JSON that the version of `public-api` in Cargo.toml reads.
const FORMAT: u64 = 57;
/// Where the snapshots lie in a package.
const FOLDER: &str = "public-api";
/// The real rustdoc, for this program when cargo runs it as one.
const RUSTDOC: &str = "XTASK_RUSTDOC";
/// Where that leaves what it writes.
const OUTPUT: &str = "XTASK_RUSTDOC_OUTPUT";
/// Lines shown of a snapshot that differs.
const SHOWN: usize = 40;

/// What a snapshot shows and the features it is made with.
struct Variant {
    name: String,
    features: Vec<String>,
}

/// Compares the surface with the snapshots, or writes them.
pub(crate) fn check(write: bool, signals: &Signals) -> anyhow::Result<Verdict> {
    let mut differs = false;
    for (package, folder) in PACKAGES {
        let folder = cargo::root().join(folder).join(FOLDER);
        let variants = variants(features(package)?);
        let mut known = BTreeSet::new();
        for variant in &variants {
            let Some(json) = document(package, variant, signals)? else { return Ok(Verdict::NotChecked) };
            let Some(items) = items(&json)? else { return Ok(Verdict::NotChecked) };
            // A feature's snapshot is what it adds: an item stands in one file, and changes in one file.
            let added: Vec<String> = items.iter().filter(|item| !known.contains(*item)).cloned().collect();
            known.extend(items);
            let file = folder.join(format!("{}.txt", variant.name));
            if write {
                fs::create_dir_all(&folder)?;
                fs::write(&file, text(&added)).with_context(|| format!("cannot write {}", file.display()))?;
            } else {
                differs |= compare(package, variant, &file, &added)?;
            }
        }
        differs |= stray(&folder, &variants, write)?;
    }
    if differs {
        say("the public surface changed; if it is meant to, run `cargo xtask public-api --write` and commit the files");
    }
    Ok(Verdict::of(!differs))
}

/// The features a package declares, those that bring least first: what several have in common is theirs.
fn features(package: &str) -> anyhow::Result<Vec<String>> {
    let mut command = cargo::command(&["metadata", "--no-deps", "--format-version=1", "--locked"]);
    let output = command.output().context("cannot run cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let packages = metadata.get("packages").and_then(serde_json::Value::as_array).context("no packages")?;
    let found = packages.iter().find(|found| found.get("name").is_some_and(|name| name == package));
    let features = found.and_then(|found| found.get("features")?.as_object()).context("no such package")?;
    let mut features: Vec<_> = features.iter().filter(|(name, _)| *name != "default").collect();
    features.sort_by_key(|(_, brings)| brings.as_array().map_or(0, Vec::len));
    Ok(features.into_iter().map(|(name, _)| name.clone()).collect())
}

/// Without features, with each, and with all of them.
fn variants(features: Vec<String>) -> Vec<Variant> {
    let one = |name: &String| Variant { name: name.clone(), features: vec![name.clone()] };
    let mut variants = vec![Variant { name: "default".to_owned(), features: Vec::new() }];
    variants.extend(features.iter().map(one));
    if features.len() > 1 {
        variants.push(Variant { name: "all".to_owned(), features });
    }
    variants
}

/// Lets rustdoc write its JSON. `None` after a request to stop.
fn document(package: &str, variant: &Variant, signals: &Signals) -> anyhow::Result<Option<PathBuf>> {
    let Variant { name, features } = variant;
    let output = cargo::root().join("target/public-api").join(format!("{package}-{name}"));
    let json = output.join(package.replace('-', "_")).with_extension("json");
    let features = features.join(",");
    let arguments = ["rustdoc", "--quiet", "--locked", "--lib", "-p", package, "--features", features.as_str(), "--"];
    let mut command = cargo::command(&arguments);
    command.args(["-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    // This program stands in for rustdoc, so that the variable for unstable formats reaches that alone: build scripts
    // watch it, and everything would be compiled again.
    let rustdoc = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    command.env(RUSTDOC, rustdoc).env("RUSTDOC", std::env::current_exe()?).env(OUTPUT, &output);
    say(format_args!("{package}, {name}"));
    let outcome = process::run(&mut command, signals)?;
    if signals.stop_requested() {
        return Ok(None);
    }
    if outcome != Outcome::Exited(0) {
        bail!("rustdoc failed with {}", outcome.describe());
    }
    if !json.exists() {
        bail!("{} is missing although cargo took it for made; `cargo clean --doc` helps", json.display());
    }
    Ok(Some(json))
}

/// Becomes rustdoc when cargo has started this program as one, with a folder of its own for what is written: cargo has one
/// for all features.
pub(crate) fn stand_in_for_rustdoc() -> anyhow::Result<()> {
    let Some((rustdoc, output)) = std::env::var_os(RUSTDOC).zip(std::env::var_os(OUTPUT)) else { return Ok(()) };
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = Command::new(rustdoc);
    let mut is_folder = false;
    for argument in arguments {
        command.arg(if is_folder { &output } else { &argument });
        is_folder = argument == "-o" || argument == "--out-dir";
    }
    Err(command.env("RUSTC_BOOTSTRAP", "1").exec()).context("cannot run rustdoc")
}

/// One line for each public item. `None` when this compiler's format is not the one that is understood.
fn items(json: &Path) -> anyhow::Result<Option<Vec<String>>> {
    let written = fs::read(json).with_context(|| format!("cannot read {}", json.display()))?;
    let written: serde_json::Value = serde_json::from_slice(&written).context("rustdoc wrote no JSON")?;
    let format =
        written.get("format_version").and_then(serde_json::Value::as_u64).context("the JSON has no version")?;
    if format != FORMAT {
        say(format_args!(
            "the public surface was NOT CHECKED: this rustdoc writes format {format}, and `public-api` of Cargo.toml reads {FORMAT}"
        ));
        return Ok(None);
    }
    let surface = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true);
    let surface = surface.build().context("rustdoc's JSON is not understood")?;
    Ok(Some(surface.items().map(ToString::to_string).collect()))
}

fn text(items: &[String]) -> String {
    items.iter().flat_map(|item| [item.as_str(), "\n"]).collect()
}

/// True when the snapshot is another.
fn compare(package: &str, variant: &Variant, file: &Path, items: &[String]) -> anyhow::Result<bool> {
    let kept = if file.exists() { fs::read_to_string(file)? } else { String::new() };
    if file.exists() && kept == text(items) {
        return Ok(false);
    }
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (kept.lines().collect(), items.iter().map(String::as_str).collect());
    say(format_args!("{package}, {}: not what {} says", variant.name, file.display()));
    let gone = old.difference(&new).map(|item| format!("  - {item}"));
    let lines: Vec<String> = gone.chain(new.difference(&old).map(|item| format!("  + {item}"))).collect();
    lines.iter().take(SHOWN).for_each(say);
    if lines.len() > SHOWN {
        say(format_args!("  and {} more", lines.len() - SHOWN));
    }
    Ok(true)
}

/// True when there is a snapshot of a feature that is no more.
fn stray(folder: &Path, variants: &[Variant], write: bool) -> anyhow::Result<bool> {
    let mut found = false;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default();
        if variants.iter().any(|variant| stem == variant.name.as_str()) {
            continue;
        }
        if write {
            fs::remove_file(&path)?;
        } else {
            say(format_args!("{} shows a feature that does not exist", path.display()));
            found = true;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(features: &[&str]) -> Vec<String> {
        features.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn there_is_a_snapshot_without_features_with_each_and_with_all() {
        let names = |features: &[&str]| variants(named(features)).into_iter().map(|made| made.name).collect::<Vec<_>>();
        assert_eq!(names(&["a", "b"]), ["default", "a", "b", "all"]);
        assert_eq!(names(&[]), ["default"]);
    }

    #[test]
    fn a_missing_a_changed_and_a_needless_snapshot_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("default.txt");
        let variant = Variant { name: "default".to_owned(), features: Vec::new() };
        let differs = |items: &[&str]| compare("p", &variant, &file, &named(items)).unwrap();
        assert!(differs(&[]));
        std::fs::write(&file, text(&named(&["pub fn a()", "pub fn b()"]))).unwrap();
        assert!(!differs(&["pub fn a()", "pub fn b()"]));
        assert!(differs(&["pub fn a()"]) && differs(&["pub fn b()", "pub fn a()"]));
        assert!(!stray(folder.path(), &[variant], false).unwrap());
        assert!(stray(folder.path(), &[], false).unwrap());
    }
}
