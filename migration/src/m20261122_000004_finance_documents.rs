//! `finance`, the documents: invoices, bills, payments and what each payment pays.

use crate::change::NewTables;
use crate::table::Kind::{BigInt, Date, Money, Text, Timestamp, Varchar};
use crate::table::OnDelete::Restrict;
use crate::table::Part::{Check, Column, Id, Index, NamedCheck, Now, Org, Refers, Unique, UniqueWhere, Who};
use crate::table::Schema::Finance;
use crate::table::Table;

pub(crate) const CHANGE: NewTables = NewTables {
    name: "m20261122_000004_finance_documents",
    tables: &[AR_INVOICES, AP_BILLS, PAYMENTS, PAYMENT_ALLOCATIONS],
};

/// `overdue` is derived when reading, never stored.
const STATUS_FITS_PAID: &str = "(status IN ('draft', 'posted', 'cancelled') AND paid_amount_minor = 0) \
    OR (status = 'partial' AND paid_amount_minor > 0 AND paid_amount_minor < total_amount_minor) \
    OR (status = 'paid' AND paid_amount_minor = total_amount_minor)";

const AR_INVOICES: Table = Table {
    schema: Finance,
    name: "ar_invoices",
    parts: &[
        Id,
        Org,
        Column("invoice_no", Varchar(50), "NOT NULL"),
        Column("customer_id", BigInt, "NOT NULL"),
        Column("issue_date", Date, "NOT NULL"),
        Column("due_date", Date, "NOT NULL"),
        Column("total_amount_minor", Money, "NOT NULL"),
        Column("paid_amount_minor", Money, "NOT NULL DEFAULT 0"),
        Column("status", Varchar(20), "NOT NULL DEFAULT 'draft'"),
        Column("notes", Text, ""),
        Column("posted_at", Timestamp, ""),
        Column("cancelled_at", Timestamp, ""),
        Who("created_by"),
        Who("updated_by"),
        Now("created_at"),
        Now("updated_at"),
        Check("due_date", "due_date >= issue_date"),
        Check("total_amount", "total_amount_minor > 0"),
        Check("amounts", "paid_amount_minor BETWEEN 0 AND total_amount_minor"),
        Check("status", STATUS_FITS_PAID),
        Refers("org_id, customer_id", Finance, "customers", "org_id, id", Restrict),
        Unique("org_id, id"),
        Unique("org_id, invoice_no"),
        Index("org_id, issue_date, id"),
        Index("org_id, status, due_date"),
        Index("org_id, customer_id"),
    ],
};

const AP_BILLS: Table = Table {
    schema: Finance,
    name: "ap_bills",
    parts: &[
        Id,
        Org,
        Column("bill_no", Varchar(50), "NOT NULL"),
        Column("supplier_id", BigInt, "NOT NULL"),
        Column("issue_date", Date, "NOT NULL"),
        Column("due_date", Date, "NOT NULL"),
        Column("total_amount_minor", Money, "NOT NULL"),
        Column("paid_amount_minor", Money, "NOT NULL DEFAULT 0"),
        Column("status", Varchar(20), "NOT NULL DEFAULT 'draft'"),
        Column("notes", Text, ""),
        Column("posted_at", Timestamp, ""),
        Column("cancelled_at", Timestamp, ""),
        Who("created_by"),
        Who("updated_by"),
        Now("created_at"),
        Now("updated_at"),
        Check("due_date", "due_date >= issue_date"),
        Check("total_amount", "total_amount_minor > 0"),
        Check("amounts", "paid_amount_minor BETWEEN 0 AND total_amount_minor"),
        Check("status", STATUS_FITS_PAID),
        Refers("org_id, supplier_id", Finance, "suppliers", "org_id, id", Restrict),
        Unique("org_id, id"),
        UniqueWhere("org_id, bill_no", "status <> 'cancelled'", "org_id_bill_no"),
        Index("org_id, issue_date, id"),
        Index("org_id, status, due_date"),
        Index("org_id, supplier_id"),
    ],
};

const PAYMENTS: Table = Table {
    schema: Finance,
    name: "payments",
    parts: &[
        Id,
        Org,
        Column("account_id", BigInt, "NOT NULL"),
        Column("direction", Varchar(3), "NOT NULL"),
        Column("transaction_date", Date, "NOT NULL"),
        Column("amount_minor", Money, "NOT NULL"),
        Column("payment_method", Varchar(50), ""),
        Column("reference_code", Varchar(100), ""),
        Column("notes", Text, ""),
        Column("status", Varchar(20), "NOT NULL DEFAULT 'posted'"),
        Column("voided_at", Timestamp, ""),
        Who("voided_by"),
        Column("void_reason", Varchar(255), ""),
        Column("reconciliation_status", Varchar(20), "NOT NULL DEFAULT 'pending'"),
        Column("bank_transaction_ref", Varchar(100), ""),
        Column("reconciled_at", Timestamp, ""),
        Who("reconciled_by"),
        Column("reconciliation_notes", Text, ""),
        Who("created_by"),
        Now("created_at"),
        Now("updated_at"),
        Check("direction", "direction IN ('in', 'out')"),
        Check("amount", "amount_minor > 0"),
        Check("status", "status IN ('posted', 'void')"),
        Check("reconciliation_status", "reconciliation_status IN ('pending', 'matched', 'rejected')"),
        Check("voided", "(status = 'void') = (voided_at IS NOT NULL)"),
        Refers("org_id, account_id", Finance, "accounts", "org_id, id", Restrict),
        Unique("org_id, id"),
        Index("org_id, transaction_date, id"),
        Index("org_id, account_id"),
    ],
};

const PAYMENT_ALLOCATIONS: Table = Table {
    schema: Finance,
    name: "payment_allocations",
    parts: &[
        Id,
        Org,
        Column("payment_id", BigInt, "NOT NULL"),
        Column("ar_invoice_id", BigInt, ""),
        Column("ap_bill_id", BigInt, ""),
        Column("allocated_amount_minor", Money, "NOT NULL"),
        Column("notes", Text, ""),
        Now("created_at"),
        Now("updated_at"),
        Check("allocated_amount", "allocated_amount_minor > 0"),
        NamedCheck("check_allocation_target_exclusive", "(ar_invoice_id IS NULL) <> (ap_bill_id IS NULL)"),
        Refers("org_id, payment_id", Finance, "payments", "org_id, id", Restrict),
        Refers("org_id, ar_invoice_id", Finance, "ar_invoices", "org_id, id", Restrict),
        Refers("org_id, ap_bill_id", Finance, "ap_bills", "org_id, id", Restrict),
        Index("org_id, payment_id"),
        Index("org_id, ar_invoice_id"),
        Index("org_id, ap_bill_id"),
    ],
};
