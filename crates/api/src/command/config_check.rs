//! `sme-pulse config check`: what would be in effect, and where it comes from. It touches no file and no database.

use std::sync::Arc;

use clap::Subcommand;
use sme_pulse_domain::clock::SystemClock;

use super::print;
use crate::{
    config::{Config, Warning},
    mail,
    random::SystemRng,
};

/// What to do with the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigAction {
    /// Check it as `serve` does, and print every setting in effect with its source: the environment, `.env` or the default.
    Check,
}

pub(super) fn run(config: &Config, warnings: &[Warning]) -> anyhow::Result<()> {
    config.tokens.key.check()?;
    let clock: Arc<dyn sme_pulse_domain::clock::Clock> = Arc::new(SystemClock::default());
    let rng: Arc<dyn sme_pulse_domain::rng::Rng> = Arc::new(SystemRng);
    mail::mailer(config, &clock, &rng)?;
    let width = |text: fn(&crate::config::Setting) -> usize| config.settings().map(text).max().unwrap_or_default();
    let (names, sources) = (width(|setting| setting.name.len()), width(|setting| setting.source.as_str().len()));
    for setting in config.settings() {
        let line =
            format!("{:<names$}  {:<sources$}  {}", setting.name, setting.source.as_str(), plain(&setting.value));
        print(line.trim_end());
    }
    let unsent = mail::is_missing(config).then_some(mail::NOT_SENT);
    for warning in warnings.iter().map(ToString::to_string).chain(unsent.map(str::to_owned)) {
        print(&format!("warning: {}", plain(&warning)));
    }
    print("The configuration is valid.");
    Ok(())
}

/// One line, whatever was between the commas of a list.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
