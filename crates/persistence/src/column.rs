//! Column types that differ between the engines.

use sea_orm::{
    ColIdx, DbErr, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Expr, ExprTrait as _, Nullable, ValueType, ValueTypeErr},
};
use uuid::Uuid;

/// A hash of 64 digits to be looked up by. As a plain text it would be compared as text on PostgreSQL, past the index of
/// the fixed-length column.
pub(crate) fn fixed_length_hash(hash: &str) -> Expr {
    Expr::val(hash).cast_as("char(64)")
}

/// A UUID: `uuid` on PostgreSQL, text on SQLite. It is bound as a UUID; the connection writes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredUuid(pub(crate) Uuid);

impl From<StoredUuid> for Value {
    fn from(id: StoredUuid) -> Self {
        Value::Uuid(Some(id.0))
    }
}

impl Nullable for StoredUuid {
    fn null() -> Value {
        Value::Uuid(None)
    }
}

impl ValueType for StoredUuid {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Uuid as ValueType>::try_from(value).map(Self)
    }

    fn type_name() -> String {
        "StoredUuid".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::Uuid
    }

    fn column_type() -> ColumnType {
        ColumnType::Uuid
    }
}

impl TryGetable for StoredUuid {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        // SQLite holds text, which the native form refuses.
        match Uuid::try_get_by(row, index) {
            Ok(id) => Ok(Self(id)),
            Err(TryGetError::Null(column)) => Err(TryGetError::Null(column)),
            Err(TryGetError::DbErr(_)) => {
                let text = String::try_get_by(row, index)?;
                let id = Uuid::parse_str(&text).map_err(|_| DbErr::Type("not a UUID".to_owned()))?;
                Ok(Self(id))
            }
        }
    }
}

impl sea_orm::TryFromU64 for StoredUuid {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("StoredUuid"))
    }
}
