//! The statements that a release sends, as its tests over the API have it send them: the fixture against which the schema of
//! the next release is tried.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::process::{self, Outcome, Signals};
use crate::say::say;
use crate::test::{self, Engine};

/// Where a test finds the folder to write to.
const FOLDER: &str = "RECORD_STATEMENTS";
const FIXTURES: &str = "migration/tests/fixtures";
/// Every test has a process of its own, as the recording needs it.
const TESTS: [&str; 7] = ["nextest", "run", "-p", "sme-pulse-api", "--test", "it", "--no-fail-fast"];

/// Runs the tests on both engines and writes both fixtures.
pub(crate) fn record(signals: &Signals) -> anyhow::Result<u8> {
    let engine = test::engine(signals)?;
    if matches!(engine, Engine::Missing) {
        bail!("both engines are needed; install PostgreSQL or set TEST_POSTGRES_URL");
    }
    let folder = tempfile::tempdir()?;
    let mut command = cargo::command(&TESTS);
    command.env(FOLDER, folder.path());
    let outcome = process::run(engine.lend(&mut command), signals)?;
    if outcome != Outcome::Exited(0) {
        say("nothing was written");
        return Ok(outcome.code());
    }
    for engine in ["postgres", "sqlite"] {
        let lines = fs::read_to_string(folder.path().join(engine)).with_context(|| format!("nothing of {engine}"))?;
        let distinct = distinct(&lines);
        let file = Path::new(FIXTURES).join(format!("statements-{engine}.sql"));
        let text: String = distinct.iter().flat_map(|sql| [*sql, ";\n"]).collect();
        fs::write(cargo::root().join(&file), text).with_context(|| format!("cannot write {}", file.display()))?;
        say(format_args!("{}: {} statements", file.display(), distinct.len()));
    }
    Ok(0)
}

/// One statement of each shape, the shortest, in order.
fn distinct(lines: &str) -> Vec<&str> {
    let mut shapes: BTreeMap<String, &str> = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let kept = shapes.entry(shape(line)).or_insert(line);
        if (line.len(), line) < (kept.len(), *kept) {
            *kept = line;
        }
    }
    let mut statements: Vec<&str> = shapes.into_values().collect();
    statements.sort_unstable();
    statements
}

/// The statement without numbers, and with lists of values as if they had one: only these differ between two uses.
fn shape(sql: &str) -> String {
    let mut shape = String::new();
    let mut in_number = false;
    let mut in_word = false;
    for letter in sql.chars() {
        let digit = letter.is_ascii_digit() && !in_word;
        if !digit {
            shape.push(letter);
        } else if !in_number {
            shape.push('0');
        }
        in_number = digit;
        in_word = letter.is_alphabetic() || letter == '_' || (in_word && letter.is_ascii_digit());
    }
    let mut shape = shape.replace("$0", "?");
    for (many, one) in [("?, ?", "?"), ("0, 0", "0"), ("(?), (?)", "(?)")] {
        while shape.contains(many) {
            shape = shape.replace(many, one);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_differ_in_numbers_and_lengths_of_lists_are_one() {
        let lines = "SELECT a1 FROM t WHERE id IN ($1, $2, $3) LIMIT $4\nSELECT a1 FROM t WHERE id IN ($1) LIMIT $2\n\
            SELECT a2 FROM t WHERE id IN ($1) LIMIT $2\nINSERT INTO t (a, b) VALUES (?, ?), (?, ?)\n\
            INSERT INTO t (a, b) VALUES (?, ?)\n";
        let kept = [
            "INSERT INTO t (a, b) VALUES (?, ?)",
            "SELECT a1 FROM t WHERE id IN ($1) LIMIT $2",
            "SELECT a2 FROM t WHERE id IN ($1) LIMIT $2",
        ];
        assert_eq!(distinct(lines), kept);
    }
}
