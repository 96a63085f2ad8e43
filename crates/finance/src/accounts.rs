//! Cash and bank accounts with their balances: seen by every role, kept by all but cashiers (the guards see to that).

use sme_pulse_domain::{
    account::{Account, AccountPatch, NewAccount},
    audit::{Action, Details, Origin},
    ids::AccountId,
    money::Total,
    tenant::TenantScope,
};
use sme_pulse_persistence::{AccountFilter, StoreError, TenantTx, retrying};

use crate::{Done, Finance, LedgerError, LedgerRow, Once, differences, event};

/// What a row may tell about a person.
const PERSONAL: &[&str] = &["name", "account_number"];

/// An account and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balanced {
    /// The account.
    pub account: Account,
    /// The opening balance and every payment since that is not void.
    pub balance: Total,
}

impl Finance {
    /// The account with this key.
    pub async fn account(&self, scope: TenantScope, id: AccountId) -> Result<Balanced, LedgerError> {
        let tx = self.store.begin_read(scope).await?;
        let found = tx.accounts().find(id).await?.ok_or(LedgerError::NotFound(LedgerRow::Account))?;
        one_balanced(&tx, found).await
    }

    /// How many accounts match, and a part of them, newest first.
    pub async fn accounts(
        &self,
        scope: TenantScope,
        filter: &AccountFilter,
        (skip, limit): (u64, u64),
    ) -> Result<(u64, Vec<Balanced>), LedgerError> {
        let tx = self.store.begin_read(scope).await?;
        let (total, found) = tx.accounts().list(filter, skip, limit).await?;
        Ok((total, balanced(&tx, found).await?))
    }

    /// Adds an account.
    pub async fn add_account(
        &self,
        scope: TenantScope,
        new: &NewAccount,
        once: &Once<'_, Balanced>,
        origin: &Origin,
    ) -> Result<Done<Balanced>, LedgerError> {
        retrying(|| async {
            let tx = self.store.begin(scope).await?;
            let now = self.clock.now();
            if let Some(answer) = once.before(&tx, now).await? {
                return Ok(Done::Before(answer));
            }
            let account = tx.accounts().add(new, now).await.map_err(LedgerError::writing(LedgerRow::Account))?;
            let added = Balanced { balance: account.opening_balance.into(), account };
            once.keep(&tx, &added, now).await?;
            let mut event = event(Action::AccountCreated, scope, row(&added.account), origin);
            event.after = Some(details(&added.account));
            event.personal = PERSONAL;
            tx.record(event, now).await?;
            tx.commit().await?;
            Ok(Done::Now(added))
        })
        .await
    }

    /// Changes an account and returns it as it is now. A patch that changes nothing writes nothing.
    pub async fn update_account(
        &self,
        scope: TenantScope,
        id: AccountId,
        patch: &AccountPatch,
        origin: &Origin,
    ) -> Result<Balanced, LedgerError> {
        self.change_account(scope, id, patch, Action::AccountUpdated, origin).await
    }

    /// Takes an account out of use. One that is out of use already stays as it is.
    pub async fn deactivate_account(
        &self,
        scope: TenantScope,
        id: AccountId,
        origin: &Origin,
    ) -> Result<(), LedgerError> {
        let patch = AccountPatch::deactivation();
        self.change_account(scope, id, &patch, Action::AccountDeactivated, origin).await.map(drop)
    }

    async fn change_account(
        &self,
        scope: TenantScope,
        id: AccountId,
        patch: &AccountPatch,
        action: Action,
        origin: &Origin,
    ) -> Result<Balanced, LedgerError> {
        retrying(|| async {
            let tx = self.store.begin(scope).await?;
            let found = tx.accounts().find_for_update(id).await?;
            let before = found.ok_or(LedgerError::NotFound(LedgerRow::Account))?;
            let mut after = before.patched(patch.clone());
            if after == before {
                return one_balanced(&tx, before).await;
            }
            let now = self.clock.now();
            after.updated_at = now;
            tx.accounts().save(&after).await.map_err(LedgerError::writing(LedgerRow::Account))?;
            let changed = one_balanced(&tx, after).await?;
            let mut event = event(action, scope, row(&changed.account), origin);
            (event.before, event.after) = differences(details(&before), details(&changed.account));
            event.personal = PERSONAL;
            tx.record(event, now).await?;
            tx.commit().await?;
            Ok(changed)
        })
        .await
    }
}

async fn one_balanced(tx: &TenantTx, account: Account) -> Result<Balanced, LedgerError> {
    let one = balanced(tx, vec![account]).await?.pop();
    one.ok_or(LedgerError::NotFound(LedgerRow::Account))
}

/// The accounts with what is in them, by one query for all.
async fn balanced(tx: &TenantTx, accounts: Vec<Account>) -> Result<Vec<Balanced>, LedgerError> {
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    let net = tx.accounts().net(&ids).await?;
    let balance = |account: Account| {
        let moved = net.get(&account.id).copied().unwrap_or_default();
        let balance = account.balance(moved).ok_or(StoreError::Unreadable("balance"))?;
        Ok(Balanced { account, balance })
    };
    accounts.into_iter().map(balance).collect()
}

fn row(account: &Account) -> (LedgerRow, i64) {
    (LedgerRow::Account, account.id.get())
}

fn details(account: &Account) -> Details {
    [
        ("code", account.code.clone()),
        ("name", Some(account.name.clone())),
        ("type", Some(account.kind.as_str().to_owned())),
        ("account_type", Some(account.class.as_str().to_owned())),
        ("account_number", account.account_number.clone()),
        ("bank_name", account.bank_name.clone()),
        ("opening_balance", Some(account.opening_balance.to_string())),
        ("status", Some(account.status.to_string())),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
