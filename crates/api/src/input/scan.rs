//! One pass over a JSON text for what a parser does not promise: bounded nesting and no lone surrogates. Control
//! characters are found here too, for the sake of their exact offset. It keeps no stack and never recurses, so depth
//! costs nothing; grammar is the parser's business.

/// Deepest nesting of arrays and objects.
const MAX_DEPTH: usize = 128;

/// `Err` is the offset of the byte that opens a level too many, of half a surrogate pair or of a control character.
pub(super) fn check(text: &str) -> Result<(), usize> {
    let mut rest = text.as_bytes();
    let offset = |rest: &[u8]| text.len().saturating_sub(rest.len());
    let mut depth = 0_usize;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'"' => {
                rest = string(after).map_err(offset)?;
                continue;
            }
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth > MAX_DEPTH {
                    return Err(offset(rest));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        rest = after;
    }
    Ok(())
}

/// What follows the string whose opening quote was just read, or what follows from a bad escape on.
fn string(text: &[u8]) -> Result<&[u8], &[u8]> {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'"', _) => return Ok(after),
            (b'\\', [b'u', code @ ..]) => unicode_escape(code).ok_or(rest)?,
            (b'\\', [escaped, after @ ..]) if *escaped >= b' ' => after,
            (control, _) if control < b' ' => return Err(rest),
            _ => after,
        };
    }
    Ok(rest)
}

/// What follows a `\u` escape or pair of escapes; `None` for half a pair. Malformed digits are left to the parser.
fn unicode_escape(code: &[u8]) -> Option<&[u8]> {
    let Some((unit, after)) = hex(code) else { return Some(code) };
    match unit {
        0xD800..=0xDBFF => {
            let second = after.strip_prefix(b"\\u").and_then(hex);
            second.and_then(|(low, after)| (0xDC00..=0xDFFF).contains(&low).then_some(after))
        }
        0xDC00..=0xDFFF => None,
        _ => Some(after),
    }
}

fn hex(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, after) = text.split_at_checked(4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((unit, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_and_twenty_eight_levels_pass_and_one_more_does_not() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check(&nested(128)), Ok(()));
        assert_eq!(check(&nested(129)), Err(128));
        assert_eq!(check(&"[]".repeat(10_000)), Ok(()), "breadth is no depth");
        assert_eq!(check(&format!("{{\"a\":\"{}\"}}", "[".repeat(1_000))), Ok(()), "text is no depth");
        assert_eq!(check(&"{\"a\":".repeat(100_000)), Err(128 * 5));
    }

    #[test]
    fn half_a_surrogate_pair_is_found_wherever_it_stands() {
        for (text, result) in [
            (r#""\ud83d\ude00""#, Ok(())),
            (r#""\uD83D""#, Err(1)),
            (r#""a\ude00""#, Err(2)),
            (r#""\ud83d\n""#, Err(1)),
            (r#""\ud83d\u0041""#, Err(1)),
            (r#"{"\udc00":1}"#, Err(2)),
            (r#"{"a":[1,"\\ud83d"]}"#, Ok(())),
            (r#""\u00e9\"\ud83d""#, Err(9)),
            (r#""\u12"#, Ok(())),
            (r#""\"#, Ok(())),
        ] {
            assert_eq!(check(text), result, "{text}");
        }
    }
}
