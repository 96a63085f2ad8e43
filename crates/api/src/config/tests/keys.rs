//! The table of names: no two alike, each one read, unknown ones pointed out.

use std::collections::BTreeSet;

use super::{good, warnings};
use crate::config::{KEYS, NOT_YET, known};

#[test]
fn names_are_distinct() {
    let names: BTreeSet<_> = known().collect();
    assert_eq!(names.len(), KEYS.len() + NOT_YET.len());
}

#[test]
fn every_key_is_read_and_its_effective_value_stated() {
    let config = good(&[]);
    let shown: Vec<_> = config.effective().map(|(name, _)| name).collect();
    // The parts of the address are stated as the address.
    let expected: BTreeSet<_> =
        KEYS.iter().map(|key| key.name).filter(|name| !name.starts_with("BACKEND_DB_")).collect();
    assert_eq!(shown.iter().copied().collect::<BTreeSet<_>>(), expected);
    assert_eq!(shown.len(), expected.len());
}

#[test]
fn what_does_not_exist_yet_says_so() {
    for (name, value) in [
        ("BACKEND_EXPORT_DIR", "data/exports"),
        ("BACKEND_EXPORT_TTL_HOURS", "24"),
        ("BACKEND_ALERT_INTERVAL_SECONDS", "0"),
    ] {
        assert_eq!(warnings(&[(name, value)]), [format!("{name} has no effect in this version")]);
        assert_eq!(warnings(&[(name, "")]).len(), 0);
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_known_one() {
    for (typed, meant) in [
        ("BACKEND_PROT", "BACKEND_PORT"),
        ("BACKEND_SECRETKEY", "BACKEND_SECRET_KEY"),
        ("BACKEND_RATE_LIMITS_REQUESTS", "BACKEND_RATE_LIMIT_REQUESTS"),
    ] {
        let warnings = warnings(&[(typed, "hunter2")]);
        assert_eq!(warnings, [format!("unknown variable {typed} is ignored; the nearest known one is {meant}")]);
    }
}
