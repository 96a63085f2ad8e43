//! How guesses at one account are slowed down: the first ones cost nothing, each further one doubles the time until the
//! next, up to a ceiling that no number of addresses gets around. Only the arithmetic; a counter is two values.

use chrono::{DateTime, TimeDelta, Utc};

/// Wrong guesses that cost nothing: more than an honest person needs.
pub const FREE: i32 = 10;
/// The longest wait for the next guess. It bounds how long strangers can keep the owner off a device that is new.
pub const LONGEST: TimeDelta = TimeDelta::seconds(1_200);
/// A counter that nobody has counted on for so long begins anew.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);
/// Doublings of one second until [`LONGEST`] is reached.
const DOUBLINGS: i32 = 11;

/// How long after the newest of so many wrong guesses the next one may be made.
pub fn delay_after(failures: i32) -> TimeDelta {
    let beyond = failures.saturating_sub(FREE);
    if beyond <= 0 {
        return TimeDelta::zero();
    }
    if beyond > DOUBLINGS {
        return LONGEST;
    }
    let doublings = u32::try_from(beyond).unwrap_or(0).saturating_sub(1);
    TimeDelta::seconds(1_i64.checked_shl(doublings).unwrap_or(i64::MAX)).min(LONGEST)
}

/// The same as a table that a database can compare with: beyond the [`FREE`] ones a guess is admitted when, in any one
/// row, the counter holds at most the first value and was last counted on no later than the second.
pub fn admitted_at(now: DateTime<Utc>) -> impl Iterator<Item = (i32, DateTime<Utc>)> {
    let first = FREE.saturating_add(1);
    let growing = (first..=FREE.saturating_add(DOUBLINGS)).map(|failures| (failures, delay_after(failures)));
    growing.chain([(i32::MAX, LONGEST)]).filter_map(move |(failures, delay)| Some((failures, before(now, delay)?)))
}

/// The newest count that is forgotten by now. `None` only at the beginning of time.
pub fn forgotten_at(now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    before(now, MEMORY)
}

/// Whole seconds, rounded up and at least one, until the next guess is admitted.
pub fn seconds_left(failures: i32, counted_at: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let gone = now.signed_duration_since(counted_at);
    let left = delay_after(failures).checked_sub(&gone).unwrap_or(LONGEST);
    let rounded = left.checked_add(&TimeDelta::microseconds(999_999)).unwrap_or(left).num_seconds();
    u64::try_from(rounded).unwrap_or(0).max(1)
}

fn before(now: DateTime<Utc>, time: TimeDelta) -> Option<DateTime<Utc>> {
    now.checked_sub_signed(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A counter as the database keeps it.
    #[derive(Default)]
    struct Counter(Option<(i32, DateTime<Utc>)>);

    impl Counter {
        fn admit(&mut self, now: DateTime<Utc>) -> bool {
            let (failures, at) = match self.0 {
                Some((_, at)) if at <= forgotten_at(now).unwrap() => (0, now),
                Some((failures, at)) => (failures, at),
                None => (0, now),
            };
            let admitted = admits((failures, at), now);
            if admitted {
                self.0 = Some((failures + 1, now));
            }
            admitted
        }
    }

    fn admits((failures, at): (i32, DateTime<Utc>), now: DateTime<Utc>) -> bool {
        failures <= FREE || admitted_at(now).any(|(most, latest)| failures <= most && at <= latest)
    }

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_763_626_530_000_000 + micros).unwrap()
    }

    /// How many of the sorted instants lie in the fullest 24 hours.
    fn fullest_day(guesses: &[DateTime<Utc>]) -> usize {
        let from = |start: usize| guesses[start..].iter().take_while(|g| **g - guesses[start] < MEMORY).count();
        (0..guesses.len()).map(from).max().unwrap_or(0)
    }

    #[test]
    fn ten_are_free_and_then_the_delay_doubles_up_to_twenty_minutes() {
        let delays: Vec<i64> = (9..26).map(|failures| delay_after(failures).num_seconds()).collect();
        assert_eq!(delays, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1200, 1200, 1200, 1200]);
        assert_eq!((delay_after(i32::MAX), delay_after(i32::MIN)), (LONGEST, TimeDelta::zero()));
    }

    #[test]
    fn the_seconds_left_are_rounded_up_and_never_nought() {
        for (micros, seconds) in [(0, 4), (1, 4), (1_000_000, 3), (3_999_999, 1), (4_000_000, 1), (9_000_000, 1)] {
            assert_eq!(seconds_left(13, at(0), at(micros)), seconds, "{micros}");
        }
        // A clock that was set back does not make anybody wait for what lies between.
        assert_eq!(seconds_left(13, at(2_000_000), at(0)), 6);
    }

    #[test]
    fn who_guesses_as_soon_as_they_may_makes_fewer_than_a_hundred_a_day() {
        let (mut counter, mut guesses, mut now) = (Counter::default(), Vec::new(), at(0));
        while now < at(0) + TimeDelta::days(5) {
            while counter.admit(now) {
                guesses.push(now);
            }
            let (failures, last) = counter.0.unwrap();
            now = last + delay_after(failures).max(TimeDelta::microseconds(1));
        }
        assert_eq!(fullest_day(&guesses), 92);
    }

    proptest! {
        #[test]
        fn the_table_says_what_the_delay_says(failures in 0..40_i32, seconds in 0..1_300_i64) {
            let admitted = admits((failures, at(0)), at(seconds * 1_000_000));
            prop_assert_eq!(admitted, delay_after(failures) <= TimeDelta::seconds(seconds));
        }

        #[test]
        fn no_attacker_gets_more_than_a_hundred_through_in_any_day(
            pauses in prop::collection::vec(
                prop_oneof![
                    4 => Just(0_i64),
                    4 => 0..5_000_000_i64,
                    8 => 1_100_000_000..1_210_000_000_i64,
                    1 => 80_000_000_000..90_000_000_000_i64,
                    1 => prop::sample::select(vec![86_400_000_000_i64, 86_399_999_999, 1_200_000_000, 1_199_999_999]),
                ],
                0..600,
            ),
        ) {
            let (mut counter, mut guesses, mut now) = (Counter::default(), Vec::new(), 0);
            for pause in pauses {
                now += pause;
                // A burst after each pause: as much as the schedule lets through.
                for _ in 0..12 {
                    if counter.admit(at(now)) {
                        guesses.push(at(now));
                    }
                }
            }
            prop_assert!(fullest_day(&guesses) <= 100);
        }
    }
}
