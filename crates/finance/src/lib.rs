//! The place for the use cases of partners, accounts, invoices, bills and payments. There are none yet: their tables
//! exist, their rules and routes do not.
