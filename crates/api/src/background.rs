//! What happens without a request: quiet clients are forgotten, sessions' times of use are written, what has expired is
//! removed, and the heads of the audit trail are signed.

use std::{sync::Arc, time::Duration};

use actix_web::rt::{spawn, task::JoinHandle};
use sme_pulse_auth::service::AuthService;
use sme_pulse_persistence::Store;

use crate::{app::Application, error::chain};

/// How often clients that have gone quiet are forgotten.
const SWEEP: Duration = Duration::from_mins(1);
/// How often it is written when sessions were last used.
const LAST_SEEN: Duration = Duration::from_mins(1);
/// How often expired rows are removed.
const REMOVE_EXPIRED: Duration = Duration::from_hours(1);
/// How often the heads of the audit trail are signed.
const CHECKPOINTS: Duration = Duration::from_hours(1);
/// How long the last write may take: the process has to end within 10 s.
const LAST_WRITE: Duration = Duration::from_secs(1);
/// How long mails that still wait have to leave when the server has stopped.
const LAST_MAILS: Duration = Duration::from_secs(1);

/// The tasks of one process.
pub struct Background {
    tasks: Vec<JoinHandle<()>>,
    auth: Arc<AuthService>,
    store: Store,
}

impl Background {
    /// Starts them.
    pub fn start(application: &Application, store: Store) -> Self {
        let auth = application.auth();
        let limits = application.limits().clone();
        let sweeper = async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                limits.sweep();
            }
        };
        let tasks = vec![
            spawn(sweeper),
            spawn(last_seen(application.auth())),
            spawn(expired(application.auth())),
            spawn(sign_checkpoints(application.auth())),
        ];
        Self { tasks, auth, store }
    }

    /// Ends them where they are, since each leaves a usable state behind at any moment. What is still to be written is,
    /// and mails that wait may leave, at the same time and for a second at the most.
    pub async fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // Those that the server's threads opened have ended with them.
        self.store.forget_idle();
        let last_write = tokio::time::timeout(LAST_WRITE, self.auth.write_last_seen());
        match tokio::join!(last_write, self.auth.finish_errands(LAST_MAILS)).0 {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = chain(&error), "The sessions' times of use were not written"),
            Err(_too_late) => tracing::warn!("The sessions' times of use were not written in time"),
        }
    }
}

async fn last_seen(auth: Arc<AuthService>) {
    loop {
        tokio::time::sleep(LAST_SEEN).await;
        if let Err(error) = auth.write_last_seen().await {
            tracing::warn!(error = chain(&error), "The sessions' times of use were not written");
        }
    }
}

async fn expired(auth: Arc<AuthService>) {
    loop {
        match auth.remove_expired().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "Expired rows removed"),
            Err(error) => tracing::warn!(error = chain(&error), "Expired rows were not removed"),
        }
        tokio::time::sleep(REMOVE_EXPIRED).await;
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
