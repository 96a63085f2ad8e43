//! The operations on a schema. Each is one transaction of the only migrator: it happens as a whole or not at all.

use std::path::Path;

use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::Migrator;
use crate::applied::Standing;
use crate::error::MigrateError;
use crate::exclusive::Exclusive;

/// Applies what is pending and returns its names, oldest first.
///
/// Safe to call from many processes at once: one works, the others wait and find nothing left. `lock` is the file that
/// orders them on SQLite; without it they wait for the database itself, at most as long as its busy timeout. A database
/// that has everything in the list and more, from a later version, is left alone.
pub async fn up(db: &DatabaseConnection, lock: Option<&Path>) -> Result<Vec<String>, MigrateError> {
    up_list::<Migrator>(db, lock).await
}

/// As [`up`], for another list.
pub async fn up_list<M: MigratorTrait>(
    db: &DatabaseConnection,
    lock: Option<&Path>,
) -> Result<Vec<String>, MigrateError> {
    // The usual start has nothing to do, and then should wait for nobody.
    if Standing::read::<M>(db).await?.pending.is_empty() {
        return Ok(Vec::new());
    }
    let exclusive = Exclusive::enter(db, lock).await?;
    let standing = Standing::read::<M>(&exclusive.tx).await?;
    if standing.pending.is_empty() {
        return Ok(Vec::new());
    }
    if !standing.unknown.is_empty() {
        return Err(MigrateError::Unknown(standing.unknown));
    }
    for name in &standing.pending {
        let done = M::up(&exclusive.tx, Some(1)).await;
        done.map_err(|source| MigrateError::Failed { name: name.clone(), source })?;
    }
    exclusive.commit().await?;
    Ok(standing.pending)
}

/// Takes back the newest `steps` migrations, all of them for `None`, with the rows of their tables, and returns their
/// names, newest first.
pub async fn down(
    db: &DatabaseConnection,
    lock: Option<&Path>,
    steps: Option<u32>,
) -> Result<Vec<String>, MigrateError> {
    let exclusive = Exclusive::enter(db, lock).await?;
    let standing = Standing::read::<Migrator>(&exclusive.tx).await?;
    if !standing.unknown.is_empty() {
        return Err(MigrateError::Unknown(standing.unknown));
    }
    let steps = steps.map_or(usize::MAX, |steps| usize::try_from(steps).unwrap_or(usize::MAX));
    let names: Vec<String> = standing.applied.into_iter().rev().take(steps).collect();
    for name in &names {
        let done = Migrator::down(&exclusive.tx, Some(1)).await;
        done.map_err(|source| MigrateError::Failed { name: name.clone(), source })?;
    }
    exclusive.commit().await?;
    Ok(names)
}

/// Removes everything of ours and applies the whole list: on PostgreSQL the four schemas and the list of migrations,
/// on SQLite every table of the file. For development; nothing asks whether it is meant.
pub async fn fresh(db: &DatabaseConnection, lock: Option<&Path>) -> Result<Vec<String>, MigrateError> {
    let exclusive = Exclusive::enter(db, lock).await?;
    crate::fresh::drop_everything(&exclusive.tx).await?;
    let names = Standing::read::<Migrator>(&exclusive.tx).await?.pending;
    for name in &names {
        let done = Migrator::up(&exclusive.tx, Some(1)).await;
        done.map_err(|source| MigrateError::Failed { name: name.clone(), source })?;
    }
    exclusive.commit().await?;
    Ok(names)
}

/// Every migration, oldest first, and whether the database has it. Those of a later version stand at the end.
pub async fn status(db: &impl ConnectionTrait) -> Result<Vec<(String, bool)>, MigrateError> {
    let Standing { applied, pending, unknown } = Standing::read::<Migrator>(db).await?;
    let mut all: Vec<(String, bool)> = applied.into_iter().map(|name| (name, true)).collect();
    all.extend(pending.into_iter().map(|name| (name, false)));
    all.sort();
    all.extend(unknown.into_iter().map(|name| (name, true)));
    Ok(all)
}

/// Which migrations the database has, lacks, and has beyond the list. It reads, and creates nothing.
pub async fn standing(db: &impl ConnectionTrait) -> Result<Standing, MigrateError> {
    Ok(Standing::read::<Migrator>(db).await?)
}

/// How many migrations of the list the database lacks; 0 means that this version can run on it.
///
/// Two small reads. It never creates the list, and needs the right to read it alone.
pub async fn pending(db: &impl ConnectionTrait) -> Result<usize, MigrateError> {
    Ok(Standing::read::<Migrator>(db).await?.pending.len())
}
