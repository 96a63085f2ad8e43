//! Passwords at the command line: drawn, or read from standard input, never an argument that others see in the list of processes.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use clap::Args;
use password_hash::PasswordHasher as _;
use sme_pulse_auth::service::temporary_password;
use sme_pulse_domain::{password_rules::check_common, rng::Rng};
use zeroize::Zeroizing;

use super::super::{Parts, print, serve::hasher};
use crate::config::Passwords;

/// More is no password of anybody.
const LONGEST_INPUT: u64 = 4_096;

/// Where the password comes from.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::command) struct PasswordArgs {
    /// Read the password from the first line of standard input instead of drawing one.
    #[arg(long)]
    password_stdin: bool,
}

/// A password, and whether its owner has to be told. There is no `Debug`.
pub(super) struct Chosen {
    password: Zeroizing<String>,
    is_drawn: bool,
}

impl PasswordArgs {
    pub(super) fn choose(self, rng: &dyn Rng) -> anyhow::Result<Chosen> {
        if !self.password_stdin {
            return Ok(Chosen { password: temporary_password(rng), is_drawn: true });
        }
        let mut input = Zeroizing::new(String::new());
        std::io::stdin().take(LONGEST_INPUT).read_to_string(&mut input).context("no password on standard input")?;
        let line = input.lines().next().unwrap_or_default();
        Ok(Chosen { password: Zeroizing::new(line.to_owned()), is_drawn: false })
    }
}

impl Chosen {
    pub(super) fn expose(&self) -> &str {
        &self.password
    }

    /// The rules of new passwords; those about names are asked where the names are.
    pub(super) fn check(&self, passwords: &Passwords) -> anyhow::Result<()> {
        let (least, most) = (passwords.min_length, hasher(passwords).max_password_bytes());
        if self.password.chars().count() < least || self.password.len() > most || self.password.contains('\0') {
            bail!("the password must have at least {least} characters and at most {most} bytes");
        }
        check_common(&self.password)?;
        Ok(())
    }

    /// The drawn one on a line of its own; one that was given is known.
    pub(super) fn tell(&self) {
        if self.is_drawn {
            print(&self.password);
        }
    }
}

/// Its hash, as new ones are made.
pub(super) fn hash(parts: &Parts, password: &str) -> anyhow::Result<String> {
    let mut salt = [0; 16];
    parts.rng.fill(&mut salt);
    let hash = hasher(&parts.config.passwords).hash_password_with_salt(password.as_bytes(), &salt);
    hash.map_err(|_| anyhow::anyhow!("the password cannot be hashed"))
}
