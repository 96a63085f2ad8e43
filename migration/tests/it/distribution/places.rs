//! Where each table would lie if the ledger were spread over several servers by organization, and what is not as such a
//! spreading wants it, with the reason. `docs/capacity.md` tells the whole of it.

/// Where the rows of a table lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// With their organization, which this column names.
    Spread(&'static str),
    /// On the one server where people sign in.
    Kept,
}

use Place::{Kept, Spread};

pub(crate) const PLACES: [(&str, Place); 32] = [
    ("analytics.alerts", Spread("org_id")),
    ("analytics.export_jobs", Spread("org_id")),
    ("analytics.settings", Spread("org_id")),
    ("auth.api_keys", Kept),
    ("auth.audit_checkpoints", Spread("chain_id")),
    ("auth.audit_heads", Spread("chain_id")),
    ("auth.audit_log", Spread("chain_id")),
    ("auth.given_passwords", Kept),
    ("auth.guess_counters", Kept),
    ("auth.idempotency_keys", Spread("org_id")),
    ("auth.invitations", Kept),
    ("auth.memberships", Kept),
    ("auth.mfa_challenges", Kept),
    ("auth.mfa_factors", Kept),
    ("auth.mfa_recovery_codes", Kept),
    ("auth.password_reset_tokens", Kept),
    ("auth.revocations", Kept),
    ("auth.service_accounts", Kept),
    ("auth.sessions", Kept),
    ("auth.sign_ups", Kept),
    ("auth.signing_keys", Kept),
    ("core.organizations", Kept),
    ("core.roles", Kept),
    ("core.user_roles", Kept),
    ("core.users", Kept),
    ("finance.accounts", Spread("org_id")),
    ("finance.ap_bills", Spread("org_id")),
    ("finance.ar_invoices", Spread("org_id")),
    ("finance.customers", Spread("org_id")),
    ("finance.payment_allocations", Spread("org_id")),
    ("finance.payments", Spread("org_id")),
    ("finance.suppliers", Spread("org_id")),
];

/// Columns that name an organization where it is not `org_id`.
pub(crate) const OTHER_COLUMNS: [(&str, &str); 3] =
    [("core.organizations", "id"), ("auth.audit_heads", "chain_id"), ("auth.audit_checkpoints", "chain_id")];

/// Tables of no organization.
pub(crate) const OF_NOBODY: [(&str, &str); 6] = [
    ("core.roles", "the same for all"),
    ("auth.guess_counters", "counts by address of a person or of a client"),
    ("auth.password_reset_tokens", "a person's, who may belong to several organizations"),
    ("auth.service_accounts", "of programs of the operator"),
    ("auth.sign_ups", "there is no organization yet"),
    ("auth.signing_keys", "of the installation"),
];

/// Organizations that may be missing.
pub(crate) const NULLABLE: [(&str, &str); 2] = [
    ("auth.audit_log", "events outside any organization are the chain 0"),
    ("auth.revocations", "some take back everything of a person, or of a key"),
];

/// Keys without the organization, of tables that have one.
pub(crate) const KEYS: [(&str, &str); 28] = [
    ("accounts_pkey", ID),
    ("alerts_pkey", ID),
    ("ap_bills_pkey", ID),
    ("api_keys_pkey", ID),
    ("ar_invoices_pkey", ID),
    ("audit_checkpoints_pkey", ID),
    ("audit_log_pkey", ID),
    ("customers_pkey", ID),
    ("export_jobs_pkey", ID),
    ("invitations_pkey", ID),
    ("mfa_challenges_pkey", ID),
    ("mfa_recovery_codes_pkey", ID),
    ("payment_allocations_pkey", ID),
    ("payments_pkey", ID),
    ("revocations_pkey", "their order is one for the whole installation"),
    ("sessions_pkey", "tokens name their session"),
    ("settings_pkey", ID),
    ("suppliers_pkey", ID),
    ("uq_api_keys_prefix", FOUND_BY_IT),
    ("uq_export_jobs_job_id", "a random number, so unique anyway"),
    ("uq_given_passwords_user_id", PERSON),
    ("uq_invitations_token_hash", FOUND_BY_IT),
    ("uq_mfa_challenges_token_hash", FOUND_BY_IT),
    ("uq_mfa_factors_user_id", PERSON),
    ("uq_mfa_recovery_codes_user_id_code_hash", PERSON),
    ("uq_organizations_tax_code", "one company is one organization"),
    ("uq_users_email", FOUND_BY_IT),
    ("users_pkey", ID),
];

const ID: &str = "ids count over all organizations";
const FOUND_BY_IT: &str = "looked up before an organization is known";
const PERSON: &str = "one for a person, in whatever organization";

/// Foreign keys that do not carry the organization, between tables that have one: all of them lead to people, who may
/// belong to several organizations and are at home in one.
pub(crate) const FOREIGN_KEYS: [&str; 20] = [
    "fk_ap_bills_created_by",
    "fk_ap_bills_updated_by",
    "fk_api_keys_created_by",
    "fk_ar_invoices_created_by",
    "fk_ar_invoices_updated_by",
    "fk_audit_log_actor_user_id",
    "fk_export_jobs_created_by",
    "fk_given_passwords_user_id",
    "fk_idempotency_keys_user_id",
    "fk_invitations_accepted_by",
    "fk_invitations_invited_by",
    "fk_memberships_user_id",
    "fk_mfa_challenges_user_id",
    "fk_mfa_factors_user_id",
    "fk_mfa_recovery_codes_user_id",
    "fk_payments_created_by",
    "fk_payments_reconciled_by",
    "fk_payments_voided_by",
    "fk_sessions_user_id",
    "fk_user_roles_user_id",
];

/// Triggers of tables that would be spread. Each looks at the row that it is called for and at nothing else.
pub(crate) const TRIGGERS: [&str; 6] = [
    "audit_checkpoints_stay",
    "audit_checkpoints_whole",
    "audit_log_erasure",
    "audit_log_fixed",
    "audit_log_stays",
    "audit_log_whole",
];
