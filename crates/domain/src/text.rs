//! Lengths of stored texts, counted in characters, in one place for rules, input checks and column widths.

/// Longest name of a person, company or account.
pub const NAME: usize = 255;
/// Longest code, tax code, phone or account number.
pub const CODE: usize = 50;
/// Longest stored user agent; longer ones are cut.
pub const USER_AGENT: usize = 255;

/// Cuts a text to a number of characters.
pub fn cut(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_characters_and_never_splits_one() {
        assert_eq!(cut("größe", 3), "grö");
        assert_eq!(cut("ab", 3), "ab");
    }
}
