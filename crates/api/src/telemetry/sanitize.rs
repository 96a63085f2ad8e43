//! Escapes what JSON leaves as it is but terminals and viewers obey, in the notation of JSON, so that a parser reads
//! the same text as before.

use std::io::Write;

/// Appends one line without its end, escaped.
pub(super) fn escape(line: &str, to: &mut Vec<u8>) {
    if line.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        to.extend_from_slice(line.as_bytes());
        return;
    }
    let mut buffer = [0; 4];
    for c in line.chars() {
        if obeyed(c) {
            // Writing to memory cannot fail.
            let _ = write!(to, "\\u{:04x}", u32::from(c));
        } else {
            to.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and the controls that turn the direction of text.
fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(line: &str) -> String {
        let mut out = Vec::new();
        escape(line, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_the_rest_is_kept() {
        assert_eq!(escaped("\u{7f}\u{9b}31m"), "\\u007f\\u009b31m");
        assert_eq!(escaped("a\u{2028}b\u{202e}c\u{2066}d"), "a\\u2028b\\u202ec\\u2066d");
        assert_eq!(escaped("\x1b[2J\r\n"), "\\u001b[2J\\u000d\\u000a");
        assert_eq!(escaped("Công ty Tân Á – ‘日本’ 🙂"), "Công ty Tân Á – ‘日本’ 🙂");
    }

    proptest! {
        #[test]
        fn a_json_text_means_the_same_after_escaping(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let line = escaped(&json);
            prop_assert!(!line.chars().any(obeyed));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
