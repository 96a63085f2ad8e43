//! `sme-pulse doctor [--json]`: looks at everything that a server needs. It changes nothing and makes no file.

mod database;
mod files;
mod network;

use std::sync::Arc;

use anyhow::bail;
use serde_json::json;
use sme_pulse_domain::{
    clock::{Clock, SystemClock},
    rng::Rng,
};

use super::print;
use crate::{
    config::{Config, Warning},
    mail,
    random::SystemRng,
};

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// What was seen, and what to do about it.
struct Finding {
    check: &'static str,
    level: Level,
    text: String,
    advice: &'static str,
}

/// What the checks are given, and what they found.
struct Doctor<'a> {
    config: &'a Config,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    findings: Vec<Finding>,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

impl Doctor<'_> {
    fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { check, level: Level::Ok, text: text.into(), advice: "" });
    }

    fn warn(&mut self, check: &'static str, text: impl Into<String>, advice: &'static str) {
        self.findings.push(Finding { check, level: Level::Warn, text: text.into(), advice });
    }

    fn fail(&mut self, check: &'static str, text: impl Into<String>, advice: &'static str) {
        self.findings.push(Finding { check, level: Level::Fail, text: text.into(), advice });
    }

    fn configuration(&mut self, warnings: &[Warning]) {
        for warning in warnings {
            self.warn("configuration", warning.to_string(), "see docs/configuration.md");
        }
        if mail::is_missing(self.config) {
            self.warn("configuration", mail::NOT_SENT, "set BACKEND_SMTP_URL");
        }
        if warnings.is_empty() {
            self.ok("configuration", format!("valid; the environment is {}", self.config.environment.name()));
        }
    }
}

pub(super) async fn run(config: &Config, warnings: &[Warning], as_json: bool) -> anyhow::Result<()> {
    // What `serve` refuses is no finding, but a mistake of the configuration.
    config.tokens.key.check()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut doctor = Doctor { config, clock, rng: Arc::new(SystemRng), findings: Vec::new() };
    doctor.configuration(warnings);
    files::check(&mut doctor);
    database::check(&mut doctor).await;
    network::check(&mut doctor).await;
    let failed = doctor.findings.iter().filter(|finding| finding.level == Level::Fail).count();
    if as_json {
        let checks = doctor.findings.iter().map(|found| {
            json!({"check": found.check, "level": found.level.word().to_lowercase(), "text": found.text, "advice": found.advice})
        });
        print(&json!({"checks": checks.collect::<Vec<_>>(), "failed": failed}).to_string());
    } else {
        doctor.findings.iter().for_each(|found| print(&line(found)));
    }
    if failed > 0 {
        bail!("{failed} check(s) failed");
    }
    Ok(())
}

fn line(found: &Finding) -> String {
    let Finding { check, level, text, advice } = found;
    let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
    format!("{:<5}{check:<14}{text}{advice}", level.word())
}

/// An error and its causes in one line.
fn told(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
