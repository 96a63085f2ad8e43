//! Counters of guesses on both engines: exact under parallel writers, and taken back without harm to anybody else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "the support is shared with another test binary")]

mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use sme_pulse_domain::guessing;
use sme_pulse_persistence::{GuessAdmission, retrying};
use sme_pulse_testing::on_both_databases;
use support::{TestStore, now};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Counts a guess so many seconds after the start.
async fn admit(test: &TestStore, seconds: i64) -> GuessAdmission {
    test.store.admit_guess(KEY, now() + TimeDelta::seconds(seconds)).await.unwrap()
}

async fn take_back(test: &TestStore, seconds: i64) {
    test.store.take_back_guess(KEY, now() + TimeDelta::seconds(seconds)).await.unwrap();
}

const fn counted(failures: i32) -> GuessAdmission {
    GuessAdmission::Counted { failures }
}

const fn too_early(seconds: u64) -> GuessAdmission {
    GuessAdmission::TooEarly { seconds }
}

on_both_databases! {
    async fn of_parallel_guesses_exactly_the_free_ones_and_the_first_delayed_one_are_counted(test: TestStore) {
        let store = Arc::new(test.store.clone());
        let guesses: Vec<_> = (0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { retrying(|| store.admit_guess(KEY, now())).await.unwrap() })
        }).collect();
        let mut failures = Vec::new();
        for guess in guesses {
            match guess.await.unwrap() {
                GuessAdmission::Counted { failures: counted } => failures.push(counted),
                GuessAdmission::TooEarly { seconds } => assert_eq!(seconds, 1),
            }
        }
        failures.sort_unstable();
        assert_eq!(failures, (1..=guessing::FREE + 1).collect::<Vec<_>>());
    }

    async fn a_guess_that_is_taken_back_leaves_the_counter_as_it_was(test: TestStore) {
        for failures in 1..=12 {
            assert_eq!(admit(&test, i64::from(failures)).await, counted(failures));
        }
        assert_eq!(admit(&test, 13).await, too_early(1));
        assert_eq!(admit(&test, 14).await, counted(13));
        take_back(&test, 14).await;
        // As if it had not been: twelve, the last at 12 s.
        assert_eq!(admit(&test, 14).await, counted(13));
        assert_eq!(admit(&test, 14).await, too_early(4));
    }

    async fn taking_back_one_of_two_leaves_the_other_and_its_time(test: TestStore) {
        for failures in 1..=11 {
            assert_eq!(admit(&test, 0).await, counted(failures));
        }
        assert_eq!(admit(&test, 5).await, counted(12));
        assert_eq!(admit(&test, 10).await, counted(13));
        take_back(&test, 5).await;
        assert_eq!(admit(&test, 11).await, too_early(1), "twelve are left, the last at 10 s");
        assert_eq!(admit(&test, 12).await, counted(13));
    }

    async fn taking_back_more_than_there_is_and_what_is_gone_does_no_harm(test: TestStore) {
        take_back(&test, 0).await;
        assert_eq!(admit(&test, 0).await, counted(1));
        for _ in 0..3 {
            take_back(&test, 0).await;
        }
        assert_eq!(admit(&test, 0).await, counted(1));
        test.store.forget_guesses(KEY).await.unwrap();
        assert_eq!(admit(&test, 0).await, counted(1));
    }

    async fn a_success_of_another_day_does_not_keep_old_failures_alive(test: TestStore) {
        for failures in 1..=11 {
            assert_eq!(admit(&test, 0).await, counted(failures));
        }
        for hour in 1..24 {
            assert_eq!(admit(&test, hour * 3_600).await, counted(12));
            take_back(&test, hour * 3_600).await;
        }
        assert_eq!(admit(&test, 24 * 3_600).await, counted(1));
    }

    async fn replicas_whose_clocks_differ_do_not_refuse_what_is_free(test: TestStore) {
        assert_eq!(admit(&test, 2).await, counted(1));
        assert_eq!(admit(&test, 0).await, counted(2));
    }
}
