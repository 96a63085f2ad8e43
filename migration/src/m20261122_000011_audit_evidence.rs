//! What makes the audit trail evidence: commitments in place of personal data, signed checkpoints, and triggers that
//! refuse to change or remove what was recorded. Whoever may drop a trigger is found out by the chain itself.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::dialect::Dialect;
use crate::table::Kind::{BigInt, Char, Text, Timestamp, Varchar};
use crate::table::Part::{Column, Id, Unique};
use crate::table::Schema::Auth;
use crate::table::Table;

#[derive(Debug)]
pub(crate) struct AuditEvidence;

/// `chain_id` is the organization, or 0 for the events outside any, so it refers to nothing.
const AUDIT_CHECKPOINTS: Table = Table {
    schema: Auth,
    name: "audit_checkpoints",
    parts: &[
        Id,
        Column("chain_id", BigInt, "NOT NULL"),
        Column("seq", BigInt, "NOT NULL"),
        Column("hash", Char(64), "NOT NULL"),
        Column("signed_at", Timestamp, "NOT NULL"),
        Column("key_id", Varchar(16), "NOT NULL"),
        Column("signature", Text, "NOT NULL"),
        Unique("chain_id, seq"),
    ],
};

/// New columns of the trail: name, PostgreSQL, SQLite.
const COLUMNS: [(&str, &str, &str); 3] = [
    (
        "encoding",
        "integer NOT NULL DEFAULT 1",
        "INTEGER NOT NULL DEFAULT 1 CONSTRAINT ck_audit_log_encoding_range \
         CHECK (encoding BETWEEN -2147483648 AND 2147483647)",
    ),
    ("salts", "jsonb", "TEXT CONSTRAINT ck_audit_log_salts_form CHECK (json_valid(salts))"),
    ("erased", "jsonb", "TEXT CONSTRAINT ck_audit_log_erased_form CHECK (json_valid(erased))"),
];

/// What the list of events is filtered by; each ends in the order in which it is shown.
const INDEXES: [(&str, &str); 3] = [
    ("ix_audit_log_org_id_action_seq", "org_id, action, seq"),
    ("ix_audit_log_org_id_actor_user_id_seq", "org_id, actor_user_id, seq"),
    ("ix_audit_log_org_id_entity_entity_id_seq", "org_id, entity, entity_id, seq"),
];

/// Everything that an erasure leaves alone.
const FIXED: &str = "id, org_id, actor_user_id, action, entity, entity_id, request_id, seq, prev_hash, hash, \
    created_at, encoding";

/// An erasure may take the address away, but not put another in its place: the names of the rows differ per engine.
const POSTGRES: &[&str] = &[
    "CREATE FUNCTION auth.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END $$",
    "CREATE TRIGGER audit_log_stays BEFORE DELETE ON auth.audit_log \
     FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_log_whole BEFORE TRUNCATE ON auth.audit_log \
     FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_log_address BEFORE UPDATE OF client_ip ON auth.audit_log FOR EACH ROW \
     WHEN (NEW.client_ip IS NOT NULL AND NEW.client_ip IS DISTINCT FROM OLD.client_ip) \
     EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE OR DELETE ON auth.audit_checkpoints \
     FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_checkpoints_whole BEFORE TRUNCATE ON auth.audit_checkpoints \
     FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change()",
];

const POSTGRES_DOWN: &[&str] = &[
    "DROP TRIGGER audit_log_stays ON auth.audit_log",
    "DROP TRIGGER audit_log_whole ON auth.audit_log",
    "DROP TRIGGER audit_log_address ON auth.audit_log",
    "DROP TRIGGER audit_log_fixed ON auth.audit_log",
];

/// Of SQLite's triggers: name, what sets them off.
const SQLITE: [(&str, &str); 4] = [
    ("audit_log_stays", "DELETE ON audit_log"),
    (
        "audit_log_address",
        "UPDATE OF client_ip ON audit_log WHEN NEW.client_ip IS NOT NULL AND NEW.client_ip IS NOT OLD.client_ip",
    ),
    ("audit_checkpoints_stay", "DELETE ON audit_checkpoints"),
    ("audit_checkpoints_fixed", "UPDATE ON audit_checkpoints"),
];

fn triggers(dialect: Dialect) -> Vec<String> {
    let fixed = format!("UPDATE OF {FIXED} ON");
    match dialect {
        Dialect::Postgres => {
            let fixed = format!(
                "CREATE TRIGGER audit_log_fixed BEFORE {fixed} auth.audit_log \
                 FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()"
            );
            POSTGRES.iter().map(|statement| (*statement).to_owned()).chain([fixed]).collect()
        }
        Dialect::Sqlite => {
            let fixed = ("audit_log_fixed", format!("{fixed} audit_log"));
            let others = SQLITE.map(|(name, event)| (name, event.to_owned()));
            others
                .into_iter()
                .chain([fixed])
                .map(|(name, event)| {
                    format!(
                        "CREATE TRIGGER {name} BEFORE {event} \
                         BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
                    )
                })
                .collect()
        }
    }
}

impl MigrationName for AuditEvidence {
    fn name(&self) -> &'static str {
        "m20261122_000011_audit_evidence"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditEvidence {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        let log = log(dialect);
        for (name, postgres, sqlite) in COLUMNS {
            let kind = if dialect == Dialect::Postgres { postgres } else { sqlite };
            db.execute_unprepared(&format!("ALTER TABLE {log} ADD COLUMN {name} {kind}")).await?;
        }
        for (name, columns) in INDEXES {
            db.execute_unprepared(&format!("CREATE INDEX {name} ON {log} ({columns})")).await?;
        }
        for statement in dialect.create(&AUDIT_CHECKPOINTS).into_iter().chain(triggers(dialect)) {
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        let (log, schema) = (log(dialect), if dialect == Dialect::Postgres { "auth." } else { "" });
        // The table takes its triggers along.
        db.execute_unprepared(&dialect.drop(&AUDIT_CHECKPOINTS)).await?;
        if dialect == Dialect::Postgres {
            for statement in POSTGRES_DOWN.iter().chain(&["DROP FUNCTION auth.refuse_change()"]) {
                db.execute_unprepared(statement).await?;
            }
        } else {
            for name in ["audit_log_stays", "audit_log_address", "audit_log_fixed"] {
                db.execute_unprepared(&format!("DROP TRIGGER {name}")).await?;
            }
        }
        for (name, _) in INDEXES {
            db.execute_unprepared(&format!("DROP INDEX {schema}{name}")).await?;
        }
        for (name, ..) in COLUMNS.iter().rev() {
            db.execute_unprepared(&format!("ALTER TABLE {log} DROP COLUMN {name}")).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const fn log(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "auth.audit_log",
        Dialect::Sqlite => "audit_log",
    }
}
