//! The direction of dependencies: inner crates must not come to need what only outer ones may know.

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::ci::Verdict;
use crate::say::say;

/// A package, with default features, and the beginnings of names it must not need, however indirectly.
const RULES: [(&str, &[&str]); 5] = [
    ("sme-pulse-domain", &["actix", "sea-orm", "sqlx", "tokio"]),
    ("sme-pulse-auth", &["actix", "axum", "bcrypt", "hyper", "rustls", "sea-orm", "sqlx", "tokio"]),
    ("sme-pulse-persistence", &["actix", "utoipa"]),
    ("sme-pulse-finance", &["actix", "utoipa"]),
    ("xtask", &["actix", "sea-orm", "sqlx", "sme-pulse"]),
];

/// The one package that may need the one crate with a copyleft licence.
const COPYLEFT: (&str, &str) = ("actix-governor", "sme-pulse-api");

pub(crate) fn check() -> anyhow::Result<Verdict> {
    let mut broken = Vec::new();
    for (package, forbidden) in RULES {
        for name in tree(&["-p", package, "-e", "normal"])? {
            if forbidden.iter().any(|start| name.starts_with(start)) && name != package {
                broken.push(format!("{package} must not need {name}"));
            }
        }
    }
    let (copyleft, owner) = COPYLEFT;
    for name in tree(&["--workspace", "--all-features", "-e", "normal,build,dev", "-i", copyleft])? {
        if name.starts_with("sme-pulse") && name != owner {
            broken.push(format!("{name} must not need {copyleft}: only {owner} may"));
        }
    }
    broken.sort();
    broken.dedup();
    for line in &broken {
        say(line);
    }
    Ok(Verdict::of(broken.is_empty()))
}

/// The names in a dependency tree.
fn tree(args: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut command = cargo::command(&["tree", "--locked", "--prefix", "none", "--format", "{p}"]);
    let output = command.args(args).output().context("cannot run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}
