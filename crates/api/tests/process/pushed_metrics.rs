//! Metrics that are sent: a collector gets what a scrape would, nothing is lost with a batch, and nobody waits.

use std::collections::BTreeSet;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, Metric, metric::Data, number_data_point};

use crate::support::{Collector, Home, elapsed, until};

/// A long time: what arrives is the last batch.
const NEVER: &str = "3600000";

async fn home(collector: &Collector, interval: &str) -> Home {
    let mut home = Home::sqlite().await;
    home.set("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}/in/", collector.address));
    home.set("OTEL_TRACES_EXPORTER", "none").set("OTEL_METRICS_EXPORTER", "otlp");
    home.set("OTEL_METRIC_EXPORT_INTERVAL", interval);
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
    home
}

fn metrics(batch: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    batch.resource_metrics.iter().flat_map(|of| &of.scope_metrics).flat_map(|of| &of.metrics)
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()?.value.as_ref()?;
    let Value::StringValue(text) = value else { panic!("{value:?}") };
    Some(text)
}

/// The number of the series whose labels are these and no others.
fn number(batch: &ExportMetricsServiceRequest, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let points = match metrics(batch).find(|metric| metric.name == name)?.data.as_ref()? {
        Data::Sum(sum) => &sum.data_points,
        Data::Gauge(gauge) => &gauge.data_points,
        other => panic!("{other:?}"),
    };
    let fits = |of: &[KeyValue]| of.len() == labels.len() && labels.iter().all(|(k, v)| text(of, k) == Some(v));
    let value = points.iter().find(|point| fits(&point.attributes))?.value;
    let Some(number_data_point::Value::AsDouble(value)) = value else { panic!("{value:?}") };
    Some(value)
}

fn durations(batch: &ExportMetricsServiceRequest, route: &str) -> HistogramDataPoint {
    let name = "sme_pulse_http_request_duration_seconds";
    let data = metrics(batch).find(|metric| metric.name == name).unwrap().data.clone();
    let Some(Data::Histogram(histogram)) = data else { panic!("{data:?}") };
    let mut points = histogram.data_points.into_iter();
    points.find(|point| text(&point.attributes, "route") == Some(route)).unwrap()
}

fn log_ins(batch: &ExportMetricsServiceRequest) -> Option<f64> {
    number(batch, "sme_pulse_logins_total", &[("outcome", "success")])
}

#[tokio::test]
async fn a_collector_gets_the_series_that_a_scrape_tells() {
    let collector = Collector::start().await;
    let mut home = home(&collector, "1000").await;
    home.set("BACKEND_METRICS_ADDR", "127.0.0.1:0").set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20hunter22");
    home.set("OTEL_RESOURCE_ATTRIBUTES", "zone=blue").set("OTEL_SERVICE_NAME", "books");
    let mut server = home.serve().await;
    let token = server.log_in().await.token();
    for _ in 0..3 {
        assert_eq!(server.get_with("/auth/me", &token).await.status, 200);
    }
    let me = [("method", "GET"), ("route", "/api/v1/auth/me"), ("status", "200")];
    let find = async || {
        let count = |batch: &&ExportMetricsServiceRequest| number(batch, "sme_pulse_http_requests_total", &me);
        collector.batches().iter().find(|batch| count(batch) == Some(3.0)).cloned()
    };
    let batch = until("the requests", Duration::from_secs(30), find).await;
    let told = server.scrape().await;
    let types = told.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    assert_eq!(metrics(&batch).map(|metric| metric.name.as_str()).collect::<BTreeSet<_>>(), types.collect());
    assert_eq!(log_ins(&batch), Some(1.0));
    assert_eq!(number(&batch, "sme_pulse_build_info", &[("version", "1.0.0"), ("database", "sqlite")]), Some(1.0));
    let durations = durations(&batch, "/api/v1/auth/me");
    assert_eq!(durations.bucket_counts.len(), durations.explicit_bounds.len() + 1);
    assert_eq!((durations.count, durations.bucket_counts.iter().sum::<u64>()), (3, 3));
    assert!(durations.sum.unwrap() > 0.0 && durations.start_time_unix_nano < durations.time_unix_nano);
    let resource = batch.resource_metrics[0].resource.as_ref().unwrap();
    for (name, value) in [("service.name", "books"), ("service.version", "1.0.0"), ("zone", "blue")] {
        assert_eq!(text(&resource.attributes, name), Some(value));
    }
    server.stop().await;
    server.rest_of_log().await;
    let heads = collector.heads();
    assert!(heads.iter().all(|head| head.starts_with("post /in/v1/metrics ") && head.contains("x-key: a hunter22")));
    assert!(server.log.iter().all(|line| !line.to_string().contains("hunter22")));
    for personal in ["admin", "sme.com", "127.0.0.1"] {
        assert!(!collector.text().contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn the_end_sends_what_was_counted_last_and_replicas_are_told_apart() {
    let collector = Collector::start().await;
    // Without a listener of its own, in a container without certificates.
    let mut home = home(&collector, NEVER).await;
    home.set("SSL_CERT_FILE", "/nonexistent").set("SSL_CERT_DIR", "/nonexistent");
    // The name is in the attributes where the variable for it is not set.
    home.set("OTEL_RESOURCE_ATTRIBUTES", "service.name=ledger");
    for _ in 0..2 {
        let mut server = home.serve().await;
        server.log_in().await;
        server.stop().await;
    }
    let batches = collector.batches();
    assert_eq!(batches.iter().map(log_ins).collect::<Vec<_>>(), [Some(1.0), Some(1.0)]);
    let instance = |batch: &ExportMetricsServiceRequest| {
        let resource = batch.resource_metrics[0].resource.as_ref().unwrap();
        text(&resource.attributes, "service.instance.id").unwrap().to_owned()
    };
    assert_ne!(instance(&batches[0]), instance(&batches[1]));
    let name = |batch: &ExportMetricsServiceRequest| {
        let resource = batch.resource_metrics[0].resource.as_ref().unwrap();
        text(&resource.attributes, "service.name").unwrap().to_owned()
    };
    assert_eq!(batches.iter().map(name).collect::<Vec<_>>(), ["ledger", "ledger"]);
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn what_a_collector_could_not_take_comes_with_the_next_batch() {
    let collector = Collector::refusing(2).await;
    let home = home(&collector, "1000").await;
    let mut server = home.serve().await;
    server.log_in().await;
    let text = "The collector does not take metrics; the next batch has what this one had";
    assert_eq!(server.heard(text).await.unwrap()["error"], "503 Service Unavailable");
    assert!(server.heard("The collector takes metrics again").await.is_some());
    let first = until("a batch", Duration::from_secs(30), async || collector.batches().first().cloned()).await;
    assert_eq!(log_ins(&first), Some(1.0));
    server.stop().await;
    server.rest_of_log().await;
    let said = server.log.iter().filter(|line| line["msg"].as_str().unwrap().starts_with("The collector"));
    assert_eq!(said.count(), 2);
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_hangs() {
    let collector = Collector::hung().await;
    let mut home = home(&collector, "1000").await;
    home.set("BACKEND_METRICS_ADDR", "127.0.0.1:0");
    let mut server = home.serve().await;
    assert!(
        server.heard("The collector does not take metrics; the next batch has what this one had").await.is_some(),
        "a batch may take five seconds"
    );
    assert_eq!(server.get("/health").await.status, 200);
    assert!(server.scrape().await.number("sme_pulse_change_feed_up") == 1);
    let began = elapsed();
    server.stop().await;
    // As long as a batch may take otherwise.
    assert!(elapsed().saturating_sub(began) < Duration::from_secs(5));
}
