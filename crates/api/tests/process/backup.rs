//! `sme-pulse backup` and `restore`: copies of a database in use, what is refused, and kills at any moment.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Done, Home, KEY, assert_unbroken_audit_trail, elapsed, pause};

const MOMENTS: u32 = 20;
const LAST_REVOCATION: &str = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'revocations'";

/// A migrated and seeded SQLite database.
async fn home() -> Home {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_LOG_FILE", "");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    home
}

fn backup(home: &Home) -> PathBuf {
    home.succeed(&["backup", "backup.db"]);
    home.folder().join("backup.db")
}

/// The names beside the database.
fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.contains(".lock")).collect();
    names.sort();
    names
}

fn assert_refused(done: &Done, word: &str) {
    assert!(done.code == Some(1) && done.stdout.is_empty() && done.stderr.contains(word), "{word}: {done:?}");
}

#[tokio::test]
async fn a_copy_of_a_served_database_is_whole_and_everything_later_is_undone_by_it() {
    let home = home().await;
    let mut server = home.serve().await;
    // Log-ins go on while the copy is made.
    let token = server.log_in().await.token();
    let copying = home.start(&["backup", "backup.db"]);
    for _ in 0..10 {
        assert_eq!(server.log_in().await.status, 200);
    }
    assert_eq!(Done::of(copying).code, Some(0));
    let file = home.folder().join("backup.db");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(home.folder()), ["backup.db", "stderr.txt"]);

    assert_refused(&home.run(&["restore", "backup.db"]), "the database is in use");
    assert_eq!(server.me(&token).await.status, 200);
    server.stop().await;
    home.succeed(&["organizations", "suspend", "1"]);
    let said = home.succeed(&["restore", "backup.db"]);
    assert!(said.contains(": 1 organizations, 1 users, newest audit event 2"), "{said}");
    assert!(home.succeed(&["organizations", "list"]).contains("active"));
    home.assert_intact().await;
    home.succeed(&["audit", "check"]);
    let server = home.serve().await;
    assert_eq!(server.me(&token).await.status, 200);
    assert_eq!(server.log_in().await.status, 200);
}

#[tokio::test]
async fn nothing_is_overwritten_unasked_and_the_database_never() {
    let home = home().await;
    let file = backup(&home);
    std::fs::write(&file, "mine").unwrap();
    assert_refused(&home.run(&["backup", "backup.db"]), "--force");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    home.succeed(&["backup", "backup.db", "--force"]);
    let database = home.database().file().unwrap();
    let database = database.to_str().unwrap();
    assert_refused(&home.run(&["backup", database, "--force"]), "is the database itself");
    assert_refused(&home.run(&["restore", database]), "is the database itself");
    assert_refused(&home.run(&["backup", "no/such/folder/x.db"]), "cannot write");
    home.assert_intact().await;
    assert_eq!(names(home.folder()), ["backup.db"]);
}

#[tokio::test]
async fn a_missing_database_is_not_made_to_be_copied() {
    let home = Home::sqlite().await;
    assert_refused(&home.run(&["backup", "backup.db"]), "there is no database");
    assert!(!home.database().file().unwrap().exists());
    assert_refused(&home.run(&["restore", "backup.db"]), "there is no file");
}

#[tokio::test]
async fn what_is_no_good_backup_is_refused_and_the_database_stays() {
    let home = home().await;
    let file = backup(&home);
    let good = std::fs::read(&file).unwrap();
    let mut torn = good.clone();
    torn[20 * 4096..20 * 4096 + 300].fill(0xff);
    for (bytes, word) in [(&good[..5000], "malformed"), (&torn, "malformed"), (b"", "no data of SME Pulse")] {
        std::fs::write(&file, bytes).unwrap();
        assert_refused(&home.run(&["restore", "backup.db"]), word);
    }
    home.sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99999999_000001_later', 0)").await;
    // Whoever has taken an upgrade back still makes backups, which that version restores.
    home.succeed(&["backup", "later.db"]);
    assert_refused(&home.run(&["restore", "later.db"]), "later version");
    std::fs::remove_file(&file).unwrap();
    home.sql("DELETE FROM seaql_migrations WHERE version = 'm99999999_000001_later'").await;
    // Whoever may drop a trigger is found out by the chain.
    home.sql("DROP TRIGGER audit_log_fixed").await;
    home.sql("UPDATE audit_log SET action = 'nothing.happened'").await;
    let done = home.run(&["backup", "backup.db"]);
    assert!(done.code == Some(1) && done.stderr.contains("audit trail is broken: event 1 was edited"), "{done:?}");
    assert_refused(&home.run(&["restore", "backup.db"]), "--force restores it");
    home.succeed(&["restore", "backup.db", "--force"]);
    home.assert_intact().await;
}

#[tokio::test]
async fn a_killed_server_leaves_a_log_that_the_old_database_keeps() {
    let home = home().await;
    backup(&home);
    let mut server = home.serve().await;
    assert_eq!(server.log_in().await.status, 200);
    server.kill();
    let database = home.database().file().unwrap();
    let folder = database.parent().unwrap();
    assert!(names(folder).contains(&"test.db-wal".to_owned()));
    home.succeed(&["restore", "backup.db"]);
    let names = names(folder);
    let [new, old] = names.as_slice() else { panic!("{names:?}") };
    assert!(new == "test.db" && old.starts_with("test.db.before-restore-"), "{names:?}");
    let sessions = "SELECT COUNT(*) FROM auth.sessions";
    assert_eq!(home.numbers(sessions).await, [0]);
    std::fs::rename(folder.join(old), &database).unwrap();
    assert_eq!(home.numbers(sessions).await, [1]);
}

#[tokio::test]
async fn revocations_go_on_beyond_a_backup_of_whatever_version() {
    let home = home().await;
    for gone in ["", "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)"] {
        if !gone.is_empty() {
            home.sql(gone).await;
        }
        home.succeed(&["backup", "backup.db", "--force"]);
        let before = home.numbers(LAST_REVOCATION).await;
        let said = home.succeed(&["restore", "backup.db"]);
        assert_eq!(said.contains("run `sme-pulse migrate`"), !gone.is_empty(), "{said}");
        assert_eq!(home.numbers(LAST_REVOCATION).await, [before[0] + 1_000_000], "{gone}");
    }
}

#[tokio::test]
async fn who_owned_the_old_database_owns_the_new_one() {
    let home = home().await;
    backup(&home);
    let database = home.database().file().unwrap();
    // Only root can give a file away, and only root needs that.
    let other =
        if chown(&database, Some(65_534), Some(65_534)).is_ok() { 65_534 } else { database.metadata().unwrap().uid() };
    home.succeed(&["restore", "backup.db"]);
    let restored = database.metadata().unwrap();
    assert_eq!((restored.uid(), restored.permissions().mode() & 0o777), (other, 0o600));
}

#[tokio::test]
async fn the_key_of_a_development_installation_goes_along_when_asked() {
    let mut home = home().await;
    assert_refused(&home.run(&["backup", "backup.db", "--with-secret"]), "BACKEND_SECRET_KEY");
    home.unset("BACKEND_SECRET_KEY");
    let mut server = home.serve().await;
    let token = server.log_in().await.token();
    server.stop().await;
    home.succeed(&["backup", "backup.db", "--with-secret"]);
    let kept = home.folder().join("backup.db.secret");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let folder = home.database().folder().unwrap();
    let (database, secret) = (home.database().file().unwrap(), folder.join("sme-pulse.secret"));
    std::fs::write(&secret, "x".repeat(64)).unwrap();
    // Only root can; anybody else restores for themselves.
    let _ = chown(&database, Some(65_534), Some(65_534));
    home.succeed(&["restore", "backup.db", "--with-secret"]);
    assert_eq!(secret.metadata().unwrap().uid(), database.metadata().unwrap().uid());
    let server = home.serve().await;
    assert_eq!(server.me(&token).await.status, 200);
}

#[tokio::test]
async fn on_postgresql_its_own_tools_are_named() {
    let Some(home) = Home::postgres().await else { return };
    for command in ["backup", "restore"] {
        assert_refused(&home.run(&[command, "x.db"]), "pg_dump");
    }
    assert!(!home.folder().join("x.db").exists());
}

/// Kills the command at moments spread over its duration.
async fn kill_at_moments(home: &Home, args: &[&str], mut after: impl AsyncFnMut(&Home)) {
    home.succeed(args);
    let began = elapsed();
    home.succeed(args);
    let whole: Duration = elapsed().saturating_sub(began);
    let mut cut = 0;
    for moment in 0..MOMENTS {
        let mut child = home.start(args);
        pause(whole * moment / MOMENTS).await;
        child.kill().unwrap();
        cut += u32::from(child.wait().unwrap().code().is_none());
        after(home).await;
    }
    assert!(cut > 0, "every run had ended before it was killed");
}

#[tokio::test]
async fn killed_while_copying_the_backup_is_the_old_one_or_the_new_one() {
    let home = home().await;
    home.succeed(&["seed-demo", "--organizations", "3", "--customers", "50"]);
    kill_at_moments(&home, &["backup", "backup.db", "--force"], async |home| {
        let left = names(home.folder());
        let known = |name: &String| name == "backup.db" || name.starts_with(".backup.db.unfinished");
        assert!(left.iter().all(known), "{left:?}");
        assert!(home.succeed(&["restore", "backup.db"]).contains("4 organizations"));
    })
    .await;
    home.assert_intact().await;
}

#[tokio::test]
async fn killed_while_restoring_the_database_is_the_old_one_or_the_new_one() {
    let home = home().await;
    home.succeed(&["seed-demo", "--organizations", "3", "--customers", "50"]);
    backup(&home);
    kill_at_moments(&home, &["restore", "backup.db"], async |home| {
        home.assert_intact().await;
        assert_eq!(home.numbers("SELECT COUNT(*) FROM core.organizations").await, [4]);
        assert_eq!(assert_unbroken_audit_trail(home).await, 4);
        home.sql("UPDATE core.organizations SET phone = 'changed'").await;
        // So that the folder stays small.
        let folder = home.database().folder().unwrap();
        for name in names(folder).iter().filter(|name| name.contains(".before-restore-")) {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
    })
    .await;
}
