//! What the generator knows of inputs: which names are ids and of what, and values for inputs that only some texts fit.
//! **A new route that it cannot fill fails with the name of the list here that lacks a line.**

use serde_json::{Value, json};

/// Something that an id stands for.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// Segments of a path before its id: `/users/{id}`.
    segments: &'static [&'static str],
    /// Names of parameters and properties.
    names: &'static [&'static str],
}

const fn kind(
    (table, column): (&'static str, &'static str),
    segments: &'static [&'static str],
    names: &'static [&'static str],
) -> Kind {
    Kind { table, column, segments, names }
}

/// Every kind of id. A description may also say `x-id-of` with the name of the table.
pub(super) const KINDS: &[Kind] = &[
    kind(("organizations", "id"), &["organizations"], &["org_id", "organization_id"]),
    kind(("users", "id"), &["users", "members"], &["user_id", "user_ids", "actor_user_id", "entity_id"]),
    kind(("sessions", "id"), &["sessions"], &["session_id"]),
    kind(("invitations", "id"), &["invitations"], &["invitation_id"]),
    kind(("api_keys", "id"), &["api-keys"], &["api_key_id"]),
    kind(("customers", "id"), &["customers"], &["customer_id", "customer_ids"]),
    kind(("suppliers", "id"), &["suppliers"], &["supplier_id", "supplier_ids"]),
    kind(("accounts", "id"), &["accounts"], &["account_id", "account_ids"]),
    kind(("ar_invoices", "id"), &["invoices"], &["invoice_id", "invoice_ids", "ar_invoice_id"]),
    kind(("ap_bills", "id"), &["bills"], &["bill_id", "bill_ids", "ap_bill_id"]),
    kind(("payments", "id"), &["payments"], &["payment_id", "payment_ids"]),
    kind(("payment_allocations", "id"), &["allocations"], &["allocation_id"]),
    kind(("alerts", "id"), &["alerts"], &["alert_id", "alert_ids"]),
    kind(("export_jobs", "job_id"), &["exports", "jobs"], &["job_id"]),
    kind(("audit_log", "id"), &["audit"], &["audit_id", "event_id"]),
];

/// A header and the table and column of what it refers to.
pub(super) type Header = (&'static str, &'static str, &'static str);

/// Headers that descriptions name, and what they refer to.
const HEADERS: &[Header] = &[("Idempotency-Key", "idempotency_keys", "key")];
/// Those that refer to no row: secrets with a signature, and how far a reader has come.
const FREE_HEADERS: [&str; 2] = ["X-Device-Token", "Last-Event-ID"];

/// What a described header refers to.
///
/// # Panics
/// When nobody said what.
pub(super) fn of_header(name: &str, place: &str) -> Option<Header> {
    if FREE_HEADERS.contains(&name) {
        return None;
    }
    let found = HEADERS.iter().find(|(header, ..)| *header == name);
    Some(
        *found.unwrap_or_else(|| {
            panic!("{place}: add the header `{name}` to HEADERS or FREE_HEADERS in isolation/kinds.rs")
        }),
    )
}

/// Names that look like those of ids and are none.
const NO_IDS: [&str; 2] = ["request_id", "tax_id"];

/// Stands for a number that no other call has.
pub(super) const UNIQUE: &str = "§";

/// Values of texts that must have a certain form, by the name of the parameter or property.
pub(super) fn known_text(name: &str) -> Option<Value> {
    Some(match name {
        "email" => json!("fresh§@example.com"),
        "password" | "old_password" | "current_password" => json!("no password of anybody"),
        "new_password" => json!("three lame horses §"),
        "permissions" => json!(["read_partners"]),
        "role" => json!("cashier"),
        "roles" => json!(["cashier"]),
        "status" => json!("active"),
        "type" => json!("cash"),
        "account_type" => json!("asset"),
        "code" | "tax_code" => json!("K§"),
        "token" | "refresh_token" | "mfa_token" => json!("no-token-of-anybody"),
        "start_date" | "end_date" | "issue_date" | "transaction_date" => json!("2025-11-20"),
        "due_date" => json!("2025-12-20"),
        "direction" => json!("in"),
        "amount" | "total_amount" | "allocated_amount" | "opening_balance" => json!(1),
        _ => return None,
    })
}

/// Real words for parameters of queries that the description gives none for, and texts that match much.
const WORDS: &[(&str, &[&str])] = &[
    ("token", &["no-token-of-anybody"]),
    // Where a reader of revocations has stopped. Numbers count all revocations, as the names of tokens do.
    ("after", &["0"]),
    ("skip", &["0", "1"]),
    ("limit", &["1", "500"]),
    ("search", &["own", "a", "@example.com"]),
    ("status", &["active", "inactive", "pending", "accepted", "revoked", "expired"]),
    ("role", &["owner", "cashier"]),
    ("account_type", &["cash", "bank"]),
    ("action", &["auth.log_in", "users.created"]),
    ("entity", &["users", "sessions"]),
    ("start_date", &["1971-02-03", "2000-01-01"]),
    ("end_date", &["1971-02-04", "2999-12-31"]),
];

/// The real words of a parameter.
///
/// # Panics
/// When neither the description nor the list here has any.
pub(super) fn words(name: &str, schema: &Value, place: &str) -> Vec<String> {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let is = |kind: &str| {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.iter().any(|one| one == kind))
    };
    if is("boolean") {
        return ["true", "false"].map(str::to_owned).to_vec();
    }
    let found = WORDS.iter().find(|(of, _)| *of == name);
    let (_, words) = found.unwrap_or_else(|| {
        panic!(
            "{place}: what may `{name}` be? Describe it with an enum, or add its words to WORDS in isolation/kinds.rs"
        )
    });
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What no two rows of any organizations may have in common: the end of the path, the member, whose it is, and why.
pub(super) const UNIQUE_EVERYWHERE: &[(&str, &str, &str, &str)] = &[
    ("/users", "email", "users", "an address logs in, and a log-in names no organization"),
    ("/organizations", "email", "users", "as above; outside development nobody learns of it"),
    ("/organizations", "tax_code", "organizations", "the register of companies gives it once"),
    ("/settings", "tax_code", "organizations", "as above"),
];

/// Routes where a stranger names an account by its address; that it was tried is noted where the account is at home.
pub(super) const OF_STRANGERS: &[&str] = &["/auth/login", "/auth/forgot-password"];

/// Routes that answer a foreign id in the body with another status than 400: the end of the path, and the status.
pub(super) const REFERENCES: &[(&str, u16)] = &[("/auth/switch-organization", 404)];

/// Routes that refuse even an owner's valid input, since only a secret would do: the end of the path. All others must accept
/// what the generator makes, or what follows would prove nothing.
pub(super) const NEED_SECRETS: &[&str] = &[
    "/auth/change-password",
    "/auth/step-up",
    "/auth/mfa/confirm",
    "/auth/mfa/recovery-codes",
    "/auth/mfa/disable",
    "/invitations/join",
    // Nobody switches to where they are.
    "/auth/switch-organization",
];

/// Routes whose purpose is to tell or change to which organizations somebody belongs. People who belong to the victim as
/// well see its key and name there, and are not sent into it.
pub(super) const OF_MEMBERS: &[&str] = &["/auth/organizations", "/auth/switch-organization"];

/// The kind of a path's id, from the segment before it or its own name.
pub(super) fn of_segment(segment: &str, name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.segments.contains(&segment)).or_else(|| of_name(name))
}

/// The kind of a parameter or property; `None` when its name is no id's.
///
/// # Panics
/// When the name is an id's, and nobody said of what.
pub(super) fn of_input(name: &str, marked: Option<&str>, place: &str) -> Option<&'static Kind> {
    if let Some(table) = marked {
        let kind = KINDS.iter().find(|kind| kind.table == table);
        return Some(kind.unwrap_or_else(|| {
            panic!("{place}: `x-id-of` names {table}, which is not in KINDS of isolation/kinds.rs")
        }));
    }
    let is_id = name == "id" || name == "ids" || name.ends_with("_id") || name.ends_with("_ids");
    if !is_id || NO_IDS.contains(&name) {
        return None;
    }
    let kind = of_name(name);
    Some(kind.unwrap_or_else(|| {
        panic!("{place}: of what is `{name}` the id? Add the name to KINDS in isolation/kinds.rs, or to NO_IDS, or mark it `x-id-of`")
    }))
}

fn of_name(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.names.contains(&name))
}
