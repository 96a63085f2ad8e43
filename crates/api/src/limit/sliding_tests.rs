//! Tests of the sliding log: against a naive model, under concurrency, and at its bounds.

use std::{
    collections::HashMap,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
};

use proptest::prelude::*;

use super::*;

const W: Duration = Duration::from_mins(1);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn admitted(decision: Decision) -> bool {
    matches!(decision, Decision::Admitted { .. })
}

fn stored(limiter: &SlidingLimiter<u32>) -> (usize, usize) {
    let table = limiter.lock();
    let counted = table.logs.iter().map(|(_, log)| log.len()).sum();
    assert_eq!(table.instants, counted, "the running total is exact");
    (table.logs.len(), counted)
}

#[test]
fn the_sixth_request_is_refused_until_the_first_one_leaves_the_window() {
    let limiter = SlidingLimiter::new(5, W);
    for second in 0..5 {
        let left = 4 - u32::try_from(second).unwrap();
        assert_eq!(limiter.admit(1, at(second)), Decision::Admitted { left, reset_secs: 60 - second });
    }
    assert_eq!(limiter.admit(1, at(5)), Decision::Refused { reset_secs: 55 });
    let just_before = at(59) + Duration::from_nanos(999_999_999);
    assert_eq!(limiter.admit(1, just_before), Decision::Refused { reset_secs: 1 });
    assert_eq!(limiter.admit(1, at(60)), Decision::Admitted { left: 0, reset_secs: 1 });
    assert_eq!(limiter.admit(1, at(60)), Decision::Refused { reset_secs: 1 });
    assert!(admitted(limiter.admit(2, at(60))), "another client has its own budget");
}

#[test]
fn refused_requests_do_not_lengthen_the_wait() {
    let limiter = SlidingLimiter::new(1, W);
    assert!(admitted(limiter.admit(1, at(0))));
    for second in 1..60 {
        assert!(!admitted(limiter.admit(1, at(second))));
    }
    assert!(admitted(limiter.admit(1, at(60))));
}

#[test]
fn a_thread_that_arrives_with_an_older_reading_of_the_clock_gains_nothing() {
    let limiter = SlidingLimiter::new(2, W);
    assert!(admitted(limiter.admit(1, at(100))));
    assert!(admitted(limiter.admit(1, at(99))));
    assert!(!admitted(limiter.admit(1, at(98))));
    assert!(!admitted(limiter.admit(1, at(159))));
    assert!(admitted(limiter.admit(1, at(160))));
}

#[test]
fn of_fifty_parallel_requests_exactly_five_pass() {
    let limiter = SlidingLimiter::new(5, W);
    let passed = AtomicUsize::new(0);
    let start = Barrier::new(50);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                start.wait();
                if admitted(limiter.admit(7, at(1))) {
                    passed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 5);
}

#[test]
fn a_million_addresses_leave_a_bounded_table_that_still_limits_the_latest() {
    let limiter = SlidingLimiter::new(5, W);
    for key in 0..1_000_000_u32 {
        limiter.admit(key, at(1));
    }
    assert_eq!(stored(&limiter), (MAX_KEYS, MAX_KEYS));
    for _ in 0..4 {
        limiter.admit(999_999, at(2));
    }
    assert!(!admitted(limiter.admit(999_999, at(3))));
    limiter.sweep(at(62));
    assert_eq!(stored(&limiter), (0, 0));
}

#[test]
fn when_full_the_entry_nearest_to_its_end_is_forgotten_and_the_warning_comes_once() {
    let limiter = SlidingLimiter::<u32>::bounded(2, W, 4, 100);
    for (second, key) in [(0, 0), (1, 1), (1, 1), (2, 2), (3, 3), (4, 0)] {
        assert!(admitted(limiter.admit(key, at(second))));
    }
    // Refused: it stays where it was, and so it is the one that goes; 0 came earlier but was admitted again later.
    assert!(!admitted(limiter.admit(1, at(5))));
    assert!(!limiter.lock().overflowing);
    assert!(admitted(limiter.admit(4, at(6))));
    assert!(limiter.lock().overflowing);
    assert!(!admitted(limiter.admit(0, at(7))), "still known");
    assert!(!limiter.lock().forget_excess(limiter.bounds), "it is said once");
    assert!(admitted(limiter.admit(1, at(8))), "forgotten");
    limiter.sweep(at(68));
    assert!(admitted(limiter.admit(9, at(68))));
    assert!(!limiter.lock().overflowing, "a drained table may warn again");
}

#[test]
fn huge_budgets_keep_the_number_of_instants_bounded() {
    let limiter = SlidingLimiter::<u32>::bounded(u32::MAX, W, 1_000, 1_000);
    for key in 0..10 {
        for _ in 0..600 {
            assert!(admitted(limiter.admit(key, at(1))));
        }
        assert!(stored(&limiter).1 <= 1_000);
    }
    let passed = (0..5_000).filter(|_| admitted(limiter.admit(99, at(2)))).count();
    assert_eq!((passed, stored(&limiter)), (1_000, (1, 1_000)));
    // A log that emptied gives its room back.
    assert!(admitted(limiter.admit(98, at(61))));
    limiter.admit(99, at(62));
    assert!(limiter.lock().logs.peek(&99).unwrap().capacity() < 64);
}

#[test]
fn idle_entries_leave_as_time_passes() {
    let limiter = SlidingLimiter::new(5, W);
    for key in 0..1_000 {
        limiter.admit(key, at(0));
    }
    for key in 0..100 {
        limiter.admit(2_000 + key, at(61));
    }
    assert_eq!(stored(&limiter), (100, 100));
}

#[test]
fn a_budget_of_nothing_admits_nothing() {
    let limiter = SlidingLimiter::new(0, W);
    assert_eq!(limiter.admit(1, at(1)), Decision::Refused { reset_secs: 60 });
    assert_eq!(stored(&limiter), (0, 0));
}

proptest! {
    #[test]
    fn it_decides_as_a_naive_log_and_no_window_holds_more_than_the_budget(
        requests in 1_u32..6,
        window in 1_u64..50,
        steps in proptest::collection::vec((0_u32..4, 0_u64..15), 1..200),
    ) {
        let limiter = SlidingLimiter::new(requests, Duration::from_millis(window));
        let mut model: HashMap<u32, Vec<u64>> = HashMap::new();
        let mut now = 0;
        for (key, step) in steps {
            now += step;
            let log = model.entry(key).or_default();
            let live = log.iter().filter(|&&then| then + window > now).count();
            let decision = limiter.admit(key, Duration::from_millis(now));
            prop_assert_eq!(admitted(decision), live < usize::try_from(requests).unwrap());
            if let Decision::Admitted { left, .. } = decision {
                log.push(now);
                prop_assert_eq!(usize::try_from(left).unwrap(), usize::try_from(requests).unwrap() - live - 1);
            }
        }
        for log in model.values() {
            for &start in log {
                let inside = log.iter().filter(|&&then| (start..start + window).contains(&then)).count();
                prop_assert!(inside <= usize::try_from(requests).unwrap());
            }
        }
    }
}

#[test]
fn a_refunded_request_makes_room_and_an_unknown_one_has_nothing_to_refund() {
    let limiter = SlidingLimiter::new(1, W);
    limiter.refund(1, Stamp(0));
    let (first, stamp) = limiter.admit_stamped(1, at(1));
    assert!(admitted(first));
    assert!(!admitted(limiter.admit(1, at(2))));
    limiter.refund(1, stamp);
    assert_eq!(stored(&limiter), (0, 0));
    assert!(admitted(limiter.admit(1, at(2))));
    limiter.refund(1, stamp);
    assert!(!admitted(limiter.admit(1, at(3))), "it was taken back before");
}

#[test]
fn the_refunded_request_is_the_one_that_leaves() {
    let limiter = SlidingLimiter::new(2, W);
    let (_, early) = limiter.admit_stamped(1, at(0));
    assert!(admitted(limiter.admit(1, at(30))));
    limiter.refund(1, early);
    assert!(admitted(limiter.admit(1, at(31))));
    assert!(!admitted(limiter.admit(1, at(61))), "those of 30 and 31 still count");
}
