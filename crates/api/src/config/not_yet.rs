//! Variables that belong to the product but whose feature this version does not have. A valid value earns a warning
//! instead of silence; an invalid one is refused, so that nothing has to be corrected when the feature arrives. Move a
//! line to `keys.rs` together with the code that reads it.

use std::path::Path;

use super::{error::Problem, reader::Reader, reader::digits};

/// A variable without effect.
pub struct NotYet {
    /// Its name.
    pub name: &'static str,
    rule: &'static str,
    valid: fn(&str) -> bool,
}

/// All of them.
pub const NOT_YET: &[NotYet] = &[
    NotYet { name: "BACKEND_EXPORT_DIR", rule: "must be a path", valid: path },
    NotYet {
        name: "BACKEND_EXPORT_TTL_HOURS",
        rule: "must be a whole number from 1 to 8760",
        valid: |text| within(text, 1, 8_760),
    },
    NotYet {
        name: "BACKEND_ALERT_INTERVAL_SECONDS",
        rule: "must be a whole number from 0 to 4294967295",
        valid: |text| within(text, 0, u32::MAX),
    },
];

pub(super) fn check(reader: &mut Reader<'_>) {
    for variable in NOT_YET {
        let Some(text) = reader.named(variable.name).filter(|text| !text.is_empty()) else { continue };
        if (variable.valid)(text.trim()) {
            reader.warn(format!("{} has no effect in this version", variable.name));
        } else {
            reader.problems.push(Problem { place: variable.name.to_owned(), rule: variable.rule.to_owned() });
        }
    }
}

fn within(text: &str, least: u32, most: u32) -> bool {
    digits::<u32>(text).is_some_and(|number| (least..=most).contains(&number))
}

fn path(text: &str) -> bool {
    !Path::new(text).as_os_str().is_empty() && !text.chars().any(char::is_control)
}
