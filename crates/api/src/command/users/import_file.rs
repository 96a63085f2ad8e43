//! The rows of a file of people, each checked by itself. No complaint holds a value of the file: it may be half of a hash.

use serde::Deserialize;
use sme_pulse_auth::password::to_stored;
use sme_pulse_domain::{
    email::Email,
    person::NewPerson,
    role::{Role, RoleSet},
    status::Status,
};

use super::NAME_CHARACTERS;

/// Rows of one file.
const MOST_ROWS: usize = 100_000;

/// A person and where they stand in the file.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) person: NewPerson,
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) people: Vec<Line>,
    /// Line and complaint.
    pub(super) mistakes: Vec<(u64, String)>,
}

/// A row as it is written. There is no `Debug`: it holds a hash.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    email: String,
    #[serde(default)]
    full_name: Option<String>,
    roles: RoleList,
    #[serde(default)]
    status: Option<String>,
    password_hash: String,
}

/// JSON may have a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum RoleList {
    Text(String),
    List(Vec<String>),
}

impl Rows {
    /// Reads CSV with the names of the columns in its first line, in any order.
    pub(super) fn of_csv(bytes: &[u8]) -> Self {
        let mut rows = Self::default();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(without_mark(bytes));
        let Ok(headers) = reader.headers().cloned() else {
            rows.complain(1, "the first line must be UTF-8 text with the names of the columns");
            return rows;
        };
        for required in ["email", "roles", "password_hash"] {
            if !headers.iter().any(|name| name == required) {
                rows.complain(1, &format!("there is no column {required}"));
            }
        }
        let known = ["email", "full_name", "roles", "status", "password_hash"];
        if headers.iter().any(|name| !known.contains(&name)) {
            rows.complain(1, &format!("the columns are {}, and no others", known.join(", ")));
        }
        if !rows.mistakes.is_empty() {
            return rows;
        }
        let mut last = 1;
        for record in reader.records() {
            match record {
                Ok(record) => {
                    last = record.position().map_or(last, csv::Position::line);
                    match record.deserialize(Some(&headers)) {
                        Ok(row) => rows.add(last, row),
                        Err(_) => rows.complain(last, "the row cannot be read"),
                    }
                }
                Err(error) => {
                    last = error.position().map_or(last, csv::Position::line);
                    rows.complain(
                        last,
                        "the row has another number of columns than the first line, or is no UTF-8 text",
                    );
                }
            }
        }
        rows.finished()
    }

    /// Reads one JSON object a line; empty lines are passed over.
    pub(super) fn of_json_lines(bytes: &[u8]) -> Self {
        let mut rows = Self::default();
        for (number, line) in (1..).zip(without_mark(bytes).split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(row) => rows.add(number, row),
                Err(_) => rows.complain(
                    number,
                    "the line must be a JSON object with email, roles and password_hash, maybe full_name and status, and no others",
                ),
            }
        }
        rows.finished()
    }

    fn add(&mut self, number: u64, row: Row) {
        match person(row) {
            Ok(person) => self.people.push(Line { number, person }),
            Err(complaints) => complaints.iter().for_each(|text| self.complain(number, text)),
        }
    }

    fn complain(&mut self, number: u64, text: &str) {
        self.mistakes.push((number, text.to_owned()));
    }

    fn finished(mut self) -> Self {
        if self.people.is_empty() && self.mistakes.is_empty() {
            self.complain(1, "there is nobody in the file");
        }
        if self.people.len() > MOST_ROWS {
            self.complain(1, &format!("there are more than {MOST_ROWS} people; import them in parts"));
        }
        self
    }
}

/// Everything that is wrong with a row at once.
fn person(row: Row) -> Result<NewPerson, Vec<String>> {
    let mut complaints = Vec::new();
    let email = Email::parse(row.email.trim()).map_err(|reason| complaints.push(format!("email: {reason}"))).ok();
    let full_name = row.full_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if full_name.as_ref().is_some_and(|name| name.chars().count() > NAME_CHARACTERS || name.contains(char::is_control))
    {
        complaints.push(format!("full_name must be at most {NAME_CHARACTERS} characters without control characters"));
    }
    let roles = roles(&row.roles);
    if roles.is_none() {
        complaints.push("roles must be one or more of owner, admin, accountant, cashier".to_owned());
    }
    let status = match row.status.as_deref().map(str::trim) {
        None | Some("") => Some(Status::Active),
        Some(word) => word.parse().ok(),
    };
    if status.is_none() {
        complaints.push("status must be active or inactive".to_owned());
    }
    let hash = to_stored(row.password_hash.trim()).map_err(|refusal| complaints.push(refusal.to_string())).ok();
    match (email, roles, status, hash) {
        (Some(email), Some(roles), Some(status), Some(password_hash)) if complaints.is_empty() => {
            Ok(NewPerson { email, password_hash, full_name, status, roles })
        }
        _ => Err(complaints),
    }
}

fn roles(list: &RoleList) -> Option<RoleSet> {
    let words: Vec<&str> = match list {
        RoleList::Text(text) => text.split([',', ';', ' ', '|']).filter(|word| !word.is_empty()).collect(),
        RoleList::List(list) => list.iter().map(String::as_str).collect(),
    };
    let roles: RoleSet =
        words.iter().map(|word| word.parse::<Role>().ok()).collect::<Option<Vec<_>>>()?.into_iter().collect();
    (!roles.is_empty()).then_some(roles)
}

/// Spreadsheets begin a file with a mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}
