//! `sme-pulse users [create-owner|reset-password|disable|enable|list|import]`: they work while servers run, which follow by themselves.

mod import;
mod import_file;
mod password;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use sme_pulse_auth::service::{NewOwner, OwnerHome, UserError, create_owner, people_of, set_password, set_user_status};
use sme_pulse_domain::{
    email::Email, ids::OrgId, password_rules::check_names, person::PersonRefusal, status::Status, user::User,
};
use sme_pulse_persistence::{NewOrganization, Store};

use super::{Parts, print, seed::current_store};
use import::ImportArgs;
use password::{PasswordArgs, hash};

/// Longest names, as in the API.
const NAME_CHARACTERS: usize = 255;

/// What to do with people.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum UsersAction {
    /// Make an active owner of an organization that is there, or of a new one, and print the password once.
    CreateOwner(OwnerArgs),
    /// Give a user a new password and print it once; all their sessions end.
    ResetPassword {
        /// The user's address.
        #[arg(value_parser = email)]
        email: Email,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Keep a user out: sessions, keys and links of theirs end. Nothing is removed.
    Disable {
        /// The user's address.
        #[arg(value_parser = email)]
        email: Email,
        /// Also the last active owner of an organization.
        #[arg(long)]
        last_owner: bool,
    },
    /// Let a user sign in again.
    Enable {
        /// The user's address.
        #[arg(value_parser = email)]
        email: Email,
    },
    /// Print everybody of an organization, one a line: id, status, address, roles, last log-in, name.
    List {
        /// Its id.
        #[arg(long, value_name = "ID")]
        organization: i64,
    },
    /// Add people from a file with the hashes of their passwords, all of them or none.
    Import(ImportArgs),
}

/// The owner to be made.
#[derive(Debug, Clone, Args)]
pub(super) struct OwnerArgs {
    /// The id of an organization that is there, or the name of a new one.
    #[arg(long, value_name = "ID|NAME")]
    organization: String,
    /// The tax code of a new organization.
    #[arg(long)]
    tax_code: Option<String>,
    /// The address to log in with.
    #[arg(long, value_parser = email)]
    email: Email,
    /// The owner's name.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

pub(super) async fn run(parts: Parts, action: UsersAction) -> anyhow::Result<()> {
    let store = current_store(&parts).await?;
    let done = match action {
        UsersAction::CreateOwner(args) => owner(&parts, &store, args).await,
        UsersAction::ResetPassword { email, password } => reset(&parts, &store, (&email, password)).await,
        UsersAction::Disable { email, last_owner } => {
            set_status(&parts, &store, &email, (Status::Inactive, last_owner)).await
        }
        UsersAction::Enable { email } => set_status(&parts, &store, &email, (Status::Active, false)).await,
        UsersAction::List { organization } => list(&store, OrgId::new(organization)).await,
        UsersAction::Import(args) => import::run(&parts, &store, args).await,
    };
    store.close().await?;
    done
}

async fn owner(parts: &Parts, store: &Store, args: OwnerArgs) -> anyhow::Result<()> {
    let OwnerArgs { organization, tax_code, email, name, password } = args;
    let home = home(&organization, tax_code)?;
    let full_name = name.map(|name| text("--name", &name, NAME_CHARACTERS)).transpose()?;
    let chosen = password.choose(&*parts.rng)?;
    chosen.check(&parts.config.passwords)?;
    check_names(chosen.expose(), &email, full_name.as_deref())?;
    let owner = NewOwner { email, full_name, password_hash: hash(parts, chosen.expose())? };
    let made = create_owner(store, &home, &owner, parts.clock.now()).await.map_err(|error| match error {
        UserError::NotFound => anyhow::anyhow!("there is no organization {organization}"),
        error => told(error),
    });
    let made = made.context("nobody was made")?;
    chosen.tell();
    print(&format!("{} is an owner of organization {} (user {}).", made.email.as_str(), made.org, made.id));
    Ok(())
}

/// Digits are an id.
fn home(organization: &str, tax_code: Option<String>) -> anyhow::Result<OwnerHome> {
    if let Ok(id) = organization.parse() {
        if tax_code.is_some() {
            bail!("--tax-code belongs to a new organization; {id} is the id of one that is there");
        }
        return Ok(OwnerHome::Existing(OrgId::new(id)));
    }
    let name = text("--organization", organization, NAME_CHARACTERS)?;
    let tax_code = tax_code.map(|code| text("--tax-code", &code, 50)).transpose()?;
    Ok(OwnerHome::New(NewOrganization { name, tax_code }))
}

async fn reset(parts: &Parts, store: &Store, (email, password): (&Email, PasswordArgs)) -> anyhow::Result<()> {
    let user = find(store, email).await?;
    let chosen = password.choose(&*parts.rng)?;
    chosen.check(&parts.config.passwords)?;
    check_names(chosen.expose(), &user.email, user.full_name.as_deref())?;
    let hash = hash(parts, chosen.expose())?;
    let ended = set_password(store, (user.id, user.org), &hash, parts.clock.now()).await.map_err(told)?;
    chosen.tell();
    print(&format!("User {} has a new password; {ended} session(s) ended.", user.id));
    if !user.status.is_active() {
        print("The user is disabled; `sme-pulse users enable` lets them sign in.");
    }
    Ok(())
}

async fn set_status(
    parts: &Parts,
    store: &Store,
    email: &Email,
    (status, last_owner): (Status, bool),
) -> anyhow::Result<()> {
    let user = find(store, email).await?;
    let done = set_user_status(store, (user.id, user.org), status, last_owner, parts.clock.now()).await;
    let changed = done.map_err(|error| match error {
        UserError::Rule(rule @ PersonRefusal::LastOwner) => {
            anyhow::anyhow!("{rule} Make another owner first, or say --last-owner; nothing was changed")
        }
        error => told(error),
    })?;
    let word = if status.is_active() { "enabled" } else { "disabled" };
    let already = if changed { "" } else { " already" };
    print(&format!("User {} of organization {} is{already} {word}.", user.id, user.org));
    Ok(())
}

async fn list(store: &Store, org: OrgId) -> anyhow::Result<()> {
    let people = people_of(store, org).await.map_err(|error| match error {
        UserError::NotFound => anyhow::anyhow!("there is no organization {org}"),
        error => told(error),
    })?;
    for person in people {
        let seen = person.last_login_at.map_or_else(|| "never".to_owned(), |at| at.format("%FT%TZ").to_string());
        let name = person.full_name.as_deref().unwrap_or_default().escape_debug().to_string();
        let (status, email, roles) = (person.status(), person.email.as_str(), person.roles.codes());
        print(&format!("{}\t{status}\t{email}\t{roles}\t{seen}\t{name}", person.id));
    }
    Ok(())
}

async fn find(store: &Store, email: &Email) -> anyhow::Result<User> {
    let account = store.account_by_email(email).await?;
    Ok(account.with_context(|| format!("nobody has the address {}", email.as_str()))?.user)
}

/// A refusal in the words of this place.
fn told(error: UserError) -> anyhow::Error {
    match error {
        UserError::EmailTaken => anyhow::anyhow!("somebody has this address already, in whatever organization"),
        UserError::Store(error) if error.is_duplicate_of("tax_code") => {
            anyhow::anyhow!("another organization has this tax code")
        }
        error => error.into(),
    }
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|reason| reason.to_string())
}

/// One line that the column takes.
fn text(option: &str, text: &str, most: usize) -> anyhow::Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        bail!("{option} must be 1 to {most} characters without control characters");
    }
    Ok(text.to_owned())
}
