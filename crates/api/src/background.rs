//! What happens without a request: quiet clients are forgotten, the connection to Redis is kept, sessions' times of use are written, what has expired is
//! removed, and the heads of the audit trail are signed.

use std::{sync::Arc, time::Duration};

use actix_web::rt::{spawn, task::JoinHandle};
use sme_pulse_auth::service::AuthService;
use sme_pulse_persistence::{Store, StoreError};

use crate::{
    app::Application,
    error::chain,
    metrics::{Task, Tasks},
    telemetry::{self, LogFigures},
};

/// How often clients that have gone quiet are forgotten.
const SWEEP: Duration = Duration::from_mins(1);
/// How often it is written when sessions were last used.
const LAST_SEEN: Duration = Duration::from_mins(1);
/// How often expired rows are removed.
const REMOVE_EXPIRED: Duration = Duration::from_hours(1);
/// How often the heads of the audit trail are signed.
const CHECKPOINTS: Duration = Duration::from_hours(1);
/// The heads are first signed soon after a start: a server that is replaced often would never sign any.
const FIRST_CHECKPOINTS: Duration = Duration::from_mins(5);
/// How long a round may take. A connection that has gone silent would hold it, and its lock, for ever.
const LONGEST_ROUND: Duration = Duration::from_mins(10);
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
    pub fn start(application: &Application, store: Store, watched: &Arc<Tasks>, log: LogFigures) -> Self {
        let auth = application.auth();
        let (limits, swept) = (application.limits().clone(), Arc::clone(watched));
        let sweeper = async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                limits.sweep();
                swept.done::<_, ()>(Task::Sweep, &Ok(()));
            }
        };
        let tell_floods = async move {
            loop {
                tokio::time::sleep(telemetry::TICK).await;
                log.tick();
            }
        };
        let shared = application.limits().shared().cloned();
        let sharing = async move {
            if let Some(shared) = shared {
                shared.keep().await;
            }
        };
        let tasks = vec![
            spawn(tell_floods),
            spawn(sweeper),
            spawn(sharing),
            spawn(last_seen(application.auth(), Arc::clone(watched))),
            spawn(expired(application.auth(), Arc::clone(watched))),
            spawn(sign_checkpoints(application.auth(), Arc::clone(watched))),
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

async fn last_seen(auth: Arc<AuthService>, watched: Arc<Tasks>) {
    loop {
        tokio::time::sleep(LAST_SEEN).await;
        let written = auth.write_last_seen().await;
        watched.done(Task::LastSeen, &written);
        if let Err(error) = written {
            tracing::warn!(error = chain(&error), "The sessions' times of use were not written");
        }
    }
}

async fn expired(auth: Arc<AuthService>, watched: Arc<Tasks>) {
    loop {
        match round(Task::RemoveExpired, &watched, auth.remove_expired()).await {
            Ok(None | Some(0)) => {}
            Ok(Some(rows)) => tracing::info!(rows, "Expired rows removed"),
            Err(error) => tracing::warn!(error, "Expired rows were not removed"),
        }
        tokio::time::sleep(REMOVE_EXPIRED).await;
    }
}

async fn sign_checkpoints(auth: Arc<AuthService>, watched: Arc<Tasks>) {
    tokio::time::sleep(FIRST_CHECKPOINTS).await;
    loop {
        match round(Task::Checkpoints, &watched, auth.sign_checkpoints()).await {
            Ok(None | Some(0)) => {}
            Ok(Some(signed)) => tracing::info!(signed, "Audit checkpoints signed"),
            Err(error) => tracing::warn!(error, "Audit checkpoints were not signed"),
        }
        tokio::time::sleep(CHECKPOINTS).await;
    }
}

/// One round of a chore. A round that is left to another replica is no success of this one: should the other hang, both are late.
async fn round<T>(
    task: Task,
    watched: &Tasks,
    work: impl Future<Output = Result<Option<T>, StoreError>>,
) -> Result<Option<T>, String> {
    let ended = match tokio::time::timeout(LONGEST_ROUND, work).await {
        Ok(done) => done.map_err(|error| chain(&error)),
        Err(_too_late) => Err("it did not end in time".to_owned()),
    };
    if !matches!(ended, Ok(None)) {
        watched.done(task, &ended);
    }
    ended
}
