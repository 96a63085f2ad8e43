//! Hashing of passwords, and the password the seeder gives the first administrator.

use std::num::NonZeroUsize;

use super::{
    keys::{BCRYPT_COST, HASH_CONCURRENCY, PASSWORD_HASHER, PASSWORD_MIN_LENGTH, SEED_ADMIN_PASSWORD},
    reader::{Reader, digits},
    secret::Secret,
};

/// Most hashes at once that can be asked for.
const CONCURRENCY_CEILING: usize = 1024;

/// How passwords are hashed.
#[derive(Debug, Clone, Copy)]
pub struct Passwords {
    /// Least length of new passwords in characters, 6 to 72.
    pub min_length: usize,
    /// The algorithm of new hashes.
    pub hasher: HasherKind,
    /// 10 to 15; from 4 in development.
    pub bcrypt_cost: u32,
    /// Threads that hash, at least 1.
    pub hash_concurrency: usize,
}

/// The algorithms of password hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HasherKind {
    /// bcrypt, at the configured cost.
    Bcrypt,
    /// Argon2id, with fixed parameters.
    Argon2id,
}

/// What the seeder uses.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The administrator's first password.
    pub admin_password: Secret,
    /// Whether `BACKEND_SEED_ADMIN_PASSWORD` is set.
    pub from_variable: bool,
}

impl Seed {
    /// What everybody knows.
    pub const DEFAULT_PASSWORD: &str = SEED_ADMIN_PASSWORD.default;

    /// Whether the password is the publicly known one, set or not; refused outside development by the seeder.
    pub fn is_default(&self) -> bool {
        self.admin_password.expose() == SEED_ADMIN_PASSWORD.default
    }
}

pub(super) fn read(reader: &mut Reader<'_>, development: bool) -> Option<Passwords> {
    let min_length = reader.number(PASSWORD_MIN_LENGTH, 6..=72);
    let hasher = reader.value(PASSWORD_HASHER, "must be bcrypt or argon2id", |text| match text {
        "bcrypt" => Some(HasherKind::Bcrypt),
        "argon2id" => Some(HasherKind::Argon2id),
        _ => None,
    });
    let bcrypt_cost = reader.number(BCRYPT_COST, if development { 4..=15 } else { 10..=15 });
    let hash_concurrency = concurrency(reader);
    Some(Passwords {
        min_length: min_length?,
        hasher: hasher?,
        bcrypt_cost: bcrypt_cost?,
        hash_concurrency: hash_concurrency?,
    })
}

/// One core stays free for the requests that do not hash.
fn concurrency(reader: &mut Reader<'_>) -> Option<usize> {
    let Some(text) = reader.given(HASH_CONCURRENCY) else {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let spare = cores.saturating_sub(1).clamp(1, CONCURRENCY_CEILING);
        reader.show(HASH_CONCURRENCY, spare);
        return Some(spare);
    };
    let number = digits(text.trim()).filter(|number| (1..=CONCURRENCY_CEILING).contains(number));
    match number {
        Some(number) => reader.show(HASH_CONCURRENCY, number),
        None => reader.refuse(HASH_CONCURRENCY, format!("must be a whole number from 1 to {CONCURRENCY_CEILING}")),
    }
    number
}

pub(super) fn seed(reader: &mut Reader<'_>) -> Option<Seed> {
    let given = reader.given(SEED_ADMIN_PASSWORD);
    let text = given.unwrap_or(SEED_ADMIN_PASSWORD.default);
    if text.chars().count() < 6 || text.len() > 72 || text.contains('\0') {
        reader.refuse(SEED_ADMIN_PASSWORD, "must have at least 6 characters and at most 72 bytes");
        return None;
    }
    reader.show(SEED_ADMIN_PASSWORD, "***");
    Some(Seed { admin_password: Secret::new(text), from_variable: given.is_some() })
}
