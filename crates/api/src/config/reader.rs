//! Reads variables one by one, and collects what is wrong, what is doubtful and what is in effect on the way.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use super::{
    error::{Problem, Warning},
    keys::Key,
    variables::{NotText, Source, Variables},
};

/// A setting in effect, as the start-up log may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// What counts; secrets, and passwords inside URLs, are `***`.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

pub(super) struct Reader<'a> {
    variables: &'a Variables,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
    pub(super) shown: Vec<Setting>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a Variables) -> Self {
        Self { variables, problems: Vec::new(), warnings: Vec::new(), shown: Vec::new() }
    }

    /// The value as it was given; an empty one is unset.
    pub(super) fn given(&mut self, key: &Key) -> Option<&'a str> {
        self.present(key).filter(|text| !text.is_empty())
    }

    /// The value as it was given, also when it is empty.
    pub(super) fn present(&mut self, key: &Key) -> Option<&'a str> {
        self.named(key.name)
    }

    /// The value of a variable that is in no table of keys.
    pub(super) fn named(&mut self, name: &str) -> Option<&'a str> {
        self.variables.get(name).unwrap_or_else(|NotText| {
            let problem = Problem { place: name.to_owned(), rule: "must be UTF-8 text".to_owned() };
            // Some variables are looked at twice.
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
            None
        })
    }

    pub(super) fn refuse(&mut self, key: &Key, rule: impl Into<String>) {
        self.problems.push(Problem { place: key.name.to_owned(), rule: rule.into() });
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(Warning(text.into()));
    }

    pub(super) fn show(&mut self, key: &Key, value: impl Display) {
        self.show_from(key, value, self.variables.source(key.name));
    }

    /// As [`Self::show`], for what does not come from the variable of its name.
    pub(super) fn show_from(&mut self, key: &Key, value: impl Display, source: Source) {
        self.shown.push(Setting { name: key.name, value: value.to_string(), source });
    }

    /// A public value or its default, without surrounding white space. `None`: the problem has been noted.
    pub(super) fn value<T>(&mut self, key: &Key, rule: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.given(key).map(str::trim).filter(|text| !text.is_empty()).unwrap_or(key.default);
        let value = parse(text);
        if value.is_some() {
            self.show(key, text);
        } else {
            self.refuse(key, rule);
        }
        value
    }

    /// A whole number written in decimal digits.
    pub(super) fn number<T>(&mut self, key: &Key, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
        self.value(key, &rule, |text| digits(text).filter(|number| range.contains(number)))
    }

    pub(super) fn flag(&mut self, key: &Key) -> Option<bool> {
        self.value(key, FLAG_RULE, flag)
    }

    /// A short text that goes into tokens or answers.
    pub(super) fn word(&mut self, key: &Key) -> Option<String> {
        self.value(key, "must be 1 to 255 characters without control characters", |text| {
            let fits = (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            fits.then(|| text.to_owned())
        })
    }
}

pub(super) const FLAG_RULE: &str = "must be true or false";

pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Digits only: the standard parser would take a `+` as well.
pub(super) fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
