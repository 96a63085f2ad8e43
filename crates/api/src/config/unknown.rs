//! Names that look like settings but are none: most often a typing error, so the nearest real name is given.

use super::{error::Warning, keys::KEYS, not_yet::NOT_YET, variables::Variables};

/// Every name that may be set.
pub fn known() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name).chain(NOT_YET.iter().map(|variable| variable.name))
}

pub(super) fn warnings(variables: &Variables) -> Vec<Warning> {
    let unknown = variables.names().filter(|name| name.starts_with("BACKEND_") && !known().any(|key| key == *name));
    unknown
        .map(|name| {
            let nearest = known().min_by_key(|key| strsim::damerau_levenshtein(key, name)).unwrap_or_default();
            Warning(format!("unknown variable {name} is ignored; the nearest known one is {nearest}"))
        })
        .collect()
}
