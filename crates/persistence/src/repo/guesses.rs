//! Counters of wrong guesses. They belong to no tenant: a key is a MAC that names nobody, and most are counted before
//! anybody knows whose account is guessed at. Every change is one statement, so that parallel guesses queue up.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    Condition, DbErr, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter,
    sea_query::{CaseStatement, Expr, OnConflict},
};
use sme_pulse_domain::guessing;

use crate::{Store, StoreError, entity::guess_counter as counter};

/// Whether a guess may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuessAdmission {
    /// It may, and is counted.
    Counted {
        /// How many are counted with it.
        failures: i32,
    },
    /// It may not, and is not counted.
    TooEarly {
        /// Whole seconds until the next one may.
        seconds: u64,
    },
}

impl Store {
    /// Counts a guess before it is checked, or refuses it, in one statement: of any number of parallel guesses no more
    /// than the schedule lets through are admitted.
    pub async fn admit_guess(&self, key: &str, now: DateTime<Utc>) -> Result<GuessAdmission, StoreError> {
        let first = counter::ActiveModel {
            key: Set(key.to_owned()),
            failures: Set(1),
            counted_at: Set(now),
            previous_at: Set(now),
        };
        match counter::Entity::insert(first).on_conflict(count_again(now)).exec_with_returning(self.pool()).await {
            Ok(row) => Ok(GuessAdmission::Counted { failures: row.failures }),
            // The condition of the update did not hold, so that no row came back.
            Err(DbErr::RecordNotFound(_) | DbErr::RecordNotInserted) => self.too_early(key, now).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn too_early(&self, key: &str, now: DateTime<Utc>) -> Result<GuessAdmission, StoreError> {
        let row = counters().filter(is(key)).one(self.pool()).await?;
        let seconds = row.map_or(1, |row| guessing::seconds_left(row.failures, row.counted_at, now));
        Ok(GuessAdmission::TooEarly { seconds })
    }

    /// Takes back a guess that was counted at this instant: it was right, or never checked. Others that were counted
    /// meanwhile stay, and so does the time they have to wait for.
    pub async fn take_back_guess(&self, key: &str, counted_at: DateTime<Utc>) -> Result<(), StoreError> {
        let newest = column(counter::Column::CountedAt).eq(counted_at);
        let at = CaseStatement::new()
            .case(newest, column(counter::Column::PreviousAt))
            .finally(column(counter::Column::CountedAt));
        update()
            .col_expr(counter::Column::Failures, column(counter::Column::Failures).sub(1))
            .col_expr(counter::Column::CountedAt, at.into())
            .filter(is(key))
            .filter(column(counter::Column::Failures).gt(0))
            .exec(self.pool())
            .await?;
        Ok(())
    }

    /// Forgets all guesses counted under this key.
    pub async fn forget_guesses(&self, key: &str) -> Result<(), StoreError> {
        delete().filter(is(key)).exec(self.pool()).await?;
        Ok(())
    }
}

/// One more, or the first anew when the counter is forgotten; nothing when the time has not come.
fn count_again(now: DateTime<Utc>) -> OnConflict {
    let (failures, counted_at) = (there(counter::Column::Failures), there(counter::Column::CountedAt));
    let forgotten = guessing::forgotten_at(now).map(|at| counted_at.clone().lte(at));
    let next = failures.clone().add(1);
    let next = forgotten.map_or(next.clone(), |forgotten| CaseStatement::new().case(forgotten, 1).finally(next).into());
    let due = guessing::admitted_at(now)
        .fold(Condition::any().add(failures.clone().lte(guessing::FREE)), |due, (most, latest)| {
            due.add(failures.clone().lte(most).and(counted_at.clone().lte(latest)))
        });
    OnConflict::column(counter::Column::Key)
        .value(counter::Column::Failures, next)
        .value(counter::Column::PreviousAt, counted_at)
        .value(counter::Column::CountedAt, now)
        .action_cond_where(due)
        .to_owned()
}

/// A column of the row that is already there.
fn there(column: counter::Column) -> Expr {
    Expr::col((counter::Entity, column))
}

fn column(column: counter::Column) -> Expr {
    column.into_simple_expr()
}

fn is(key: &str) -> Expr {
    column(counter::Column::Key).eq(key)
}

#[expect(clippy::disallowed_methods, reason = "counters belong to no tenant")]
fn counters() -> sea_orm::Select<counter::Entity> {
    counter::Entity::find()
}

#[expect(clippy::disallowed_methods, reason = "counters belong to no tenant")]
fn update() -> sea_orm::UpdateMany<counter::Entity> {
    counter::Entity::update_many()
}

#[expect(clippy::disallowed_methods, reason = "counters belong to no tenant")]
fn delete() -> sea_orm::DeleteMany<counter::Entity> {
    counter::Entity::delete_many()
}
