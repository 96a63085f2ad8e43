//! What the other layers know of themselves, asked at the moment of the scrape and turned into series. All of it is in memory:
//! a scrape waits for nothing.

use std::sync::Arc;

use prometheus::proto::MetricFamily;
use sme_pulse_auth::service::{AuthFigures, AuthService, Counted};
use sme_pulse_persistence::{PoolFigures, Store};

use super::{
    family::{Label, counter, counters, gauge, gauges, moment, number, size},
    hashing,
    probe::Probe,
    tasks::Tasks,
};
use crate::{
    limit::SharedState,
    routes::{Followers, Limits},
    telemetry::LogFigures,
};

/// Whom to ask.
pub struct Sources {
    /// The database.
    pub store: Store,
    /// Log-ins, sessions, mails.
    pub auth: Arc<AuthService>,
    /// Streams of revocations.
    pub followers: Arc<Followers>,
    /// Budgets of requests, as they are shared.
    pub limits: Limits,
    /// Background tasks.
    pub tasks: Arc<Tasks>,
    /// The last look at the database.
    pub probe: Arc<Probe>,
    /// The log.
    pub log: LogFigures,
}

impl Sources {
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let mut families = vec![self.build(), followers(self.followers.count())];
        families.extend(of_auth(&self.auth.figures()));
        families.extend(self.of_database(self.store.figures()));
        families.extend(of_sharing(self.limits.shared_state()));
        families.extend(self.of_tasks());
        families.extend(self.of_log());
        families.extend(hashing::families(&self.auth.hashing()));
        // The text format has no family without a series.
        families.retain(|family| !family.get_metric().is_empty());
        families
    }

    fn build(&self) -> MetricFamily {
        let labels = vec![("version", env!("CARGO_PKG_VERSION")), ("database", self.store.engine().name())];
        gauges(("sme_pulse_build_info", "Always 1; which version this is and what it stores in."), [(labels, 1.0)])
    }

    fn of_database(&self, pool: PoolFigures) -> Vec<MetricFamily> {
        let idle = u32::try_from(pool.idle).unwrap_or(u32::MAX).min(pool.open);
        let connections = [("idle", idle), ("in_use", pool.open.saturating_sub(idle))];
        let connections = connections.map(|(state, open)| (vec![("state", state)], f64::from(open)));
        let faults = [("no_connection", pool.refused), ("connection_lost", pool.lost)];
        let faults = faults.map(|(kind, times)| (vec![("kind", kind)], times));
        vec![
            gauge(
                ("sme_pulse_database_up", "Whether the database answered within 2 s when it was last asked."),
                flag(self.probe.answers()),
            ),
            gauge(
                ("sme_pulse_migrations_pending", "Changes of the schema that wait for `sme-pulse migrate`."),
                number(self.probe.pending()),
            ),
            gauges(("sme_pulse_database_connections", "Open connections to the database."), connections),
            gauge(
                ("sme_pulse_database_connections_max", "How many connections to the database there may be."),
                f64::from(pool.most),
            ),
            counters(
                ("sme_pulse_database_faults_total", "Statements that got no connection within 5 s, or lost theirs."),
                faults,
            ),
        ]
    }

    fn of_tasks(&self) -> [MetricFamily; 2] {
        let tasks = self.tasks.figures();
        let last = tasks.iter().map(|task| (vec![("task", task.name)], moment(task.last_success)));
        let failures = tasks.iter().map(|task| (vec![("task", task.name)], task.failures));
        [
            gauges(
                (
                    "sme_pulse_task_last_success_timestamp_seconds",
                    "When each background task last succeeded; the start of the process until then.",
                ),
                last,
            ),
            counters(("sme_pulse_task_failures_total", "Failed rounds of background tasks."), failures),
        ]
    }

    fn of_log(&self) -> [MetricFamily; 2] {
        let dropped = size_count(self.log.dropped());
        [
            counter(("sme_pulse_log_lines_dropped_total", "Lines that the output was too slow to take."), dropped),
            counter(
                ("sme_pulse_log_lines_left_out_total", "Warnings about requests that were too many of their kind."),
                self.log.left_out(),
            ),
        ]
    }
}

/// Told without Redis as well, so that whoever looks for them finds them.
fn of_sharing(state: Option<SharedState>) -> [MetricFamily; 3] {
    let up = state.as_ref().is_none_or(|state| state.up);
    let SharedState { admitted, refused, fallbacks, errors, .. } = state.unwrap_or_default();
    let requests = [("admitted", admitted), ("refused", refused), ("alone", fallbacks)];
    let requests = requests.map(|(outcome, times)| (vec![("outcome", outcome)], times));
    [
        gauge(("sme_pulse_shared_limits_up", "0 while Redis is configured and cannot be asked."), flag(up)),
        counters(
            (
                "sme_pulse_shared_limits_requests_total",
                "Requests that Redis admitted or refused, and those that this process admitted alone.",
            ),
            requests,
        ),
        counter(("sme_pulse_shared_limits_errors_total", "Calls of Redis that failed."), errors),
    ]
}

fn followers(count: usize) -> MetricFamily {
    gauge(("sme_pulse_revocation_followers", "Open streams of revocations."), size(count))
}

fn of_auth(figures: &AuthFigures) -> [MetricFamily; 6] {
    [
        counters(("sme_pulse_logins_total", "Log-ins, by how they ended."), by("outcome", &figures.log_ins)),
        counters(("sme_pulse_refreshes_total", "Refreshes, by how they ended."), by("outcome", &figures.refreshes)),
        counters(
            ("sme_pulse_caller_lookups_total", "Where the state of authenticated callers came from."),
            by("from", &figures.callers),
        ),
        counters(
            ("sme_pulse_errands_total", "Mails and other errands after an answer."),
            by("outcome", &figures.errands),
        ),
        gauge(("sme_pulse_errands_waiting", "Errands that are not finished."), size(figures.errands_waiting)),
        gauge(
            (
                "sme_pulse_change_feed_up",
                "Whether news of changes made elsewhere arrive; without, every request asks the database.",
            ),
            flag(figures.follows_changes),
        ),
    ]
}

fn by<'a>(label: &'static str, counted: &'a [Counted]) -> impl Iterator<Item = (Vec<Label<'a>>, u64)> {
    counted.iter().map(move |counted| (vec![(label, counted.what)], counted.times))
}

const fn flag(on: bool) -> f64 {
    if on { 1.0 } else { 0.0 }
}

fn size_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
