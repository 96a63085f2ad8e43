//! The routes, and how one is measured.

use std::time::Duration;

use super::caller::{self, Sender};
use super::database::{Database, Reading};
use crate::figures::{micros, ratio};
use crate::server::Server;

const WARM_UP: Duration = Duration::from_millis(600);
/// So few that the time of an answer is measured, and not that of a queue.
const FEW: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Health,
    Me,
    MeCold,
    Customers,
    Search,
    Users,
    Audit,
    Create,
    CreateOnce,
    Refresh,
    LogIn,
}

/// Those that are measured in rounds, what writes last.
pub(super) const STEADY: &[Route] = &[
    Route::Health,
    Route::Me,
    Route::Customers,
    Route::Search,
    Route::Users,
    Route::Audit,
    Route::Create,
    Route::CreateOnce,
    Route::Refresh,
];

impl Route {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Health => "`GET /health`",
            Self::Me => "`GET /auth/me`, warm",
            Self::MeCold => "`GET /auth/me`, cold",
            Self::Customers => "`GET /api/v1/customers`",
            Self::Search => "the same with `search`",
            Self::Users => "`GET /api/v1/users`",
            Self::Audit => "`GET /api/v1/audit`",
            Self::Create => "`POST /api/v1/customers`",
            Self::CreateOnce => "the same with `Idempotency-Key`",
            Self::Refresh => "`POST /auth/refresh`",
            Self::LogIn => "`POST /auth/login`, bcrypt 12",
        }
    }

    pub(super) fn path(self) -> Option<&'static str> {
        match self {
            Self::Customers => Some("/api/v1/customers"),
            // Customers 4 and 40 to 49, the same eleven in every organization.
            Self::Search => Some("/api/v1/customers?search=%204"),
            Self::Users => Some("/api/v1/users"),
            Self::Audit => Some("/api/v1/audit"),
            _ => None,
        }
    }

    /// Times with few connections first, then what a request costs with all of them.
    pub(super) fn measure(
        self,
        server: &Server,
        database: &Database,
        senders: &mut [Sender],
        round: Duration,
    ) -> anyhow::Result<Sample> {
        let mut sample = Sample::new(self);
        if self != Self::LogIn {
            caller::drive(server.address, senders, Some(WARM_UP))?;
        }
        let few = senders.len().min(FEW);
        let times = match senders.get_mut(..few) {
            Some(few) => caller::drive(server.address, few, Some(round / 2))?,
            None => Vec::new(),
        };
        sample.add(server, database, || caller::drive(server.address, senders, Some(round / 2)))?;
        sample.times = times;
        sample.finish();
        Ok(sample)
    }
}

/// What was measured of one route.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) route: Route,
    /// Sorted.
    pub(super) times: Vec<Duration>,
    answers: f64,
    server: Duration,
    database: Option<Duration>,
    log: Option<f64>,
}

impl Sample {
    pub(super) fn new(route: Route) -> Self {
        Self { route, times: Vec::new(), answers: 0.0, server: Duration::ZERO, database: None, log: None }
    }

    /// The requests of `work` and what they cost.
    #[expect(clippy::float_arithmetic, reason = "counts of a report, never money")]
    pub(super) fn add(
        &mut self,
        server: &Server,
        database: &Database,
        work: impl FnOnce() -> anyhow::Result<Vec<Duration>>,
    ) -> anyhow::Result<()> {
        let before = Reading::of(server, database)?;
        let times = work()?;
        let used = before.until(server, database)?;
        self.answers += f64::from(u32::try_from(times.len())?);
        self.server += used.server;
        if let Some(more) = used.database {
            self.database = Some(self.database.unwrap_or_default() + more);
        }
        if let Some(more) = used.log {
            self.log = Some(self.log.unwrap_or_default() + more);
        }
        self.times.extend(times);
        Ok(())
    }

    pub(super) fn finish(&mut self) {
        self.times.sort_unstable();
    }

    /// Processor time of a request in the server.
    pub(super) fn server_micros(&self) -> f64 {
        ratio(micros(self.server), self.answers)
    }

    /// The same in PostgreSQL.
    pub(super) fn database_micros(&self) -> Option<f64> {
        self.database.map(|time| ratio(micros(time), self.answers))
    }

    /// Both together.
    #[expect(clippy::float_arithmetic, reason = "times of a report, never money")]
    pub(super) fn micros(&self) -> f64 {
        self.server_micros() + self.database_micros().unwrap_or_default()
    }

    /// Bytes that a request adds to PostgreSQL's write-ahead log.
    pub(super) fn log_bytes(&self) -> Option<f64> {
        self.log.map(|bytes| ratio(bytes, self.answers))
    }
}
