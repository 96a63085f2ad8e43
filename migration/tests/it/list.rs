//! The list itself, without a database.

use sea_orm_migration::MigratorTrait;
use sme_pulse_migration::Migrator;

#[test]
fn the_names_are_distinct_sorted_and_start_with_a_timestamp() {
    let names: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    for name in &names {
        let mut parts = name.splitn(3, '_');
        let mut digits = |prefix: &str, count| {
            let part = parts.next().and_then(|part| part.strip_prefix(prefix)).unwrap_or_default();
            part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        assert!(digits("m", 8) && digits("", 6), "{name}");
    }
}

#[test]
fn every_migration_runs_in_a_transaction() {
    for migration in Migrator::migrations() {
        assert_eq!(migration.use_transaction(), Some(true), "{}", migration.name());
    }
}
