//! What happens without a request: quiet clients are forgotten, what has expired is removed.

use std::time::Duration;

use actix_web::{
    rt::{spawn, task::JoinHandle},
    web::Data,
};
use sme_pulse_auth::service::AuthService;

use crate::app::Application;

/// How often clients that have gone quiet are forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// How long mails that still wait have to leave when the server has stopped.
const LAST_MAILS: Duration = Duration::from_secs(1);

/// The tasks of one process.
pub struct Background {
    tasks: Vec<JoinHandle<()>>,
    auth: Data<AuthService>,
}

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
        Self { tasks: vec![spawn(sweeper)], auth: application.auth().clone() }
    }

    /// Ends them where they are, since each leaves a usable state behind at any moment; but mails that wait may leave, for
    /// a second at the most.
    pub async fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.auth.finish_errands(LAST_MAILS).await;
    }
}
