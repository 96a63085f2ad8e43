//! Values that occur nowhere else, and the search for them in answers.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::support::Answer;
use super::catalog::Kind;

/// The organization that must stay invisible. The check by mutation puts this number into the code as well.
pub(super) const VICTIM: i64 = number(0);
/// In every text of the victim.
pub(super) const NEEDLE: &str = "qz7kbx";
/// In every date, time and UUID of the victim, as answers write them.
const MARKS: [&str; 4] = [NEEDLE, "1971-02-0", "2971-02-0", "91735977-b0b0"];

/// Far enough apart that ids given after one of them do not reach the next.
const fn number(nth: i64) -> i64 {
    917_359_730_000_111 + nth * 100_000
}

/// What a row's values are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// To be found wherever they come out.
    Canary,
    /// To be valid.
    Plain,
}

/// The values made so far.
#[derive(Default)]
pub(super) struct Canaries {
    count: i64,
    numbers: BTreeSet<String>,
}

impl Canaries {
    /// Notes a number of the victim in every way in which an answer may write it: as it is, or as hundredths.
    pub(super) fn note(&mut self, number: i64) {
        self.numbers.insert(number.to_string());
        self.numbers.insert(format!("{}.{}", number / 100, number % 100));
    }

    pub(super) fn id(&mut self) -> i64 {
        self.count += 1;
        self.note(number(self.count));
        number(self.count)
    }

    /// A literal of SQL for a column.
    pub(super) fn literal(&mut self, column: &str, kind: Kind, mark: Mark) -> String {
        self.count += 1;
        let (nth, canary) = (self.count, mark == Mark::Canary);
        let text = if canary { format!("{NEEDLE}{nth:03}") } else { format!("own{nth:06}") };
        let later = column.starts_with("expires");
        match kind {
            Kind::Text { most: Some(most), exactly: true } => format!("'{text:x<most$}'"),
            Kind::Text { .. } if column == "email" => format!("'{text}@example.com'"),
            Kind::Text { most, .. } => {
                assert!(
                    most.is_none_or(|most| text.len() <= most),
                    "{column} is too short for a canary: give it a value in FIXED of rows.rs"
                );
                format!("'{text}'")
            }
            Kind::Integer if canary => self.noted(1_917_000_111 + nth * 1000),
            Kind::Long if canary => self.noted(number(nth)),
            Kind::Integer | Kind::Long => nth.to_string(),
            Kind::Date => if canary { "'1971-02-04'" } else { "'2025-11-20'" }.to_owned(),
            Kind::Time => match (canary, later) {
                (true, true) => "'2971-02-03 04:05:06.789123'",
                (true, false) => "'1971-02-03 04:05:06.789123'",
                (false, true) => "'2999-01-01 00:00:00.000000'",
                (false, false) => "'2025-11-20 08:15:30.123456'",
            }
            .to_owned(),
            Kind::Uuid if canary => format!("'91735977-b0b0-4b0b-8b0b-{nth:012}'"),
            Kind::Uuid => format!("'0e0e0e0e-0000-4000-8000-{nth:012}'"),
            Kind::Json => format!("'{{\"{text}\":\"{text}\"}}'"),
        }
    }

    fn noted(&mut self, number: i64) -> String {
        self.note(number);
        number.to_string()
    }

    /// What an answer holds of the victim.
    pub(super) fn found_in(&self, answer: &Answer) -> Option<String> {
        let mut text = answer.text.clone();
        for (name, value) in &answer.headers {
            text = format!("{text}\n{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        self.found(&text)
    }

    pub(super) fn found(&self, text: &str) -> Option<String> {
        let lower = text.to_lowercase();
        if let Some(mark) = MARKS.iter().find(|mark| lower.contains(**mark)) {
            return Some(around(&lower, mark));
        }
        let runs = text.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|run| run.trim_matches('.'));
        if let Some(run) = runs.into_iter().find(|run| self.numbers.contains(*run)) {
            return Some(around(text, run));
        }
        // What a token says is no secret to its holder.
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let inside = words.filter(|word| word.starts_with("eyJ")).filter_map(|word| URL_SAFE_NO_PAD.decode(word).ok());
        inside.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).find_map(|inner| self.found(&inner))
    }
}

fn around(text: &str, part: &str) -> String {
    let at = text.find(part).unwrap_or_default();
    let (from, to) = (at.saturating_sub(40), (at + 60).min(text.len()));
    text.get(from..to).unwrap_or(part).to_owned()
}
