//! Case-insensitive search for a part of a text, in which every character stands for itself.

use sea_orm::{
    DbBackend,
    sea_query::{Expr, ExprTrait as _, Func},
};

/// Whether a column holds the text, whatever the letter case. No pattern is involved, so nothing is to be escaped and no
/// length is too long. SQLite folds ASCII letters only.
pub(crate) fn contains(backend: DbBackend, column: Expr, text: &str) -> Expr {
    let position = if backend == DbBackend::Sqlite { "instr" } else { "strpos" };
    let (whole, part) = (Func::lower(column), Func::lower(Expr::val(text)));
    Expr::from(Func::cust(position).arg(whole).arg(part)).gt(0)
}
