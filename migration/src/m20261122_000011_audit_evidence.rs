//! What makes the audit trail evidence: commitments in place of personal data, signed checkpoints, and triggers that
//! refuse to change or remove what was recorded. Whoever may drop a trigger is found out by the chain itself.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::dialect::Dialect;
use crate::perform::perform;
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
    ("salts", "jsonb", "TEXT CONSTRAINT ck_audit_log_salts_form CHECK (salts IS NULL OR json_valid(salts))"),
    ("erased", "jsonb", "TEXT CONSTRAINT ck_audit_log_erased_form CHECK (erased IS NULL OR json_valid(erased))"),
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

/// What an erasure changes.
const ERASABLE: &str = "client_ip, before, after, salts, erased";

/// The triggers on the trail that both engines have.
const TRIGGERS: [&str; 3] = ["audit_log_stays", "audit_log_fixed", "audit_log_erasure"];

/// Whether a change is nothing but an erasure, with the engine's functions that open a JSON object and name its kind.
///
/// Nothing appears but commitments, none of those goes, and three lists of paths are the same: the new commitments,
/// the values that have gone, and the salts that have gone. Each is contained in the next and the last in the first.
fn erasure((each, kind): (&str, &str)) -> String {
    let lost = |column: &str, keys: &str, from: &str, to: &str| {
        format!("SELECT {keys} FROM {each}({from}.{column}) EXCEPT SELECT {keys} FROM {each}({to}.{column})")
    };
    let keeps = |column: &str, from: &str, to: &str| format!("NOT EXISTS ({})", lost(column, "key, value", from, to));
    let added = lost("erased", "key", "NEW", "OLD");
    let unsalted = lost("salts", "key", "OLD", "NEW");
    let of = |side: &str| format!("SELECT '{side}.' || key FROM ({}) {side}_lost", lost(side, "key", "OLD", "NEW"));
    let gone = format!(
        "{} UNION ALL {} UNION ALL \
         SELECT 'client_ip' WHERE OLD.client_ip IS NOT NULL AND NEW.client_ip IS NULL",
        of("before"),
        of("after")
    );
    let within =
        |some: &str, all: &str| format!("NOT EXISTS (SELECT * FROM ({some}) part EXCEPT SELECT * FROM ({all}) whole)");
    [
        keeps("before", "NEW", "OLD"),
        keeps("after", "NEW", "OLD"),
        keeps("salts", "NEW", "OLD"),
        keeps("erased", "OLD", "NEW"),
        format!("{kind}(OLD.before) IS NOT DISTINCT FROM {kind}(NEW.before)"),
        format!("{kind}(OLD.after) IS NOT DISTINCT FROM {kind}(NEW.after)"),
        format!("COALESCE({kind}(NEW.salts), 'object') = 'object'"),
        format!("COALESCE({kind}(NEW.erased), 'none') = 'object'"),
        "(NEW.client_ip IS NULL OR COALESCE(NEW.client_ip = OLD.client_ip, FALSE))".to_owned(),
        within(&added, &gone),
        within(&gone, &unsalted),
        within(&unsalted, &added),
    ]
    .join(" AND ")
}

const POSTGRES: [&str; 5] = [
    "CREATE FUNCTION auth.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END $$",
    "CREATE TRIGGER audit_log_stays BEFORE DELETE ON auth.audit_log \
     FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_log_whole BEFORE TRUNCATE ON auth.audit_log \
     FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE OR DELETE ON auth.audit_checkpoints \
     FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()",
    "CREATE TRIGGER audit_checkpoints_whole BEFORE TRUNCATE ON auth.audit_checkpoints \
     FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change()",
];

fn postgres() -> Vec<String> {
    // The condition of a trigger cannot look into JSON there, so the function does.
    let function = format!(
        "CREATE FUNCTION auth.refuse_all_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {} THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END $$",
        erasure(("jsonb_each", "jsonb_typeof"))
    );
    let updates = [("fixed", FIXED, "refuse_change"), ("erasure", ERASABLE, "refuse_all_but_erasure")];
    let updates = updates.map(|(name, columns, function)| {
        format!(
            "CREATE TRIGGER audit_log_{name} BEFORE UPDATE OF {columns} ON auth.audit_log \
             FOR EACH ROW EXECUTE FUNCTION auth.{function}()"
        )
    });
    std::iter::once(function).chain(POSTGRES.map(str::to_owned)).chain(updates).collect()
}

fn sqlite() -> Vec<String> {
    let refuse = "SELECT RAISE(ABORT, 'the audit trail is append-only')";
    // `INSERT OR REPLACE` removes the old row without setting off what guards against removal. A second checkpoint of
    // an event is passed over, since two processes may sign the same one.
    let known = "EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id) \
                 OR EXISTS (SELECT 1 FROM audit_log WHERE org_id IS NEW.org_id AND seq = NEW.seq)";
    let signed = "EXISTS (SELECT 1 FROM audit_checkpoints WHERE id = NEW.id) \
                  OR EXISTS (SELECT 1 FROM audit_checkpoints WHERE chain_id = NEW.chain_id AND seq = NEW.seq)";
    [
        ("audit_log_stays", "DELETE ON audit_log".to_owned(), refuse),
        ("audit_log_fixed", format!("UPDATE OF {FIXED} ON audit_log"), refuse),
        (
            "audit_log_erasure",
            format!("UPDATE OF {ERASABLE} ON audit_log WHEN NOT ({})", erasure(("json_each", "json_type"))),
            refuse,
        ),
        ("audit_log_once", format!("INSERT ON audit_log WHEN {known}"), refuse),
        ("audit_checkpoints_stay", "DELETE ON audit_checkpoints".to_owned(), refuse),
        ("audit_checkpoints_fixed", "UPDATE ON audit_checkpoints".to_owned(), refuse),
        ("audit_checkpoints_once", format!("INSERT ON audit_checkpoints WHEN {signed}"), "SELECT RAISE(IGNORE)"),
    ]
    .map(|(name, event, does)| format!("CREATE TRIGGER {name} BEFORE {event} BEGIN {does}; END"))
    .to_vec()
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
            perform(db, &format!("ALTER TABLE {log} ADD COLUMN {name} {kind}")).await?;
        }
        for (name, columns) in INDEXES {
            perform(db, &format!("CREATE INDEX {name} ON {log} ({columns})")).await?;
        }
        let triggers = if dialect == Dialect::Postgres { postgres() } else { sqlite() };
        for statement in dialect.create(&AUDIT_CHECKPOINTS).into_iter().chain(triggers) {
            perform(db, &statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db.get_database_backend())?;
        let (log, schema) = (log(dialect), if dialect == Dialect::Postgres { "auth." } else { "" });
        // The table takes its triggers along.
        perform(db, &dialect.drop(&AUDIT_CHECKPOINTS)).await?;
        let (more, on) = if dialect == Dialect::Postgres {
            ("audit_log_whole", " ON auth.audit_log")
        } else {
            ("audit_log_once", "")
        };
        for name in TRIGGERS.into_iter().chain([more]) {
            perform(db, &format!("DROP TRIGGER {name}{on}")).await?;
        }
        if dialect == Dialect::Postgres {
            for function in ["refuse_change", "refuse_all_but_erasure"] {
                perform(db, &format!("DROP FUNCTION auth.{function}()")).await?;
            }
        }
        for (name, _) in INDEXES {
            perform(db, &format!("DROP INDEX {schema}{name}")).await?;
        }
        for (name, ..) in COLUMNS.iter().rev() {
            perform(db, &format!("ALTER TABLE {log} DROP COLUMN {name}")).await?;
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
