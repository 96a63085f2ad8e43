//! Keys, foreign keys, triggers and policies as PostgreSQL's catalog has them, and what they lack.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm_migration::sea_orm::DatabaseConnection;

use super::places::{FOREIGN_KEYS, KEYS, NULLABLE, OF_NOBODY, OTHER_COLUMNS, PLACES, Place, TRIGGERS};
use crate::support::texts;

const OURS: &str = "n.nspname IN ('core', 'finance', 'analytics', 'auth')";

/// A primary key or another unique one.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

/// Column by column, from this table to that one.
#[derive(Debug)]
pub(crate) struct ForeignKey {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) to: String,
    pub(crate) pairs: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Look {
    /// Of each table the columns that could name an organization, and whether they may be null.
    pub(crate) tables: BTreeMap<String, BTreeMap<String, bool>>,
    pub(crate) keys: Vec<Key>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    triggers: Vec<(String, String)>,
    /// Tables whose policies call a function of ours.
    asking: Vec<String>,
}

/// Each table with those of the columns that matter, and whether they may be null.
async fn tables(db: &DatabaseConnection) -> BTreeMap<String, BTreeMap<String, bool>> {
    let columns = rows(
        db,
        &format!(
            "SELECT concat_ws('|', n.nspname || '.' || r.relname, coalesce(a.attname, ''), coalesce(a.attnotnull, false)) \
             FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace LEFT JOIN pg_attribute a \
             ON a.attrelid = r.oid AND a.attname IN ('id', 'org_id', 'chain_id') AND NOT a.attisdropped \
             WHERE r.relkind = 'r' AND {OURS}"
        ),
    )
    .await;
    let mut tables = BTreeMap::<_, BTreeMap<_, _>>::new();
    for [table, column, fixed] in columns {
        tables.entry(table).or_default().insert(column, fixed == "f");
    }
    tables
}

impl Look {
    pub(crate) async fn at(db: &DatabaseConnection) -> Self {
        let tables = tables(db).await;
        let keys = rows(
            db,
            &format!(
                "SELECT concat_ws('|', n.nspname || '.' || r.relname, x.relname, (SELECT string_agg(a.attname, ',' ORDER BY k.n) \
                 FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(att, n) \
                 JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.att)) \
                 FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid \
                 JOIN pg_namespace n ON n.oid = r.relnamespace WHERE i.indisunique AND {OURS} ORDER BY 1"
            ),
        )
        .await;
        let keys =
            keys.into_iter().map(|[table, name, columns]| Key { table, name, columns: list(&columns) }).collect();
        let foreign_keys = rows(
            db,
            &format!(
                "SELECT concat_ws('|', n.nspname || '.' || r.relname, c.conname, \
                 (SELECT t.relnamespace::regnamespace || '.' || t.relname FROM pg_class t WHERE t.oid = c.confrelid), \
                 (SELECT string_agg(f.attname || '>' || t.attname, ',' ORDER BY k.n) \
                 FROM unnest(c.conkey, c.confkey) WITH ORDINALITY k(f, t, n) \
                 JOIN pg_attribute f ON f.attrelid = c.conrelid AND f.attnum = k.f \
                 JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = k.t)) \
                 FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace \
                 WHERE c.contype = 'f' AND {OURS} ORDER BY 1"
            ),
        )
        .await;
        let pair = |text: &String| text.split_once('>').map(|(from, to)| (from.to_owned(), to.to_owned()));
        let foreign_key = |[table, name, to, pairs]: [String; 4]| {
            let pairs = list(&pairs).iter().filter_map(pair).collect();
            ForeignKey { table, name, to, pairs }
        };
        let triggers = format!(
            "SELECT n.nspname || '.' || r.relname || '|' || t.tgname FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid \
             JOIN pg_namespace n ON n.oid = r.relnamespace WHERE NOT t.tgisinternal AND {OURS}"
        );
        let policies = "SELECT DISTINCT schemaname || '.' || tablename FROM pg_policies \
             WHERE concat(qual, with_check) ~ '(is_|belongs_|auth\\.|EXISTS)'";
        Self {
            tables,
            keys,
            foreign_keys: foreign_keys.into_iter().map(foreign_key).collect(),
            triggers: rows(db, &triggers).await.into_iter().map(|[table, name]| (table, name)).collect(),
            asking: texts(db, policies).await,
        }
    }

    /// The column that names the organization of a row, if the table has one.
    pub(crate) fn column(&self, table: &str) -> Option<&str> {
        let other = OTHER_COLUMNS.iter().find(|(name, _)| *name == table).map(|(_, column)| *column);
        let (column, _) = self.tables.get(table)?.get_key_value(other.unwrap_or("org_id"))?;
        Some(column)
    }

    pub(crate) fn may_be_null(&self, table: &str) -> bool {
        let column = self.column(table);
        column.and_then(|column| self.tables.get(table)?.get(column)).copied().unwrap_or_default()
    }

    /// Whether a key of this table holds the organization.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.column(&key.table).is_some_and(|column| key.columns.iter().any(|one| one == column))
    }

    /// Whether the organization of one side is that of the other.
    pub(crate) fn carries(&self, key: &ForeignKey) -> bool {
        let (from, to) = (self.column(&key.table), self.column(&key.to));
        from.zip(to).is_some_and(|(from, to)| key.pairs.iter().any(|(one, other)| one == from && other == to))
    }

    /// Where the catalog is not what the lists say, in either direction.
    pub(crate) fn surprises(&self) -> Vec<String> {
        let tables = || self.tables.keys().map(String::as_str);
        let both_have = |key: &&ForeignKey| self.column(&key.table).is_some() && self.column(&key.to).is_some();
        let spread = |table: &str| matches!(place(table), Some(Place::Spread(_)));
        let mut found = Vec::new();
        let mut compare = |what: &str, are: BTreeSet<&str>, named: BTreeSet<&str>| {
            found.extend(are.difference(&named).map(|one| format!("{what}: {one} is not in the list")));
            found.extend(named.difference(&are).map(|one| format!("{what}: {one} is in the list, but not so")));
        };
        compare("table", tables().collect(), PLACES.iter().map(|(name, _)| *name).collect());
        compare("no organization", tables().filter(|table| self.column(table).is_none()).collect(), names(&OF_NOBODY));
        compare("may be null", tables().filter(|table| self.may_be_null(table)).collect(), names(&NULLABLE));
        let keys = self.keys.iter().filter(|key| self.column(&key.table).is_some() && !self.holds(key));
        compare("key without organization", keys.map(|key| &*key.name).collect(), names(&KEYS));
        let foreign_keys = self.foreign_keys.iter().filter(both_have).filter(|key| !self.carries(key));
        let foreign_keys = foreign_keys.map(|key| &*key.name).collect();
        compare("foreign key without organization", foreign_keys, FOREIGN_KEYS.into());
        let triggers = self.triggers.iter().filter(|(table, _)| spread(table)).map(|(_, name)| &**name).collect();
        compare("trigger of a spread table", triggers, TRIGGERS.into());
        let asking = self.asking.iter().map(String::as_str).filter(|table| spread(table)).collect();
        compare("policy of a spread table that asks another one", asking, BTreeSet::new());
        found
    }

    /// What keeps the tables from being spread: what Citus demands of keys and foreign keys.
    pub(crate) fn obstacles(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (table, place) in PLACES {
            let Place::Spread(column) = place else { continue };
            let columns = self.tables.get(table);
            if columns.and_then(|columns| columns.get(column)) != Some(&false) {
                found.push(format!("{table}: {column} is missing or may be null"));
            }
            let lacking = |key: &&Key| key.table == table && !key.columns.iter().any(|one| one == column);
            found.extend(self.keys.iter().filter(lacking).map(|key| format!("{}: lacks {column}", key.name)));
        }
        for key in &self.foreign_keys {
            let together = match (place(&key.table), place(&key.to)) {
                (Some(Place::Spread(from)), Some(Place::Spread(to))) => {
                    key.pairs.iter().any(|(one, other)| one == from && other == to)
                }
                (from, to) => from == to,
            };
            if !together {
                found.push(format!("{}: its two rows may lie on two servers", key.name));
            }
        }
        found
    }
}

pub(crate) fn place(table: &str) -> Option<Place> {
    PLACES.iter().find(|(name, _)| *name == table).map(|(_, place)| *place)
}

fn names(list: &[(&'static str, &str)]) -> BTreeSet<&'static str> {
    list.iter().map(|(name, _)| *name).collect()
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

/// Rows of one text whose cells are divided by bars.
async fn rows<const N: usize>(db: &DatabaseConnection, sql: &str) -> Vec<[String; N]> {
    let cells = |text: String| text.split('|').map(str::to_owned).collect::<Vec<_>>();
    texts(db, sql).await.into_iter().map(|text| cells(text).try_into().unwrap()).collect()
}
