//! The documents name only what exists, the description of the API leaves out no endpoint, and what is generated is current.
#![expect(clippy::unwrap_used, reason = "a test says what it found by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use sme_pulse_api::{config::KEYS, docs::permissions, routes, routes::mount::Access};

/// Set to anything, it has the generated files written anew in place of being compared; `cargo xtask docs` does that.
const UPDATE: &str = "UPDATE_DOCUMENTS";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Name and text of README.md and of every document below docs.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = vec![root().join("README.md")];
    for folder in ["docs", "docs/adr"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    assert!(found.len() > 10, "{found:?}");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What stands in backticks outside fenced examples.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_path_of_the_repository_that_a_document_names_exists() {
    let folders: BTreeSet<String> = fs::read_dir(root())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| !["data", "logs", "target"].contains(&name.as_str()))
        .collect();
    let mut checked = 0;
    for (document, text) in documents() {
        for path in quoted(&text) {
            let in_repository = path.split_once('/').is_some_and(|(folder, _)| folders.contains(folder));
            if in_repository || Path::new(path).extension().is_some_and(|e| e == "toml") {
                assert!(root().join(path).exists(), "{} names {path}", document.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn the_readme_shows_known_variables_with_their_defaults() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let rows: Vec<(&str, &str)> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert!(rows.len() > 5, "{rows:?}");
    for (name, rest) in rows {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else { panic!("{name} is no variable") };
        let default = rest.split('|').next().unwrap().trim().trim_matches('`');
        assert!(key.default.is_empty() || key.default == default, "{name}: {default}");
    }
}

#[test]
fn the_description_of_the_api_lists_every_endpoint_and_no_other() {
    let text = fs::read_to_string(root().join("docs/api.md")).unwrap();
    let is_endpoint = |name: &&str| name.split_once(" /").is_some_and(|(verb, _)| verb.chars().all(char::is_uppercase));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: BTreeSet<String> = rows.map(|(name, _)| name).filter(is_endpoint).map(str::to_owned).collect();

    let document = serde_json::to_value(routes::openapi()).unwrap();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for verb in operations
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ["get", "post", "put", "delete"].contains(&key.as_str()))
        {
            described.insert(format!("{} {path}", verb.to_uppercase()));
        }
    }
    assert_eq!(listed, described);
}

/// Compares a file of the repository with what it is generated from.
fn generated(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).position(|(kept, new)| kept != new);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    let at = |text: &str| text.lines().nth(line).unwrap_or("(its end)").to_owned();
    assert!(
        kept == text,
        "{path} is stale in line {}:\n  it says {}\n  but now {}\nLook whether that is meant, then run cargo xtask docs.",
        line + 1,
        at(&kept),
        at(text)
    );
}

#[test]
fn the_generated_list_of_permissions_is_current() {
    generated("docs/permissions.md", &permissions::document(&routes::table()));
}

#[test]
fn the_generated_matrix_says_which_role_may_call_which_route() {
    generated("crates/api/tests/snapshots/permissions.txt", &permissions::matrix(&routes::table()));
}

#[test]
fn every_route_behind_a_token_says_in_its_description_which_permission_it_needs() {
    let document = serde_json::to_value(routes::openapi()).unwrap();
    let mut described = 0;
    for route in routes::table() {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        if !operation.is_object() {
            continue;
        }
        let text = operation["description"].as_str().unwrap_or_default();
        match route.access {
            Access::Public => assert!(operation[permissions::EXTENSION].is_null(), "{operation}"),
            Access::Needs(permission) => {
                assert_eq!(operation[permissions::EXTENSION], permission.code());
                assert!(text.contains(&format!("Needs the permission `{}`", permission.code())), "{text}");
                assert_eq!(text.contains("must have proved"), route.max_age.is_some(), "{text}");
                described += 1;
            }
        }
    }
    assert!(described > 10, "{described}");
}

/// The server removes white space around a name before it measures it; U+0085 is white space to Unicode, not to ECMA-262.
#[test]
fn a_name_of_nothing_but_white_space_is_refused_by_the_description_as_well() {
    let document = serde_json::to_value(routes::openapi()).unwrap();
    let mut names = 0;
    for (schema, text) in document["components"]["schemas"].as_object().unwrap() {
        let Some(members) = text["properties"].as_object() else { continue };
        for (name, member) in members.iter().filter(|(_, member)| member["minLength"] == 1) {
            if !member["maxLength"].is_null() {
                let pattern = member["pattern"].as_str().unwrap_or_default();
                assert!(
                    [r"[^\s\x85]", r"\x7f-\x9f\s]"].iter().any(|end| pattern.contains(end)),
                    "{schema}.{name}: {pattern:?}"
                );
                names += 1;
            }
        }
    }
    assert!(names > 10, "{names}");
}
