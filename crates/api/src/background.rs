//! What happens without a request: quiet clients are forgotten, what has expired is removed.

use std::time::Duration;

use actix_web::rt::{spawn, task::JoinHandle};

use crate::app::Application;

/// How often clients that have gone quiet are forgotten.
const SWEEP: Duration = Duration::from_mins(1);

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
        Self(vec![spawn(sweeper)])
    }

    /// Ends them where they are: each leaves a usable state behind at any moment.
    pub fn stop(self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
