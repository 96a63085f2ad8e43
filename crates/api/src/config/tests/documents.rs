//! The documents say what the code does.

use std::{collections::BTreeSet, fs, path::Path};

use super::load;
use crate::config::{KEYS, known};

fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// First and second cell of every row that begins with a variable.
fn rows(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .filter(|(name, _)| name.starts_with("BACKEND_") || name.starts_with("OTEL_") || name.ends_with("_URL"))
        .map(|(name, rest)| (name, rest.split('|').next().unwrap().trim()))
        .collect()
}

#[test]
fn the_manual_lists_exactly_the_variables_with_their_defaults() {
    let text = document("docs/configuration.md");
    let rows = rows(&text);
    let documented: BTreeSet<_> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(documented, known().collect());
    assert_eq!(rows.len(), documented.len());
    for key in KEYS {
        let default = rows.iter().find(|(name, _)| *name == key.name).unwrap().1;
        assert_eq!(default.trim_matches('`'), key.default, "{}", key.name);
    }
}

#[test]
fn the_example_file_names_known_variables_with_valid_values() {
    let text = document("deploy/sme-pulse.env.example");
    let lines = text.lines().map(|line| line.strip_prefix('#').unwrap_or(line));
    let pairs: Vec<_> = lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.contains(' ')).collect();
    // For compose.yaml itself, not for the program.
    let (compose, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name.starts_with("SME_PULSE_"));
    let read = document("deploy/compose.yaml");
    assert!(compose.iter().all(|(name, _)| read.contains(&format!("${{{name}:"))), "{compose:?}");
    assert!(pairs.len() > 10);
    let names: BTreeSet<_> = known().collect();
    assert!(pairs.iter().all(|(name, _)| names.contains(name)), "{pairs:?}");
    // What is left empty there is required, and every operator's own.
    let own = |name: &&str| match *name {
        "BACKEND_SECRET_KEY" => "0123456789abcdefghijklmnopqrstuvwxyz-0123456789",
        "BACKEND_DB_PASSWORD" | "BACKEND_SEED_ADMIN_PASSWORD" => "a-password-of-ones-own",
        _ => "",
    };
    let filled: Vec<_> =
        pairs.iter().map(|(name, value)| (*name, if value.is_empty() { own(name) } else { value })).collect();
    let (_, warnings) = load(&filled).unwrap();
    assert_eq!(warnings, []);
}
