//! What is wrong with a configuration, in lines a person can act on. No line ever holds a value.

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable, or the file, that is wrong.
    pub place: String,
    /// The rule, as the rest of a sentence: `must be …`.
    pub rule: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.rule)
    }
}

/// Everything that is wrong, one line each; the process ends with exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl ConfigError {
    pub(super) fn one(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self(vec![Problem { place: place.into(), rule: rule.into() }])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}configuration error: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Something that is allowed but probably not meant; logged at start with level 40.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(pub String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
