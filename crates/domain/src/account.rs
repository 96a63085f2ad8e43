//! Money accounts: where payments come in and go out.

use chrono::{DateTime, Utc};

use crate::{
    ids::{AccountId, OrgId},
    money::{Money, Total},
    status::Status,
};

/// What a money account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A cash box.
    Cash,
    /// An account at a bank.
    Bank,
}

impl AccountKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cash, Self::Bank];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Bank => "bank",
        }
    }

    /// The kind that a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where an account stands in the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LedgerClass {
    /// What is owned: the class of cash and bank unless something else is said.
    #[default]
    Asset,
    /// What is owed.
    Liability,
    /// What belongs to the owners.
    Equity,
    /// What is earned.
    Income,
    /// What is spent.
    Expense,
}

impl LedgerClass {
    /// All of them, in the order of texts.
    pub const ALL: [Self; 5] = [Self::Asset, Self::Liability, Self::Equity, Self::Income, Self::Expense];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }

    /// The class that a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// A row of `finance.accounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Key.
    pub id: AccountId,
    /// The organization whose account it is.
    pub org: OrgId,
    /// Short code, unique in the organization when given.
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// Cash or bank.
    pub kind: AccountKind,
    /// Where it stands in the ledger.
    pub class: LedgerClass,
    /// Number at the bank.
    pub account_number: Option<String>,
    /// Name of the bank.
    pub bank_name: Option<String>,
    /// What was in it before the first payment; may be negative.
    pub opening_balance: Money,
    /// Inactive ones stay for the sake of their payments, and get no new ones.
    pub status: Status,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What describes a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Short code, unique in the organization when given.
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// Cash or bank.
    pub kind: AccountKind,
    /// Where it stands in the ledger.
    pub class: LedgerClass,
    /// Number at the bank.
    pub account_number: Option<String>,
    /// Name of the bank.
    pub bank_name: Option<String>,
    /// What is in it before the first payment; may be negative.
    pub opening_balance: Money,
    /// Whether it may get payments from the beginning.
    pub status: Status,
}

/// A partial update: `None` leaves a field, `Some(None)` clears it. Kind and class never change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPatch {
    /// New name; it cannot be cleared.
    pub name: Option<String>,
    /// New code.
    pub code: Option<Option<String>>,
    /// New number at the bank.
    pub account_number: Option<Option<String>>,
    /// New name of the bank.
    pub bank_name: Option<Option<String>>,
    /// New opening balance; it cannot be cleared.
    pub opening_balance: Option<Money>,
    /// Taken out of use, or into it again.
    pub status: Option<Status>,
}

impl AccountPatch {
    /// The patch that takes an account out of use.
    pub fn deactivation() -> Self {
        Self { status: Some(Status::Inactive), ..Self::default() }
    }
}

impl Account {
    /// The account with the patch applied.
    #[must_use]
    pub fn patched(&self, patch: AccountPatch) -> Self {
        Self {
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            code: patch.code.unwrap_or_else(|| self.code.clone()),
            account_number: patch.account_number.unwrap_or_else(|| self.account_number.clone()),
            bank_name: patch.bank_name.unwrap_or_else(|| self.bank_name.clone()),
            opening_balance: patch.opening_balance.unwrap_or(self.opening_balance),
            status: patch.status.unwrap_or(self.status),
            ..*self
        }
    }

    /// What is in it, given what has come in less what has gone out; `None` when that fits no number.
    pub fn balance(&self, net: Total) -> Option<Total> {
        net.checked_add(self.opening_balance.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_is_the_opening_balance_and_what_moved_since() {
        let at = DateTime::from_timestamp_micros(5).unwrap();
        let account = Account {
            id: AccountId::new(7),
            org: OrgId::new(1),
            code: None,
            name: "A".into(),
            kind: AccountKind::Cash,
            class: LedgerClass::Asset,
            account_number: None,
            bank_name: None,
            opening_balance: Money::from_minor(-250),
            status: Status::Active,
            created_at: at,
            updated_at: at,
        };
        assert_eq!(account.balance(Total::ZERO).unwrap().to_string(), "-2.5");
        let beyond_one_amount = Total::from_minor(i128::from(i64::MAX) * 100);
        assert_eq!(account.balance(beyond_one_amount).unwrap().to_string(), "9223372036854775804.5");
        assert_eq!(account.balance(Total::from_minor(i128::MIN)), None);
        let renamed = AccountPatch { name: Some("B".into()), ..Default::default() };
        assert_eq!(account.patched(renamed), Account { name: "B".into(), ..account });
    }

    #[test]
    fn words_are_read_back_as_they_are_written() {
        for kind in AccountKind::ALL {
            assert_eq!(AccountKind::of(kind.as_str()), Some(kind));
        }
        for class in LedgerClass::ALL {
            assert_eq!(LedgerClass::of(class.as_str()), Some(class));
        }
        assert_eq!((AccountKind::of("Cash"), LedgerClass::of("")), (None, None));
    }
}
