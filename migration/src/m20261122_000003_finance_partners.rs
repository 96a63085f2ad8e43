//! `finance`, the part that lasts: customers, suppliers and accounts.

use crate::change::NewTables;
use crate::table::Kind::{Integer, Money, Text, Varchar};
use crate::table::Part::{Active, Check, Column, Id, Index, Now, Org, Unique};
use crate::table::Schema::Finance;
use crate::table::Table;

pub(crate) const CHANGE: NewTables =
    NewTables { name: "m20261122_000003_finance_partners", tables: &[CUSTOMERS, SUPPLIERS, ACCOUNTS] };

const CUSTOMERS: Table = Table {
    schema: Finance,
    name: "customers",
    parts: &[
        Id,
        Org,
        Column("code", Varchar(50), ""),
        Column("name", Varchar(255), "NOT NULL"),
        Column("tax_code", Varchar(50), ""),
        Column("contact_person", Varchar(255), ""),
        Column("email", Varchar(255), ""),
        Column("phone", Varchar(50), ""),
        Column("address", Text, ""),
        Column("credit_term", Integer, "NOT NULL DEFAULT 30"),
        Active,
        Now("created_at"),
        Now("updated_at"),
        Check("credit_term", "credit_term BETWEEN 0 AND 365"),
        Unique("org_id, id"),
        Unique("org_id, code"),
        Index("org_id, created_at, id"),
        Index("org_id, tax_code"),
    ],
};

const SUPPLIERS: Table = Table {
    schema: Finance,
    name: "suppliers",
    parts: &[
        Id,
        Org,
        Column("code", Varchar(50), ""),
        Column("name", Varchar(255), "NOT NULL"),
        Column("tax_code", Varchar(50), ""),
        Column("contact_person", Varchar(255), ""),
        Column("email", Varchar(255), ""),
        Column("phone", Varchar(50), ""),
        Column("address", Text, ""),
        Column("payment_term", Integer, "NOT NULL DEFAULT 30"),
        Active,
        Now("created_at"),
        Now("updated_at"),
        Check("payment_term", "payment_term BETWEEN 0 AND 365"),
        Unique("org_id, id"),
        Unique("org_id, code"),
        Index("org_id, created_at, id"),
        Index("org_id, tax_code"),
    ],
};

const ACCOUNTS: Table = Table {
    schema: Finance,
    name: "accounts",
    parts: &[
        Id,
        Org,
        Column("code", Varchar(50), ""),
        Column("name", Varchar(255), "NOT NULL"),
        // The ledger class; `type` says what kind of money lies there.
        Column("account_type", Varchar(20), "NOT NULL DEFAULT 'asset'"),
        Column("type", Varchar(20), "NOT NULL"),
        Column("account_number", Varchar(50), ""),
        Column("bank_name", Varchar(255), ""),
        // May be negative.
        Column("opening_balance_minor", Money, "NOT NULL DEFAULT 0"),
        Active,
        Now("created_at"),
        Now("updated_at"),
        Check("account_type", "account_type IN ('asset', 'liability', 'equity', 'income', 'expense')"),
        Check("type", "type IN ('cash', 'bank')"),
        Unique("org_id, id"),
        Unique("org_id, code"),
        Index("org_id, created_at, id"),
    ],
};
