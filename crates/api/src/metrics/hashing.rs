//! The series of the hashing pool, from its own figures.

use prometheus::proto::MetricFamily;
use sme_pulse_auth::password::{PoolFigures, WAIT_BOUNDS};

use super::family::{Buckets, counter, counters, gauge, gauges, histogram, seconds_total, size};

/// The names of all series made here.
pub const NAMES: [&str; 8] = [
    "sme_pulse_hash_threads",
    "sme_pulse_hash_threads_busy",
    "sme_pulse_hash_queue_places",
    "sme_pulse_hash_queue_length",
    "sme_pulse_hash_wait_seconds",
    "sme_pulse_hashes_total",
    "sme_pulse_hash_compute_seconds_total",
    "sme_pulse_hash_refusals_total",
];

/// The series.
pub fn families(figures: &PoolFigures) -> Vec<MetricFamily> {
    let [threads, busy, places, queue, wait, hashes, time, refusals] = NAMES;
    let waiting = [("proven", figures.waiting_proven), ("stranger", figures.waiting_strangers)];
    let waiting = waiting.map(|(who, waiting)| (vec![("who", who)], size(waiting)));
    let refused = [
        ("full", figures.refused_full),
        ("displaced", figures.refused_displaced),
        ("late", figures.refused_late),
        ("abandoned", figures.abandoned),
    ];
    let refused = refused.map(|(reason, times)| (vec![("reason", reason)], times));
    let buckets = Buckets::of(WAIT_BOUNDS, &figures.waits, figures.wait_time);
    vec![
        gauge((threads, "Threads that compute password hashes."), size(figures.threads)),
        gauge((busy, "Threads that compute a password hash now."), size(figures.busy)),
        gauge((places, "Password hashes that may wait for a thread."), size(figures.places)),
        gauges(
            (queue, "Password hashes that wait for a thread, by whether who wants them has proved something."),
            waiting,
        ),
        histogram((wait, "Seconds that password hashes have waited for a thread."), &buckets),
        counter((hashes, "Password hashes computed."), figures.computed),
        seconds_total((time, "Seconds that took, over all threads."), figures.compute_time),
        counters((refusals, "Password hashes that were not computed, by reason."), refused),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_figure_is_a_series_of_its_name() {
        let figures = PoolFigures {
            threads: 2,
            places: 32,
            busy: 1,
            waiting_proven: 3,
            waiting_strangers: 4,
            computed: 7,
            compute_time: Duration::from_millis(2_250),
            waits: [1, 0, 2, 0, 0, 0, 0, 0, 0, 3],
            wait_time: Duration::from_millis(1_500),
            refused_full: 8,
            refused_displaced: 9,
            refused_late: 10,
            abandoned: 11,
        };
        let families = families(&figures);
        assert_eq!(families.iter().map(MetricFamily::name).collect::<Vec<_>>(), NAMES);
        let text = prometheus::TextEncoder::new().encode_to_string(&families).unwrap();
        for line in [
            "sme_pulse_hash_queue_places 32",
            "sme_pulse_hash_queue_length{who=\"proven\"} 3",
            "sme_pulse_hash_wait_seconds_bucket{le=\"0.05\"} 1",
            "sme_pulse_hash_wait_seconds_bucket{le=\"0.1\"} 3",
            "sme_pulse_hash_wait_seconds_bucket{le=\"10\"} 3",
            "sme_pulse_hash_wait_seconds_bucket{le=\"+Inf\"} 6",
            "sme_pulse_hash_wait_seconds_sum 1.5",
            "sme_pulse_hash_compute_seconds_total 2.25",
            "sme_pulse_hash_refusals_total{reason=\"full\"} 8",
            "sme_pulse_hash_refusals_total{reason=\"abandoned\"} 11",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
