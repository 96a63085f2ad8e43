//! The readable form of a line. It is made from the JSON line, so the two can never say different things.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Members every line has; they come last, in this order, after those of the event.
const COMMON: [&str; 6] = ["name", "hostname", "pid", "v", "file", "line"];

/// `time LEVEL target: msg key=value …`, with texts that need it in quotes. A line that is no object stays as it is.
pub(super) fn render(line: &str) -> String {
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(line) else { return line.to_owned() };
    let time = fields.remove("time");
    let level = fields.remove("level");
    let target = fields.remove("target");
    let message = fields.remove("msg");
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(inner).unwrap_or_default();
    let word = match level.as_ref().and_then(Value::as_u64) {
        Some(10) => "TRACE",
        Some(20) => "DEBUG",
        Some(30) => "INFO",
        Some(40) => "WARN",
        _ => "ERROR",
    };
    let mut out = format!("{} {word:<5} {}: {}", text(&time), text(&target), text(&message));
    let common: Vec<_> = COMMON.iter().map(|key| (*key, fields.remove(*key))).collect();
    let own = fields.iter().map(|(key, value)| (key.as_str(), value));
    let common = common.iter().filter_map(|(key, value)| value.as_ref().map(|value| (*key, value)));
    for (key, value) in own.chain(common) {
        // Writing to memory cannot fail.
        let _ = match value {
            Value::String(text) if plain(text) => write!(out, " {key}={text}"),
            other => write!(out, " {key}={other}"),
        };
    }
    out
}

/// The JSON form without its quotes: control characters stay escaped.
fn inner(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted).to_owned()
}

fn plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"\"\\=".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_the_json_line_is_in_the_readable_one() {
        let line = r#"{"v":0,"name":"sme-pulse","msg":"Request completed","level":30,"hostname":"h","pid":7,
            "time":"2025-11-20T08:15:30Z","target":"t","line":5,"file":"f.rs","path":"/a b","status_code":200,
            "process_time":0.5,"client_ip":"::1"}"#;
        let expected = "2025-11-20T08:15:30Z INFO  t: Request completed client_ip=::1 path=\"/a b\" process_time=0.5 \
            status_code=200 name=sme-pulse hostname=h pid=7 v=0 file=f.rs line=5";
        assert_eq!(render(line), expected);
    }

    #[test]
    fn control_characters_cannot_end_the_line() {
        let line = render(r#"{"msg":"a\nb","level":40,"path":"/x\r\n{\"level\":30}"}"#);
        assert_eq!(line, r#" WARN  : a\nb path="/x\r\n{\"level\":30}""#);
    }

    #[test]
    fn each_level_has_its_word() {
        for (level, word) in [(10, "TRACE"), (20, "DEBUG"), (30, "INFO"), (40, "WARN"), (50, "ERROR")] {
            assert!(render(&format!("{{\"level\":{level}}}")).contains(word));
        }
    }
}
