//! What a seed run did, and the text it prints. The report exists only once the transaction is committed.

use std::fmt::{self, Write as _};

use sme_pulse_domain::ids::OrgId;

use super::data;

/// A row by its label, and whether this run wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    label: String,
    new: bool,
}

impl Seeded {
    pub(super) fn new(label: &str) -> Self {
        Self { label: label.to_owned(), new: true }
    }

    pub(super) fn existing(label: &str) -> Self {
        Self { label: label.to_owned(), new: false }
    }
}

/// The outcome of a seed run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedReport {
    pub(super) org: OrgId,
    pub(super) roles: Vec<Seeded>,
    pub(super) organization: Seeded,
    pub(super) user: Seeded,
    pub(super) links: Vec<Seeded>,
    pub(super) customers: Vec<Seeded>,
    pub(super) suppliers: Vec<Seeded>,
    pub(super) accounts: Vec<Seeded>,
}

impl SeedReport {
    /// Whether any row was written.
    pub fn anything_new(&self) -> bool {
        self.rows().any(|row| row.new)
    }

    fn rows(&self) -> impl Iterator<Item = &Seeded> {
        let single = [&self.organization, &self.user];
        let lists = [&self.roles, &self.links, &self.customers, &self.suppliers, &self.accounts];
        single.into_iter().chain(lists.into_iter().flatten())
    }

    /// The printed text. `password` is what the last lines say when the administrator was created.
    pub fn render(&self, password: &str) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, if self.user.new { password } else { "(unchanged)" });
        text
    }

    fn write(&self, out: &mut String, password: &str) -> fmt::Result {
        let rule = "=".repeat(70);
        writeln!(out, "{rule}\nSTARTING SEED DATA INITIALIZATION\n{rule}")?;
        writeln!(out, "[1/5] Seeding Roles...")?;
        lines(out, "role", &self.roles)?;
        writeln!(out, "  Roles seed completed!")?;
        writeln!(out, "[2/5] Seeding Organizations...")?;
        lines(out, "organization", std::slice::from_ref(&self.organization))?;
        writeln!(out, "[3/5] Fetching role IDs...")?;
        writeln!(out, "[4/5] Seeding Users...")?;
        self.write_user(out)?;
        writeln!(out, "[5/5] Seeding Customers, Suppliers, and Accounts...")?;
        lines(out, "customer", &self.customers)?;
        lines(out, "supplier", &self.suppliers)?;
        lines(out, "account", &self.accounts)?;
        writeln!(out, "{rule}\nSEED DATA INITIALIZATION COMPLETED SUCCESSFULLY!\n{rule}")?;
        writeln!(out, "Test Credentials:\n  Email: {}\n  Password: {password}", data::ADMIN_EMAIL)?;
        writeln!(out, "  Roles: {}\n{rule}", role_list())
    }

    fn write_user(&self, out: &mut String) -> fmt::Result {
        let email = &self.user.label;
        if self.user.new {
            return writeln!(out, "  Created user: {email} with roles: {}", role_list());
        }
        writeln!(out, "  User already exists: {email}")?;
        for link in self.links.iter().filter(|link| link.new) {
            writeln!(out, "  Added missing role: {} to {email}", link.label)?;
        }
        Ok(())
    }
}

fn lines(out: &mut String, kind: &str, rows: &[Seeded]) -> fmt::Result {
    for row in rows {
        if row.new {
            writeln!(out, "  Created {kind}: {}", row.label)?;
        } else {
            let mut letters = kind.chars();
            let first = letters.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string());
            writeln!(out, "  {first}{} already exists: {}", letters.as_str(), row.label)?;
        }
    }
    Ok(())
}

fn role_list() -> String {
    data::ADMIN_ROLES.map(sme_pulse_domain::role::Role::code).join(", ")
}
