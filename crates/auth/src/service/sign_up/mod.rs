//! Companies sign up: in development at once, elsewhere when the first owner has confirmed the address. Until then there
//! is neither an organization nor a user, and whether anybody has the address shows neither in the answer nor in its time.

mod desk;

use chrono::{DateTime, Utc};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, Details, Origin},
    email::Email,
    ids::{OrgId, UserId},
    organization::Organization,
    password_rules::{self, WeakPassword},
    person::{NewPerson, Person},
    role::Role,
    status::Status,
    tenant::TenantScope,
};
use sme_pulse_persistence::{AsStoreError, NewOrganization, SignUpRow, StoreError, SystemTx, TenantTx, retrying};
use zeroize::Zeroizing;

use super::{
    AuthService,
    applicants::with_link,
    errands::{Errand, ErrandsFull},
    guesses::{GuessError, GuessScope},
    one_time_token::{OneTimeToken, TokenKind},
};
use crate::password::{HashError, Verdict};

pub(super) use desk::{PendingSignUp, SignUpDesk};

/// A company signs up with its first owner. There is no `Debug`: it holds a password.
pub struct SignUp {
    /// Name of the company.
    pub name: String,
    /// Its tax code.
    pub tax_code: Option<String>,
    /// The owner's name.
    pub full_name: String,
    /// The owner's address.
    pub email: Email,
    /// The owner's password; its length has been checked.
    pub password: Zeroizing<String>,
    /// The request and the client's address.
    pub origin: Origin,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum SignedUp {
    /// The organization is there.
    Founded(Box<Founded>),
    /// A mail leaves, whatever is known of its address.
    ToBeConfirmed,
}

/// A new organization and its first owner.
#[derive(Debug, Clone)]
pub struct Founded {
    /// The organization.
    pub organization: Organization,
    /// The owner.
    pub owner: Person,
}

/// Why a company could not sign up, or confirm that it did.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Somebody has the address. Told in development, and to who has shown that it is theirs.
    #[error("the address has an account")]
    EmailTaken,
    /// Another organization has the tax code.
    #[error("another organization has this tax code")]
    TaxCodeTaken,
    /// The password is refused; the sentence is for the client.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The token is malformed, unknown, used or expired.
    #[error("the confirmation is not valid")]
    InvalidLink,
    /// The address got an account after its owner had signed up.
    #[error("the address has got an account meanwhile")]
    HasAccount,
    /// Too much waits to be done after its answer.
    #[error(transparent)]
    Errands(#[from] ErrandsFull),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for SignUpError {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate_of("tax_code") {
            Self::TaxCodeTaken
        } else if error.is_duplicate_of("email") {
            Self::EmailTaken
        } else {
            Self::Store(error)
        }
    }
}

impl AsStoreError for SignUpError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl AuthService {
    /// Signs a company up.
    pub async fn sign_up(&self, new: SignUp) -> Result<SignedUp, SignUpError> {
        let SignUp { name, tax_code, full_name, email, password, origin } = new;
        password_rules::check_names(&password, &email, Some(&full_name))?;
        // Before the hash, and whoever has the address. The unique index decides when it comes to it.
        if let Some(tax_code) = &tax_code
            && self.parts.store.is_tax_code_taken(tax_code).await?
        {
            return Err(SignUpError::TaxCodeTaken);
        }
        let password_hash = self.parts.passwords.hash(self.at_the_door(&email, None, None, &origin), password).await?;
        let row = SignUpRow { email, full_name, password_hash, organization: NewOrganization { name, tax_code } };
        if self.parts.settings.confirm_sign_ups {
            self.errands.push(Errand::SignUp(Box::new(PendingSignUp { row, origin })))?;
            return Ok(SignedUp::ToBeConfirmed);
        }
        let founded = retrying(|| async {
            let now = self.parts.clock.now();
            let (tx, founded) = found(self.parts.store.begin_system().await?, &row, now).await?;
            tx.record(created(&founded, &origin), now).await?;
            tx.commit().await?;
            Ok::<_, SignUpError>(founded)
        });
        Ok(SignedUp::Founded(Box::new(founded.await?)))
    }

    /// Founds the organization that a link belongs to, with its first owner, for who knows the password of the sign-up. The
    /// link works once, also when it is used several times at the same moment; where the organization cannot be founded,
    /// it is not used up.
    pub async fn confirm_sign_up(
        &self,
        token: &str,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<Founded, SignUpError> {
        let token = OneTimeToken::parse(TokenKind::SignUp, token).ok_or(SignUpError::InvalidLink)?.hash();
        self.prove_sign_up(&token, password, origin).await?;
        let founded = retrying(|| async {
            let now = self.parts.clock.now();
            let tx = self.parts.store.begin_system().await?;
            let row = tx.take_sign_up(&token, now).await?.ok_or(SignUpError::InvalidLink)?;
            let (tx, founded) = found(tx, &row, now).await?;
            tx.record(created(&founded, origin), now).await?;
            let owner = &founded.owner;
            tx.record(AuditEvent::by_user(Action::SignUpConfirmed, (owner.id, owner.org), origin), now).await?;
            tx.commit().await?;
            Ok(founded)
        });
        founded.await.map_err(|error| match error {
            SignUpError::EmailTaken => SignUpError::HasAccount,
            other => other,
        })
    }
}

impl AuthService {
    /// Whether the password is that of the sign-up. The link alone shows whose the address is, not who signed up with it: one
    /// click would give its owner an account with a stranger's password. Too many guesses are refused like wrong ones.
    async fn prove_sign_up(
        &self,
        token: &str,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<(), SignUpError> {
        let waiting = retrying(|| async {
            // Without a commit it stays where it is.
            self.parts.store.begin_system().await?.take_sign_up(token, self.parts.clock.now()).await
        });
        // Before anything is counted: tokens that somebody made up leave no counters.
        let stored = waiting.await?.ok_or(SignUpError::InvalidLink)?.password_hash;
        let admitted = self.guesses.admit(GuessScope::SignUpPassword, token, None).await;
        let guess = admitted.map_err(|error| match error {
            GuessError::TooEarly(_) => SignUpError::InvalidLink,
            GuessError::Store(cause) => cause.into(),
        })?;
        match self.parts.passwords.verify(with_link(origin), password, Some(stored)).await {
            Ok(Verdict::Match { .. }) => Ok(self.guesses.right(&guess).await?),
            Ok(Verdict::Mismatch | Verdict::Unreadable) => Err(SignUpError::InvalidLink),
            Err(overloaded) => {
                self.guesses.unchecked(&guess).await?;
                Err(HashError::from(overloaded).into())
            }
        }
    }
}

/// An organization with nothing in it but its owner.
async fn found(tx: SystemTx, row: &SignUpRow, at: DateTime<Utc>) -> Result<(TenantTx, Founded), StoreError> {
    tx.ensure_roles(at).await?;
    let organization = tx.found(&row.organization, at).await?;
    let tx = tx.go_on_in(scope_of(organization.id, None)).await?;
    let first = NewPerson {
        email: row.email.clone(),
        password_hash: row.password_hash.clone(),
        full_name: Some(row.full_name.clone()),
        status: Status::Active,
        roles: [Role::Owner].into_iter().collect(),
    };
    let user = tx.people().create(&first, at).await?;
    let owner = first.stored_as(user, organization.id, at);
    Ok((tx, Founded { organization, owner }))
}

fn created(founded: &Founded, origin: &Origin) -> AuditEvent {
    let Founded { organization, owner } = founded;
    let details = [
        ("name", Some(organization.name.clone())),
        ("tax_code", organization.tax_code.clone()),
        ("owner", Some(owner.email.as_str().to_owned())),
    ];
    let event = AuditEvent::new(Action::OrganizationCreated, Some(organization.id), origin.clone());
    AuditEvent {
        actor: Some(owner.id),
        entity: Some("organizations"),
        entity_id: Some(organization.id.get()),
        after: Some(Details::from(details.map(|(name, value)| (name.to_owned(), value)))),
        personal: &["name", "tax_code", "owner"],
        ..event
    }
}

#[expect(clippy::disallowed_methods, reason = "the organization is founded in this very transaction")]
const fn scope_of(org: OrgId, user: Option<UserId>) -> TenantScope {
    TenantScope::assume_verified(org, user)
}
