//! Cash and bank accounts, and what has moved on them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, NotSet, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{ExprTrait as _, Func, LockType},
};
use sme_pulse_domain::{
    account::{Account, AccountKind, LedgerClass, NewAccount},
    ids::{AccountId, OrgId},
    money::{Money, Total},
    status::Status,
    tenant::TenantScope,
};

use crate::{
    StoreError, TenantTx,
    connection::Transaction,
    entity::{TenantOwned, account, payment},
};

/// Amounts are summed in two parts, above and below this many minor units, since a sum of whole ones may not fit 64 bits.
const HALF: i64 = 1_000_000_000;

/// The accounts of the transaction's organization.
pub struct Accounts<'a> {
    tx: &'a Transaction,
    scope: TenantScope,
}

/// Which accounts are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// In use or not.
    pub status: Option<Status>,
    /// The word for cash or bank; an unknown one matches nothing.
    pub kind: Option<String>,
}

impl TenantTx {
    /// The accounts of this organization.
    pub const fn accounts(&self) -> Accounts<'_> {
        Accounts { tx: self.connection(), scope: self.scope() }
    }
}

impl Accounts<'_> {
    /// `None` for an unknown id and for another organization's id alike.
    pub async fn find(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.by_id(id).one(self.tx).await?.map(to_domain).transpose()
    }

    /// The same, locked until the transaction ends, for a read that decides a write.
    pub async fn find_for_update(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.by_id(id).lock(LockType::NoKeyUpdate).one(self.tx).await?.map(to_domain).transpose()
    }

    /// How many match, and a part of them, newest first.
    pub async fn list(&self, filter: &AccountFilter, skip: u64, limit: u64) -> Result<(u64, Vec<Account>), StoreError> {
        let mut matching = account::Entity::within(self.scope);
        if let Some(status) = filter.status {
            matching = matching.filter(account::Column::Status.eq(status.as_str()));
        }
        if let Some(kind) = &filter.kind {
            matching = matching.filter(account::Column::Kind.eq(kind.as_str()));
        }
        let total = matching.clone().count(self.tx).await?;
        let newest = matching.order_by_desc(account::Column::CreatedAt).order_by_desc(account::Column::Id);
        let rows = newest.offset(skip).limit(limit).all(self.tx).await?;
        Ok((total, rows.into_iter().map(to_domain).collect::<Result<_, _>>()?))
    }

    /// What has come in less what has gone out, over payments that are not void. Accounts without any are left out.
    pub async fn net(&self, accounts: &[AccountId]) -> Result<HashMap<AccountId, Total>, StoreError> {
        use payment::Column::{AccountId as Account, AmountMinor, Direction, Status};
        if accounts.is_empty() {
            return Ok(HashMap::new());
        }
        let total = |part| Func::sum(part).cast_as("bigint");
        let rows: Vec<(i64, String, i64, i64)> = payment::Entity::within(self.scope)
            .select_only()
            .column(Account)
            .column(Direction)
            .column_as(total(AmountMinor.into_expr().div(HALF)), "upper")
            .column_as(total(AmountMinor.into_expr().modulo(HALF)), "lower")
            .filter(Account.is_in(accounts.iter().map(|id| id.get())))
            .filter(Status.ne("void"))
            .group_by(Account)
            .group_by(Direction)
            .into_tuple()
            .all(self.tx)
            .await?;
        let mut nets: HashMap<AccountId, Total> = HashMap::new();
        for (id, direction, upper, lower) in rows {
            let moved = i128::from(upper).checked_mul(HALF.into()).and_then(|whole| whole.checked_add(lower.into()));
            let so_far = nets.entry(AccountId::new(id)).or_default();
            let sum = moved.map(Total::from_minor).and_then(|moved| match direction.as_str() {
                "in" => so_far.checked_add(moved),
                _ => so_far.checked_sub(moved),
            });
            *so_far = sum.ok_or(StoreError::Unreadable("balance"))?;
        }
        Ok(nets)
    }

    /// Adds one. A taken code is `StoreError::is_duplicate_of("code")`.
    pub async fn add(&self, new: &NewAccount, now: DateTime<Utc>) -> Result<Account, StoreError> {
        let row = new_row(self.scope.org(), new, now);
        to_domain(account::Entity::insert(row).exec_with_returning(self.tx).await?)
    }

    /// Writes what may change. A taken code is `StoreError::is_duplicate_of("code")`.
    pub async fn save(&self, changed: &Account) -> Result<(), StoreError> {
        account::Entity::update_within(self.scope)
            .set(account::ActiveModel {
                code: Set(changed.code.clone()),
                name: Set(changed.name.clone()),
                account_number: Set(changed.account_number.clone()),
                bank_name: Set(changed.bank_name.clone()),
                opening_balance_minor: Set(changed.opening_balance.minor()),
                status: Set(changed.status.as_str().to_owned()),
                updated_at: Set(changed.updated_at),
                ..Default::default()
            })
            .filter(account::Column::Id.eq(changed.id.get()))
            .exec(self.tx)
            .await?;
        Ok(())
    }

    fn by_id(&self, id: AccountId) -> Select<account::Entity> {
        account::Entity::within(self.scope).filter(account::Column::Id.eq(id.get()))
    }
}

/// The row of a new account.
pub(crate) fn new_row(org: OrgId, new: &NewAccount, now: DateTime<Utc>) -> account::ActiveModel {
    account::ActiveModel {
        id: NotSet,
        org_id: Set(org.get()),
        code: Set(new.code.clone()),
        name: Set(new.name.clone()),
        account_type: Set(new.class.as_str().to_owned()),
        kind: Set(new.kind.as_str().to_owned()),
        account_number: Set(new.account_number.clone()),
        bank_name: Set(new.bank_name.clone()),
        opening_balance_minor: Set(new.opening_balance.minor()),
        status: Set(new.status.as_str().to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

fn to_domain(row: account::Model) -> Result<Account, StoreError> {
    Ok(Account {
        id: AccountId::new(row.id),
        org: OrgId::new(row.org_id),
        kind: AccountKind::of(&row.kind).ok_or(StoreError::Unreadable("type"))?,
        class: LedgerClass::of(&row.account_type).ok_or(StoreError::Unreadable("account_type"))?,
        opening_balance: Money::from_minor(row.opening_balance_minor),
        status: row.status.parse().map_err(|_| StoreError::Unreadable("status"))?,
        code: row.code,
        name: row.name,
        account_number: row.account_number,
        bank_name: row.bank_name,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
