//! Families of series as OTLP has them: the same names, cumulative, with the moment since which they count.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
};
use prometheus::proto::{LabelPair, Metric as Series, MetricFamily, MetricType};

/// From when to when something was counted, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// One message with all families.
pub(super) fn message(resource: &Resource, families: &[MetricFamily], span: Span) -> ExportMetricsServiceRequest {
    let scope = InstrumentationScope {
        name: "sme-pulse".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let metrics = families.iter().filter_map(|family| metric(family, span)).collect();
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource.clone()),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: String::new() }],
            schema_url: String::new(),
        }],
    }
}

/// A name and a text.
pub(super) fn attribute(name: &str, text: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(text.to_owned())) };
    KeyValue { key: name.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// The unit stays empty: it is a part of the name, and whoever turns units into endings would add it a second time.
fn metric(family: &MetricFamily, span: Span) -> Option<Metric> {
    let temporality = AggregationTemporality::Cumulative.into();
    let series = family.get_metric().iter();
    let data = match family.get_field_type() {
        MetricType::COUNTER => Data::Sum(Sum {
            data_points: series.map(|one| number(one, one.get_counter().get_value(), Some(span.start), span)).collect(),
            aggregation_temporality: temporality,
            is_monotonic: true,
        }),
        MetricType::GAUGE => Data::Gauge(Gauge {
            data_points: series.map(|one| number(one, one.get_gauge().get_value(), None, span)).collect(),
        }),
        MetricType::HISTOGRAM => Data::Histogram(Histogram {
            data_points: series.map(|one| distribution(one, span)).collect(),
            aggregation_temporality: temporality,
        }),
        // There are none of the others.
        _ => return None,
    };
    let (name, description) = (family.name().to_owned(), family.help().to_owned());
    Some(Metric { name, description, data: Some(data), ..Metric::default() })
}

fn number(series: &Series, value: f64, start: Option<u64>, span: Span) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(series.get_label()),
        start_time_unix_nano: start.unwrap_or_default(),
        time_unix_nano: span.end,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

/// OTLP counts between one bound and the next, and what is above all of them.
fn distribution(series: &Series, span: Span) -> HistogramDataPoint {
    let histogram = series.get_histogram();
    let (mut bounds, mut counts, mut below) = (Vec::new(), Vec::new(), 0_u64);
    for bucket in histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite()) {
        bounds.push(bucket.upper_bound());
        counts.push(bucket.cumulative_count().saturating_sub(below));
        below = bucket.cumulative_count();
    }
    // An observation may have come between two reads; the parts have to make the whole.
    let count = histogram.get_sample_count().max(below);
    counts.push(count.saturating_sub(below));
    HistogramDataPoint {
        attributes: attributes(series.get_label()),
        start_time_unix_nano: span.start,
        time_unix_nano: span.end,
        count,
        sum: Some(histogram.get_sample_sum()),
        bucket_counts: counts,
        explicit_bounds: bounds,
        ..HistogramDataPoint::default()
    }
}

fn attributes(labels: &[LabelPair]) -> Vec<KeyValue> {
    labels.iter().map(|label| attribute(label.name(), label.value())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::family::{Buckets, counters, gauge, histogram};
    use super::*;

    fn metrics(families: &[MetricFamily]) -> Vec<Metric> {
        let made = message(&Resource::default(), families, Span { start: 5, end: 9 });
        made.resource_metrics.into_iter().flat_map(|of| of.scope_metrics).flat_map(|of| of.metrics).collect()
    }

    #[test]
    fn counters_are_cumulative_and_gauges_have_no_beginning() {
        let families = [counters(("a_total", "A."), [(vec![("k", "v")], 7)]), gauge(("b", "B."), 0.5)];
        let made = metrics(&families);
        let Some(Data::Sum(sum)) = &made[0].data else { panic!("{made:?}") };
        assert!(sum.is_monotonic && sum.aggregation_temporality() == AggregationTemporality::Cumulative);
        let point = &sum.data_points[0];
        assert_eq!((made[0].name.as_str(), made[0].description.as_str(), made[0].unit.as_str()), ("a_total", "A.", ""));
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5, 9));
        assert_eq!(point.attributes, [attribute("k", "v")]);
        assert_eq!(point.value, Some(number_data_point::Value::AsDouble(7.0)));
        let Some(Data::Gauge(gauge)) = &made[1].data else { panic!("{made:?}") };
        assert_eq!((gauge.data_points[0].start_time_unix_nano, gauge.data_points[0].time_unix_nano), (0, 9));
    }

    #[test]
    fn buckets_hold_what_lies_between_two_bounds() {
        let bounds = [1, 2, 5].map(Duration::from_secs);
        let buckets = Buckets::of(bounds, &[3, 0, 4, 2], Duration::from_secs(30));
        let made = metrics(&[histogram(("c_seconds", "C."), &buckets)]);
        let Some(Data::Histogram(histogram)) = &made[0].data else { panic!("{made:?}") };
        let point = &histogram.data_points[0];
        assert_eq!(point.explicit_bounds, [1.0, 2.0, 5.0]);
        assert_eq!((&*point.bucket_counts, point.count, point.sum), (&[3, 0, 4, 2][..], 9, Some(30.0)));
    }
}
