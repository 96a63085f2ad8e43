//! What happens without a request: quiet clients are forgotten, what has expired is removed.

use std::{sync::Arc, time::Duration};

use actix_web::rt::{spawn, task::JoinHandle};
use sme_pulse_auth::service::AuthService;

use crate::{app::Application, error::chain};

/// How often clients that have gone quiet are forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// How often the heads of the audit trail are signed.
const CHECKPOINTS: Duration = Duration::from_hours(1);

/// The tasks of one process.
pub struct Background(Vec<JoinHandle<()>>);

impl Background {
    /// Starts them.
    pub fn start(application: &Application) -> Self {
        let limits = application.limits().clone();
        let sweeper = async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                limits.sweep();
            }
        };
        Self(vec![spawn(sweeper), spawn(sign_checkpoints(application.auth()))])
    }

    /// Ends them where they are: each leaves a usable state behind at any moment.
    pub fn stop(self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn sign_checkpoints(auth: Arc<AuthService>) {
    loop {
        tokio::time::sleep(CHECKPOINTS).await;
        match auth.sign_checkpoints().await {
            Ok(0) => {}
            Ok(signed) => tracing::info!(signed, "Audit checkpoints signed"),
            Err(error) => tracing::warn!(error = chain(&error), "Audit checkpoints were not signed"),
        }
    }
}
