//! Where traces and metrics are sent, by the names that OpenTelemetry has fixed for all programs.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::{
    keys::{
        METRIC_EXPORT_INTERVAL, METRICS_EXPORTER, OTLP_ENDPOINT, OTLP_HEADERS, RESOURCE_ATTRIBUTES, SERVICE_NAME,
        TRACES_EXPORTER, TRACES_SAMPLER, TRACES_SAMPLER_ARG,
    },
    reader::Reader,
    secret::Secret,
};

/// Where and how; exists only where there is a collector.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Below it batches are posted; without a slash at the end.
    pub endpoint: String,
    /// Sent with every batch; most often a key of the collector.
    pub headers: Vec<(String, Secret)>,
    /// `service.name`.
    pub service_name: String,
    /// Further attributes of this installation.
    pub attributes: Vec<(String, String)>,
    /// Which requests are recorded; `None` where no traces are sent.
    pub traces: Option<Sampling>,
    /// How often metrics are sent; `None` where they are not.
    pub metrics: Option<Duration>,
}

/// Which requests are recorded; `by_parent` where the caller's decision, if it is believed, comes first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// All.
    Always {
        /// Whether the caller's decision comes first.
        by_parent: bool,
    },
    /// None.
    Never {
        /// Whether the caller's decision comes first.
        by_parent: bool,
    },
    /// A part, from 0 to 1.
    Ratio {
        /// Whether the caller's decision comes first.
        by_parent: bool,
        /// Which part.
        ratio: f64,
    },
}

/// The inner `None` is nowhere, which is the default; the other variables are checked all the same.
#[expect(clippy::option_option, reason = "the outer one says whether the value is good, as everywhere here")]
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Option<Collector>> {
    const EXPORTER: &str = "must be otlp or none";
    const PAIRS: &str = "must be a comma list of name=value, with percent-encoded values";
    let endpoint = if reader.given(OTLP_ENDPOINT).is_none_or(|text| text.trim().is_empty()) {
        reader.show(OTLP_ENDPOINT, "");
        Some(None)
    } else {
        let rule = "must be an http:// or https:// URL without user, query and fragment";
        reader.value(OTLP_ENDPOINT, rule, endpoint).map(Some)
    };
    let headers = pairs(reader.given(OTLP_HEADERS).unwrap_or_default(), true);
    match &headers {
        Some(headers) => reader.show(OTLP_HEADERS, if headers.is_empty() { "" } else { "***" }),
        None => reader.refuse(OTLP_HEADERS, PAIRS),
    }
    let service_name = reader.word(SERVICE_NAME);
    let attributes = reader.value(RESOURCE_ATTRIBUTES, PAIRS, |text| pairs(text, false));
    let ratio = reader.value(TRACES_SAMPLER_ARG, "must be a number from 0 to 1", ratio);
    let rule = "must be always_on, always_off or traceidratio, or one of them after parentbased_";
    let sampling = reader.value(TRACES_SAMPLER, rule, |text| sampling(text, ratio.unwrap_or(1.0)));
    let with_traces = reader.value(TRACES_EXPORTER, EXPORTER, exporter);
    let with_metrics = reader.value(METRICS_EXPORTER, EXPORTER, exporter);
    let interval = reader.number(METRIC_EXPORT_INTERVAL, 1_000..=3_600_000).map(Duration::from_millis);
    if with_metrics == Some(true) && matches!(endpoint, Some(None)) {
        reader.refuse(METRICS_EXPORTER, "must be none without OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    let headers = headers?.into_iter().map(|(name, value)| (name, Secret::new(&value))).collect();
    let (mut service_name, attributes) = (service_name?, attributes?);
    if reader.given(SERVICE_NAME).is_none() {
        // The default does not win over what somebody wrote.
        let named = attributes.iter().rfind(|(name, _)| name == "service.name");
        service_name = named.map_or(service_name, |(_, name)| name.clone());
    }
    let traces = Some(ratio.and(sampling)?).filter(|_| with_traces == Some(true));
    let metrics = Some(interval?).filter(|_| with_metrics == Some(true));
    Some(endpoint?.map(|endpoint| Collector { endpoint, headers, service_name, attributes, traces, metrics }))
}

/// Whether something is sent.
fn exporter(text: &str) -> Option<bool> {
    match text {
        "otlp" => Some(true),
        "none" => Some(false),
        _ => None,
    }
}

fn endpoint(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && plain;
    fits.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// Names are letters, digits and `-_.`; values have no control characters, and those of headers are ASCII.
fn pairs(text: &str, headers: bool) -> Option<Vec<(String, String)>> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let pair = |entry: &str| {
        let (name, value) = entry.split_once('=')?;
        let (name, value) = (name.trim(), percent_decode_str(value.trim()).decode_utf8().ok()?.into_owned());
        let token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let fits = !name.is_empty() && !value.chars().any(char::is_control) && (!headers || value.is_ascii());
        (fits && name.chars().all(token)).then(|| (name.to_owned(), value))
    };
    entries.map(pair).collect()
}

fn ratio(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|ratio| plain && (0.0..=1.0).contains(ratio))
}

fn sampling(text: &str, ratio: f64) -> Option<Sampling> {
    let (by_parent, root) = match text.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, text),
    };
    match root {
        "always_on" => Some(Sampling::Always { by_parent }),
        "always_off" => Some(Sampling::Never { by_parent }),
        "traceidratio" => Some(Sampling::Ratio { by_parent, ratio }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_without_a_slash_at_the_end() {
        for (text, want) in [
            ("http://localhost:4318", "http://localhost:4318"),
            ("https://otel.example.com/in/", "https://otel.example.com/in"),
        ] {
            assert_eq!(endpoint(text).as_deref(), Some(want));
        }
        for text in ["localhost:4318", "grpc://x", "http://a:b@x", "http://x?y", "http://x#y", ""] {
            assert_eq!(endpoint(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_are_decoded_and_odd_ones_refused() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let want = vec![pair("api-key", "a b"), pair("x", "1=2")];
        assert_eq!(pairs("api-key=a%20b, x=1=2,", true), Some(want));
        assert_eq!(pairs("", true), Some(Vec::new()));
        for text in ["x", "=1", "a b=1", "x=%0a", "x=%ff"] {
            assert_eq!(pairs(text, true), None, "{text}");
        }
    }

    #[test]
    fn every_sampler_of_the_specification_that_needs_no_other_service_is_known() {
        assert_eq!(sampling("always_on", 1.0), Some(Sampling::Always { by_parent: false }));
        let ratio = Sampling::Ratio { by_parent: true, ratio: 0.25 };
        assert_eq!(sampling("parentbased_traceidratio", 0.25), Some(ratio));
        assert_eq!(sampling("parentbased_always_off", 1.0), Some(Sampling::Never { by_parent: true }));
        assert_eq!(sampling("jaeger_remote", 1.0), None);
        assert_eq!((super::ratio("0.1"), super::ratio("1"), super::ratio("0")), (Some(0.1), Some(1.0), Some(0.0)));
        for text in ["1.1", "-0", "NaN", "inf", "1e-3", "."] {
            assert_eq!(super::ratio(text), None, "{text}");
        }
    }
}
