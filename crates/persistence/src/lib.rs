//! Storage: SeaORM entities (private), repositories, transactions, and the conversion between rows and domain values.
//! It decides no rule and knows no HTTP.
//!
//! Rows of a tenant are reached only through a [`TenantTx`], which carries a `TenantScope`. What must be read before
//! a tenant is known (a log-in, a token) goes through the few named methods of [`Store`] that `repo/identity.rs` lists.
//!
//! To add a repository: a file in `repo/` whose struct borrows the transaction, and an accessor on [`TenantTx`].

mod changes;
mod chore;
mod column;
mod connection;
mod embedded;
mod engine_facts;
mod entity;
mod error;
mod migrations;
mod repo;
mod retry;
mod security;
pub mod seed;
mod settings;
mod store;
mod transfer;

pub use changes::{Change, ChangeFeed, OnChange};
pub use chore::Chore;
pub use embedded::{Contents, EmbeddedFile, InUse};
pub use engine_facts::EngineFacts;
pub use error::{StoreError, Violation};
pub use migrations::{MigrationError, MigrationPlan, SchemaStanding};
pub use repo::{
    accounts::{AccountFilter, Accounts},
    api_keys::{ApiKeyFilter, ApiKeys, KnownApiKey, NewApiKey},
    audit::{AuditFilter, AuditTrail, Batch, ChainReader, Erased, Item, Listed},
    challenges::{Challenges, OpenChallenge},
    factors::{Factors, StoredFactor, UsedStep},
    guesses::GuessAdmission,
    idempotency::{IdempotencyKeys, KeptAnswer, KeyState, KeyedRequest},
    identity::{PrincipalRow, SessionState},
    invitations::{InvitationFilter, Invitations, NewInvitation, Renewal, ShownInvitation},
    last_seen::KeyTable,
    newcomers::Newcomers,
    organizations::Organizations,
    partners::{PartnerFilter, Partners},
    passwords::{NewHash, NewResetToken, Passwords},
    people::{People, PersonFilter},
    refresh::{RefreshRow, Rotation},
    revocations::{RevocationRow, RevokedRow},
    rotate::Step,
    service_accounts::{KnownServiceAccount, NewServiceAccount},
    sessions::{EndedSessions, LogInRecord, PasswordAsOf, RenewedHash, Sessions},
    sign_ups::{NewOrganization, SignUpRow},
    signing_keys::SigningKeys,
};
pub use retry::{AsStoreError, retrying};
pub use security::RowSecurity;
pub use settings::{DatabaseSettings, Engine};
pub use store::{PoolFigures, Store, SystemTx, TenantTx};
pub use transfer::{Compared, Side, Transfer, TransferError};
