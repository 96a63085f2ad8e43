//! `status` and `pending`: what they count, and what they need for it.

use sea_orm_migration::sea_orm::{ConnectOptions, Database};
use sme_pulse_migration::{MigrateError, down, pending, status, up};
use sme_pulse_testing::{Engine, TestDatabase, on_both_databases};

use crate::catalog::catalog;
use crate::support::{all, lock, run};

on_both_databases! {
    async fn pending_counts_what_is_missing(db: TestDatabase) {
        let lock = lock(&db);
        let connection = db.connect().await;
        assert_eq!(pending(&connection).await.unwrap(), all());
        assert_eq!(up(&connection, lock.as_deref()).await.unwrap().len(), all());
        assert_eq!(pending(&connection).await.unwrap(), 0);
        down(&connection, lock.as_deref(), Some(2)).await.unwrap();
        assert_eq!(pending(&connection).await.unwrap(), 2);
        let applied: Vec<bool> = status(&connection).await.unwrap().into_iter().map(|(_, applied)| applied).collect();
        assert_eq!(applied.len(), all());
        assert!(applied.iter().rev().take(2).all(|applied| !applied) && applied.iter().rev().skip(2).all(|applied| *applied));
    }

    async fn asking_changes_nothing(db: TestDatabase) {
        let connection = db.connect().await;
        let before = catalog(&connection).await;
        pending(&connection).await.unwrap();
        assert!(status(&connection).await.unwrap().iter().all(|(_, applied)| !applied));
        assert_eq!(catalog(&connection).await, before);
    }

    async fn up_on_a_current_schema_does_nothing(db: TestDatabase) {
        let connection = db.connect().await;
        up(&connection, lock(&db).as_deref()).await.unwrap();
        assert!(up(&connection, lock(&db).as_deref()).await.unwrap().is_empty());
    }

    async fn this_version_runs_on_the_schema_of_a_later_one_but_does_not_take_it_down(db: TestDatabase) {
        let lock = lock(&db);
        let connection = db.connect().await;
        up(&connection, lock.as_deref()).await.unwrap();
        run(&connection, "INSERT INTO seaql_migrations VALUES ('m20990101_000001_later', 0)").await.unwrap();

        assert_eq!(pending(&connection).await.unwrap(), 0);
        assert!(up(&connection, lock.as_deref()).await.unwrap().is_empty());
        let all = status(&connection).await.unwrap();
        assert_eq!(all.last().unwrap(), &("m20990101_000001_later".to_owned(), true));

        let before = catalog(&connection).await;
        let refused = down(&connection, lock.as_deref(), Some(1)).await.unwrap_err();
        assert!(matches!(&refused, MigrateError::Unknown(names) if names == &["m20990101_000001_later"]), "{refused}");
        assert_eq!(catalog(&connection).await, before);
    }

    async fn a_history_that_lacks_a_migration_and_has_a_foreign_one_is_refused(db: TestDatabase) {
        let lock = lock(&db);
        let connection = db.connect().await;
        up(&connection, lock.as_deref()).await.unwrap();
        down(&connection, lock.as_deref(), Some(1)).await.unwrap();
        run(&connection, "INSERT INTO seaql_migrations VALUES ('m20990101_000001_other', 0)").await.unwrap();
        let before = catalog(&connection).await;
        let refused = up(&connection, lock.as_deref()).await.unwrap_err();
        assert!(matches!(refused, MigrateError::Unknown(_)), "{refused}");
        assert_eq!(catalog(&connection).await, before);
    }

    async fn pending_needs_no_right_but_to_read_the_list(db: TestDatabase) {
        let connection = db.connect().await;
        up(&connection, lock(&db).as_deref()).await.unwrap();
        match db.engine() {
            Engine::Sqlite => {
                let file = db.file().unwrap();
                let url = format!("sqlite://{}?mode=ro", file.display());
                let reader = Database::connect(ConnectOptions::new(url)).await.unwrap();
                assert_eq!(pending(&reader).await.unwrap(), 0);
            }
            Engine::Postgres => {
                // The role is dropped with the last thing it may do; its name is that of the database.
                let role = db.url().rsplit('/').next().unwrap().to_owned();
                run(&connection, &format!("CREATE ROLE {role}")).await.unwrap();
                run(&connection, &format!("GRANT SELECT ON public.seaql_migrations TO {role}")).await.unwrap();
                let reader = db.connect_with(1).await;
                run(&reader, &format!("SET ROLE {role}")).await.unwrap();
                assert_eq!(pending(&reader).await.unwrap(), 0);
                assert!(run(&reader, "CREATE TABLE public.forbidden (id int)").await.is_err());
                run(&reader, "RESET ROLE").await.unwrap();
                run(&connection, &format!("DROP OWNED BY {role}")).await.unwrap();
                run(&connection, &format!("DROP ROLE {role}")).await.unwrap();
            }
        }
    }
}
