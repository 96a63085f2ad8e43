//! All rows of one database into an empty one of the other engine, in one transaction there, and the comparison of both.
//!
//! A row travels as one line of JSON, which both engines write and read by themselves: numbers as numbers, everything else as
//! text. Ids stay what they are, and the numbers that are given next go on after the last one that was ever given.
//!
//! No trigger has to be switched off for it: those that guard the audit trail and those that list what was taken back watch changes
//! and removals, and rows are only added here. What watches additions are the notices of roles and keys, which tell servers on the
//! target to look again; they are sent at the commit.

mod line;
mod plan;

use sea_orm::{ConnectionTrait, QueryResult, Statement};

use crate::{Engine, StoreError, SystemTx};
use plan::Table;

/// Rows in one statement.
const BATCH: i64 = 500;

/// Why the rows cannot be copied. The target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// One of the databases.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Both are of one engine, which has tools of its own for that.
    #[error("one of the two has to be a SQLite file and the other one a PostgreSQL database")]
    SameEngine,
    /// The role of the PostgreSQL database is not the owner of the tables, so row-level security hides rows from it.
    #[error("row-level security hides rows of {0} from this role; connect as the owner of the tables")]
    Hidden(String),
    /// The target has rows already.
    #[error("the target is not empty: there are rows in {0}")]
    NotEmpty(String),
    /// The two have different tables or columns, although both say that they are current.
    #[error("the two schemas differ in {0}")]
    Schemas(String),
}

/// A table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub table: String,
    /// The source.
    pub source: Side,
    /// The target.
    pub target: Side,
}

/// A table on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The number of its rows.
    pub rows: i64,
    /// The sum of each column of money, in hundredths.
    pub sums: Vec<(String, String)>,
}

impl Compared {
    /// Whether both sides say the same.
    pub fn is_equal(&self) -> bool {
        self.source == self.target
    }
}

/// A copy from one transaction into another.
pub struct Transfer<'a> {
    source: &'a SystemTx,
    target: &'a SystemTx,
    tables: Vec<Table>,
}

impl<'a> Transfer<'a> {
    /// Looks at both schemas, which must be current, and at the target, which must be empty. Both are of the operator's stores.
    pub async fn prepare(source: &'a SystemTx, target: &'a SystemTx) -> Result<Self, TransferError> {
        let (postgres, sqlite) = match (source.engine(), target.engine()) {
            (Engine::Postgres, Engine::Sqlite) => (source, target),
            (Engine::Sqlite, Engine::Postgres) => (target, source),
            _ => return Err(TransferError::SameEngine),
        };
        let tables = plan::tables(postgres).await?;
        plan::require_the_same(&tables, sqlite).await?;
        plan::require_sight(postgres).await?;
        let transfer = Self { source, target, tables };
        for table in &transfer.tables {
            if transfer.side(target, table).await?.rows > 0 {
                return Err(TransferError::NotEmpty(table.name.clone()));
            }
        }
        Ok(transfer)
    }

    /// How many rows there are to copy.
    pub async fn rows(&self) -> Result<u64, TransferError> {
        let mut rows = 0_u64;
        for table in &self.tables {
            rows = rows.saturating_add(u64::try_from(self.side(self.source, table).await?.rows).unwrap_or_default());
        }
        Ok(rows)
    }

    /// Copies everything; the caller commits the target. The function is told the table and how many of its rows are done more.
    pub async fn copy(&self, mut progress: impl FnMut(&str, u64)) -> Result<(), TransferError> {
        for table in &self.tables {
            let mut reader = line::Reader::open(self.source, table).await?;
            loop {
                let lines = reader.next(BATCH).await?;
                if lines.is_empty() {
                    break;
                }
                line::write(self.target, table, &lines).await?;
                progress(&table.name, u64::try_from(lines.len()).unwrap_or_default());
            }
            reader.close().await?;
            if let Some(last) = plan::last_number(self.source, table).await? {
                plan::go_on_after(self.target, table, last).await?;
            }
        }
        Ok(())
    }

    /// What both sides have now.
    pub async fn compare(&self) -> Result<Vec<Compared>, TransferError> {
        let mut compared = Vec::new();
        for table in &self.tables {
            let source = self.side(self.source, table).await?;
            let target = self.side(self.target, table).await?;
            compared.push(Compared { table: table.name.clone(), source, target });
        }
        Ok(compared)
    }

    async fn side(&self, tx: &SystemTx, table: &Table) -> Result<Side, TransferError> {
        let money: Vec<&str> = table.money().collect();
        let sums = money.iter().map(|column| format!(", CAST(COALESCE(SUM({column}), 0) AS text)"));
        let sql = format!("SELECT COUNT(*){} FROM {}", sums.collect::<String>(), table.on(tx.engine()));
        let found = rows(tx, &sql).await?;
        let row = found.first().ok_or(StoreError::Unreadable("count"))?;
        let mut side = Side { rows: row.try_get_by_index(0).map_err(StoreError::from)?, sums: Vec::new() };
        for (index, column) in money.iter().enumerate() {
            let sum = row.try_get_by_index(index.saturating_add(1)).map_err(StoreError::from)?;
            side.sums.push(((*column).to_owned(), sum));
        }
        Ok(side)
    }
}

async fn rows(tx: &SystemTx, sql: &str) -> Result<Vec<QueryResult>, StoreError> {
    let tx = tx.connection();
    Ok(tx.query_all_raw(Statement::from_string(tx.get_database_backend(), sql)).await?)
}
