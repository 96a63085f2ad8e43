//! What is counted of every request. A request finds its series by its route, and there by two small numbers: no text is
//! compared, no lock taken, and a client cannot make a series.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use actix_web::http::header::HeaderValue;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, core::Collector,
};

use super::route::RouteName;

/// The methods that have a name of their own; all others share one.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", OTHER];
/// The statuses that have a number of their own; all others share a word.
const STATUSES: [u16; 22] =
    [200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 431, 499, 500, 501, 502, 503, 504];
/// The budgets of requests, by the names that clients see.
pub(crate) const BUDGETS: [&str; 10] = [
    "login",
    "refresh",
    "reset",
    "change-password",
    "mfa",
    "step-up",
    "invitation",
    "invite",
    "sign-up",
    "switch-organization",
];
const OTHER: &str = "other";
/// The route of what no resource has answered.
const UNMATCHED: &str = "unmatched";
/// Upper bounds in seconds: from a fraction of what the cheapest route takes to what a handler may take by default.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The counts of requests; one for all workers.
pub struct HttpMetrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    connections: IntGauge,
    errors: IntCounterVec,
    panics: IntCounter,
    timeouts: IntCounterVec,
    refusals: IntCounterVec,
    unmatched: Arc<Series>,
    routes: Mutex<BTreeMap<String, Arc<Series>>>,
}

/// The series of one route, each made when it is needed first.
pub(super) struct Series {
    route: String,
    methods: [OnceLock<Box<OfMethod>>; METHODS.len()],
}

struct OfMethod {
    duration: Histogram,
    statuses: [OnceLock<IntCounter>; STATUSES.len()],
    other: OnceLock<IntCounter>,
}

/// Whose time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// The handler's.
    Handler,
    /// The client's, who held its body back.
    Client,
}

impl HttpMetrics {
    /// Nothing counted yet. An error is a fault of the names in the code.
    pub fn new() -> prometheus::Result<Self> {
        let counters = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let duration = HistogramOpts::new(
            "sme_pulse_http_request_duration_seconds",
            "Seconds from the first byte handled of a request to the head of its answer.",
        );
        Ok(Self {
            requests: counters(
                "sme_pulse_http_requests_total",
                "Requests answered, by route template; status 499 for those whose client went away.",
                &["method", "route", "status"],
            )?,
            durations: HistogramVec::new(duration.buckets(SECONDS.to_vec()), &["method", "route"])?,
            in_flight: IntGauge::new("sme_pulse_http_requests_in_flight", "Requests that have no answer yet.")?,
            connections: IntGauge::new("sme_pulse_http_connections", "Open connections of clients.")?,
            errors: counters(
                "sme_pulse_http_errors_total",
                "Answers that are errors, by the error_code of their envelope.",
                &["code"],
            )?,
            panics: IntCounter::new("sme_pulse_http_panics_total", "Requests whose handler panicked.")?,
            timeouts: counters(
                "sme_pulse_http_timeouts_total",
                "Requests whose time was up: the handler's, or the client's to send its body.",
                &["whose"],
            )?,
            refusals: counters(
                "sme_pulse_rate_limited_total",
                "Requests that a budget has refused, by its name.",
                &["budget"],
            )?,
            unmatched: Arc::new(Series::of(UNMATCHED)),
            routes: Mutex::default(),
        }
        .begun())
    }

    /// What alerts look at begins with 0, so that the first time is an increase.
    fn begun(self) -> Self {
        for code in ["internal_error", "service_unavailable", "rate_limited"] {
            self.errors.with_label_values(&[code]);
        }
        for late in [Late::Handler, Late::Client] {
            self.timeouts.with_label_values(&[late.word()]);
        }
        for budget in BUDGETS {
            self.refusals.with_label_values(&[budget]);
        }
        self
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let parts: [Box<dyn Collector>; 8] = [
            Box::new(self.requests.clone()),
            Box::new(self.durations.clone()),
            Box::new(self.in_flight.clone()),
            Box::new(self.connections.clone()),
            Box::new(self.errors.clone()),
            Box::new(self.panics.clone()),
            Box::new(self.timeouts.clone()),
            Box::new(self.refusals.clone()),
        ];
        parts.into_iter().try_for_each(|part| registry.register(part))
    }

    /// The series of a route template; the same for all workers.
    pub(super) fn series(&self, template: &str) -> Arc<Series> {
        // No code that can panic runs under the lock but the map's own.
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(template.to_owned()).or_insert_with(|| Arc::new(Series::of(template))))
    }

    /// A request has begun; [`ended`](Self::ended) has to follow, whatever becomes of it.
    pub(crate) fn began(&self) {
        self.in_flight.inc();
    }

    /// A request is over.
    pub(crate) fn ended(&self) {
        self.in_flight.dec();
    }

    /// A client has connected; [`disconnected`](Self::disconnected) has to follow.
    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    /// A connection is over.
    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    /// An answer, or the loss of the one who waited for it.
    pub(crate) fn answered(&self, route: Option<&RouteName>, method: &str, status: u16, took: Duration) {
        let series = route.and_then(RouteName::series).unwrap_or(&self.unmatched);
        let known = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len().saturating_sub(1));
        let Some(of_method) = series.methods.get(known) else { return };
        let word = METHODS.get(known).copied().unwrap_or(OTHER);
        let of_method = of_method.get_or_init(|| Box::new(self.of_method(word, &series.route)));
        of_method.duration.observe(took.as_secs_f64());
        let known = STATUSES.iter().position(|known| *known == status);
        let counter = known.and_then(|known| of_method.statuses.get(known)).unwrap_or(&of_method.other);
        counter.get_or_init(|| self.of_status(word, &series.route, known.map(|_| status))).inc();
    }

    fn of_method(&self, method: &str, route: &str) -> OfMethod {
        OfMethod {
            duration: self.durations.with_label_values(&[method, route]),
            statuses: [const { OnceLock::new() }; STATUSES.len()],
            other: OnceLock::new(),
        }
    }

    fn of_status(&self, method: &str, route: &str, status: Option<u16>) -> IntCounter {
        let status = status.map_or_else(|| OTHER.to_owned(), |status| status.to_string());
        self.requests.with_label_values(&[method, route, &status])
    }

    /// An answer that is an error. The codes are fixed texts of the code, so their number is bounded.
    pub(crate) fn failed(&self, code: &'static str) {
        self.errors.with_label_values(&[code]).inc();
    }

    /// A panic of a handler.
    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    /// The end of somebody's time.
    pub(crate) fn timed_out(&self, late: Late) {
        self.timeouts.with_label_values(&[late.word()]).inc();
    }

    /// A refusal by a budget, which names itself in the answer's `RateLimit` header.
    pub(crate) fn refused(&self, state: Option<&HeaderValue>) {
        let name = state.and_then(|state| state.to_str().ok()).and_then(|state| state.split('"').nth(1));
        let known = name.and_then(|name| BUDGETS.into_iter().find(|known| *known == name));
        self.refusals.with_label_values(&[known.unwrap_or(OTHER)]).inc();
    }
}

impl Series {
    fn of(route: &str) -> Self {
        Self { route: route.to_owned(), methods: [const { OnceLock::new() }; METHODS.len()] }
    }
}

impl Late {
    const fn word(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Client => "client",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(metrics: &HttpMetrics) -> String {
        let registry = Registry::new();
        metrics.register(&registry).unwrap();
        prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    #[test]
    fn requests_count_under_their_template_and_methods_and_statuses_are_bounded() {
        let metrics = HttpMetrics::new().unwrap();
        let route = RouteName::new("/items/{id}", Some(&metrics));
        let took = Duration::from_millis(3);
        metrics.answered(Some(&route), "GET", 200, took);
        metrics.answered(Some(&RouteName::new("/items/{id}", Some(&metrics))), "GET", 200, took);
        metrics.answered(None, "BREW", 418, took);
        metrics.answered(None, "-", 999, took);
        let text = text(&metrics);
        let requests: Vec<_> = text.lines().filter(|line| line.starts_with("sme_pulse_http_requests_total")).collect();
        let want = [
            r#"sme_pulse_http_requests_total{method="GET",route="/items/{id}",status="200"} 2"#,
            r#"sme_pulse_http_requests_total{method="other",route="unmatched",status="other"} 2"#,
        ];
        assert_eq!(requests, want);
        let bucket = r#"duration_seconds_bucket{method="GET",route="/items/{id}",le="0.005"} 2"#;
        assert!(text.contains(bucket), "{text}");
    }

    #[test]
    fn a_budget_is_known_by_the_header_it_sets() {
        let metrics = HttpMetrics::new().unwrap();
        metrics.refused(Some(&HeaderValue::from_static(r#""login";r=0;t=60"#)));
        metrics.refused(Some(&HeaderValue::from_static(r#""made up";r=0;t=60"#)));
        metrics.refused(None);
        let text = text(&metrics);
        assert!(text.contains("sme_pulse_rate_limited_total{budget=\"login\"} 1\n"), "{text}");
        assert!(text.contains("sme_pulse_rate_limited_total{budget=\"other\"} 2\n"), "{text}");
    }
}
