//! Money accounts: where payments come in and go out.

/// What a money account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountType {
    /// A cash box.
    Cash,
    /// An account at a bank.
    Bank,
}

impl AccountType {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Bank => "bank",
        }
    }
}

/// What describes a new account. Its ledger class is `asset`, its opening balance zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Short code, unique in the organization.
    pub code: String,
    /// Name.
    pub name: String,
    /// Cash or bank.
    pub account_type: AccountType,
    /// Number at the bank.
    pub account_number: Option<String>,
    /// Name of the bank.
    pub bank_name: Option<String>,
}
