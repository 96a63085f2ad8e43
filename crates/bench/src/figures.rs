//! Numbers out of measurements: rates, ratios, medians and percentiles.
#![expect(clippy::float_arithmetic, reason = "rates and ratios of a report, never money")]

use std::time::Duration;

/// Events a second.
pub(crate) fn rate(count: u32, time: Duration) -> f64 {
    f64::from(count) / time.as_secs_f64()
}

/// `part` of `whole`; 0 when there is no whole.
pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Milliseconds for a table.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Microseconds for a table.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

/// Megabytes (10^6) out of the kibibytes of `/proc`.
pub(crate) fn megabytes(kibibytes: u32) -> f64 {
    f64::from(kibibytes) * 1024.0 / 1_000_000.0
}

/// The time between two of `rate` evenly spread events over `connections` connections.
pub(crate) fn interval(connections: u32, rate: f64) -> Duration {
    Duration::from_secs_f64(f64::from(connections) / rate.max(0.001))
}

/// The middle value, the lower of two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// The time that `per_mille` of the requests did not exceed.
pub(crate) fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let index = (sorted.len() * per_mille).div_ceil(1000).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 500), Duration::from_millis(50));
        assert_eq!(percentile(&times, 990), Duration::from_millis(99));
        assert_eq!(percentile(&times, 1000), Duration::from_millis(100));
        assert_eq!(percentile(&[], 990), Duration::ZERO);
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        assert!((median(vec![0.5, 100.0, 0.4]) - 0.5).abs() < f64::EPSILON);
    }
}
