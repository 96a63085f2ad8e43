//! Families of series from plain numbers, as snapshots of other crates give them.

use std::time::Duration;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// A label's name and value.
pub(super) type Label<'a> = (&'static str, &'a str);

/// A name and what it means.
pub(super) type Told = (&'static str, &'static str);

/// One number that only grows.
pub(super) fn counter(told: Told, value: u64) -> MetricFamily {
    counters(told, [(Vec::new(), value)])
}

/// Numbers that only grow, by label.
pub(super) fn counters<'a>(told: Told, series: impl IntoIterator<Item = (Vec<Label<'a>>, u64)>) -> MetricFamily {
    let metrics = series.into_iter().map(|(labels, value)| {
        let mut counter = Counter::default();
        counter.set_value(number(value));
        let mut metric = labelled(labels);
        metric.set_counter(counter);
        metric
    });
    family(told, MetricType::COUNTER, metrics.collect())
}

/// One number that goes up and down.
pub(super) fn gauge(told: Told, value: f64) -> MetricFamily {
    gauges(told, [(Vec::new(), value)])
}

/// Numbers that go up and down, by label.
pub(super) fn gauges<'a>(told: Told, series: impl IntoIterator<Item = (Vec<Label<'a>>, f64)>) -> MetricFamily {
    let metrics = series.into_iter().map(|(labels, value)| {
        let mut metric = labelled(labels);
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
        metric
    });
    family(told, MetricType::GAUGE, metrics.collect())
}

/// Seconds that only grow.
pub(super) fn seconds_total(told: Told, value: Duration) -> MetricFamily {
    let mut counter = Counter::default();
    counter.set_value(value.as_secs_f64());
    let mut metric = labelled(Vec::new());
    metric.set_counter(counter);
    family(told, MetricType::COUNTER, vec![metric])
}

/// A distribution of seconds: for each upper bound how many were not above it.
pub(super) struct Buckets {
    up_to: Vec<(Duration, u64)>,
    sum: Duration,
    count: u64,
}

impl Buckets {
    /// Of counts between one bound and the next, the last of them above all bounds.
    pub(super) fn of(bounds: impl IntoIterator<Item = Duration>, between: &[u64], sum: Duration) -> Self {
        let mut count = 0_u64;
        let mut up_to = Vec::new();
        for (bound, more) in bounds.into_iter().zip(between) {
            count = count.saturating_add(*more);
            up_to.push((bound, count));
        }
        let above = between.iter().skip(up_to.len()).fold(0, |sum: u64, more| sum.saturating_add(*more));
        Self { up_to, sum, count: count.saturating_add(above) }
    }
}

/// The series of a distribution.
pub(super) fn histogram(told: Told, buckets: &Buckets) -> MetricFamily {
    let bucket = |(bound, below): &(Duration, u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound.as_secs_f64());
        bucket.set_cumulative_count(*below);
        bucket
    };
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.up_to.iter().map(bucket).collect());
    histogram.set_sample_sum(buckets.sum.as_secs_f64());
    histogram.set_sample_count(buckets.count);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    family(told, MetricType::HISTOGRAM, vec![metric])
}

/// A count as the format has it.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "every number of the format is a float; 2^53 is far"
)]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

/// The same of a size in memory.
pub(super) fn size(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

/// A moment, in seconds since 1970.
pub(super) fn moment(at: i64) -> f64 {
    number(u64::try_from(at).unwrap_or_default())
}

fn labelled(labels: Vec<Label<'_>>) -> Metric {
    let pair = |(name, value): Label<'_>| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    };
    Metric::from_label(labels.into_iter().map(pair).collect())
}

fn family((name, help): Told, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}
