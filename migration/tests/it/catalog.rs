//! Everything a database says of itself, as sorted lines that can be compared.

use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend};

use crate::support::texts;

const POSTGRES: &[&str] = &[
    "SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
    "SELECT concat_ws(' ', 'column', table_schema, table_name, \
        row_number() OVER (PARTITION BY table_schema, table_name ORDER BY ordinal_position), column_name, data_type, \
        character_maximum_length, is_nullable, column_default, identity_generation) \
        FROM information_schema.columns WHERE table_schema !~ '^(pg_|information_schema)'",
    "SELECT concat_ws(' ', 'constraint', n.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid)) \
        FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace \
        WHERE n.nspname !~ '^(pg_|information_schema)'",
    "SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT concat_ws(' ', 'policy', schemaname, tablename, policyname, cmd, qual, with_check) FROM pg_policies",
    "SELECT concat_ws(' ', 'secured', oid::regclass, relrowsecurity, relforcerowsecurity) FROM pg_class \
        WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'",
    "SELECT concat_ws(' ', 'function', oid::regprocedure, prosecdef, prosrc) FROM pg_proc \
        WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)'",
    "SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname !~ '^(pg_|information_schema)'",
];

/// `sqlite_sequence` appears with the first table that counts its ids and never leaves.
const SQLITE: &[&str] = &["SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master \
    WHERE name <> 'sqlite_sequence'"];

pub(crate) async fn catalog(db: &DatabaseConnection) -> Vec<String> {
    let queries = if db.get_database_backend() == DbBackend::Sqlite { SQLITE } else { POSTGRES };
    let mut lines = Vec::new();
    for query in queries {
        lines.extend(texts(db, query).await);
    }
    lines.sort();
    lines
}
