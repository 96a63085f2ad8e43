//! The list of keys as a table.

use chrono::{DateTime, SecondsFormat, Utc};
use sme_pulse_domain::signing_key::KeyRecord;

/// A line for each key under a line of headings; columns are parted by two blanks.
pub(super) fn table(keys: &[KeyRecord]) -> String {
    let head = ["KID", "ALGORITHM", "STATE", "SINCE", "VERIFIES UNTIL"].map(str::to_owned);
    let rows = keys.iter().map(|key| {
        let since = shown(Some(key.since()));
        [key.kid.clone(), key.algorithm.clone(), key.state.to_string(), since, shown(key.verify_until)]
    });
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or_default();
    let widths: Vec<_> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// To the second, in UTC; `-` for no time.
pub(super) fn shown(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let mut retired = KeyRecord::next("abc".to_owned(), "EdDSA".to_owned(), at);
        retired.activate(at);
        retired.retire(at);
        let keys = [KeyRecord::shared_secret("HS256", at), retired];
        let expected = "\
            KID            ALGORITHM  STATE    SINCE                 VERIFIES UNTIL\n\
            shared-secret  HS256      current  1970-01-01T00:00:00Z  -\n\
            abc            EdDSA      retired  1970-01-01T00:00:00Z  1970-01-02T00:05:00Z\n";
        assert_eq!(table(&keys), expected);
        assert_eq!(table(&[]).trim_end(), "KID  ALGORITHM  STATE  SINCE  VERIFIES UNTIL");
    }
}
