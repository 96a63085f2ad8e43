//! Booleans and words from a fixed list.

use super::{Fault, Kind, string};

/// A truth value, see [`BOOLEAN`].
#[derive(Debug, Clone, Copy)]
pub struct Boolean;

/// A truth value: `true` or `false` in a body, more spellings in a query.
pub const BOOLEAN: Boolean = Boolean;

impl Kind for Boolean {
    type Value = bool;
    const EMPTY_IS_ABSENT: bool = false;

    fn json(&self, raw: &str) -> Result<bool, Fault> {
        raw.parse().map_err(|_| Fault::new("Input should be a valid boolean", "bool_type"))
    }

    fn query(&self, text: &str) -> Result<bool, Fault> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" | "t" | "y" => Ok(true),
            "false" | "0" | "off" | "no" | "f" | "n" => Ok(false),
            _ => Err(Fault::new("Input should be a valid boolean, unable to interpret input", "bool_parsing")),
        }
    }
}

/// One of a list of words, see [`word`].
#[derive(Debug, Clone, Copy)]
pub struct Word<T: 'static> {
    all: &'static [T],
    spelling: fn(T) -> &'static str,
}

/// One of the values, found by its spelling: `word(&Role::ALL, Role::code)`.
pub const fn word<T: Copy>(all: &'static [T], spelling: fn(T) -> &'static str) -> Word<T> {
    Word { all, spelling }
}

impl<T: Copy> Kind for Word<T> {
    type Value = T;

    fn json(&self, raw: &str) -> Result<T, Fault> {
        string(raw).map_or_else(|| Err(self.unknown()), |text| self.query(&text))
    }

    fn query(&self, text: &str) -> Result<T, Fault> {
        self.all.iter().copied().find(|&value| (self.spelling)(value) == text).ok_or_else(|| self.unknown())
    }
}

impl<T: Copy> Word<T> {
    /// `Input should be 'a', 'b' or 'c'`.
    fn unknown(&self) -> Fault {
        let words: Vec<String> = self.all.iter().map(|&value| format!("'{}'", (self.spelling)(value))).collect();
        let list = match words.split_last() {
            Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            _ => words.concat(),
        };
        Fault::new(format!("Input should be {list}"), "literal_error")
    }
}
