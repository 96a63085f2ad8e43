//! What is done after the answer: looking up who has forgotten their password or signs up, and sending mails. One bounded queue and
//! one worker, so that neither the time nor the kind of an answer depends on what is found.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::{JoinHandle, JoinSet},
};

use super::{
    AuthParts, Counted,
    figures::Count,
    guesses::GuessBook,
    reset_request::{ResetDesk, ResetRequest},
    sign_up::{PendingSignUp, SignUpDesk},
};
use crate::mail::{Mail, Mailer};

/// Errands that may wait; one more is refused.
const WAITING: usize = 1_000;
/// Places that requests for links leave free, so that notices of changes get through a flood of them.
const FOR_NOTICES: usize = 250;
/// Mails on their way at the same time.
const AT_ONCE: usize = 4;
/// How long a mail waits before it is tried again, and again.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(25)];

/// The queue is full, or the service is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many errands are waiting")]
pub struct ErrandsFull;

pub(super) enum Errand {
    Reset(ResetRequest),
    SignUp(Box<PendingSignUp>),
    Send(Mail),
}

/// The way in to the worker.
pub(super) struct Errands {
    /// `None` once the service is stopping.
    queue: Mutex<Option<Sender<Errand>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
    unfinished: Arc<AtomicUsize>,
    counts: Arc<ErrandCounts>,
}

/// What has become of errands and mails since the start.
#[derive(Default)]
struct ErrandCounts {
    sent: Count,
    failed: Count,
    turned_away: Count,
}

impl Errands {
    /// Starts the worker, on the Tokio runtime of the caller.
    pub(super) fn start(parts: &AuthParts, guesses: GuessBook) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let (unfinished, counts) = (Arc::<AtomicUsize>::default(), Arc::<ErrandCounts>::default());
        let worker = Worker {
            desk: ResetDesk::new(parts, guesses.clone()),
            sign_ups: SignUpDesk::new(parts, guesses),
            mailer: Arc::clone(&parts.mailer),
            unfinished: Arc::clone(&unfinished),
            counts: Arc::clone(&counts),
        };
        let worker = tokio::spawn(worker.work(waiting));
        Self { queue: Mutex::new(Some(queue)), worker: Mutex::new(Some(worker)), unfinished, counts }
    }

    /// What has become of those that are finished.
    pub(super) fn counted(&self) -> Vec<Counted> {
        let ErrandCounts { sent, failed, turned_away } = &*self.counts;
        vec![sent.named("sent"), failed.named("failed"), turned_away.named("turned_away")]
    }

    /// How many are not.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// Takes an errand without waiting.
    pub(super) fn push(&self, errand: Errand) -> Result<(), ErrandsFull> {
        self.try_push(errand).inspect_err(|_| self.counts.turned_away.one_more())
    }

    fn try_push(&self, errand: Errand) -> Result<(), ErrandsFull> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(ErrandsFull)?;
        if !matches!(errand, Errand::Send(_)) && queue.capacity() <= FOR_NOTICES {
            return Err(ErrandsFull);
        }
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        queue.try_send(errand).map_err(|_| {
            self.unfinished.fetch_sub(1, Ordering::Relaxed);
            ErrandsFull
        })
    }

    /// A notice that is worth a mail but not a failure: when the queue is full, the log says so.
    pub(super) fn notify(&self, mail: Mail) {
        let email = mail.to.masked().to_string();
        if self.push(Errand::Send(mail)).is_err() {
            tracing::warn!(email, "A mail was left out: too many are waiting");
        }
    }

    /// Takes no more errands and lets the worker finish those that wait.
    pub(super) async fn finish(&self, patience: Duration) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut worker) = worker else { return };
        if tokio::time::timeout(patience, &mut worker).await.is_err() {
            worker.abort();
            let lost = self.unfinished.load(Ordering::Relaxed);
            tracing::warn!(lost, "Mails were still waiting at the end and are not sent");
        }
    }
}

struct Worker {
    desk: ResetDesk,
    sign_ups: SignUpDesk,
    mailer: Arc<dyn Mailer>,
    unfinished: Arc<AtomicUsize>,
    counts: Arc<ErrandCounts>,
}

impl Worker {
    /// Look-ups in order, so that the newest link is the one that works; mails a few at once.
    async fn work(self, mut waiting: Receiver<Errand>) {
        let mut sending = JoinSet::new();
        while let Some(errand) = waiting.recv().await {
            let mail = match errand {
                Errand::Reset(request) => self.desk.prepare(request).await,
                Errand::SignUp(sign_up) => self.sign_ups.prepare(*sign_up).await,
                Errand::Send(mail) => Some(mail),
            };
            let Some(mail) = mail else {
                self.unfinished.fetch_sub(1, Ordering::Relaxed);
                continue;
            };
            if sending.len() >= AT_ONCE {
                let _ = sending.join_next().await;
            }
            let (mailer, unfinished) = (Arc::clone(&self.mailer), Arc::clone(&self.unfinished));
            let counts = Arc::clone(&self.counts);
            sending.spawn(async move {
                let sent = deliver(&*mailer, &mail).await;
                if sent { &counts.sent } else { &counts.failed }.one_more();
                unfinished.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while sending.join_next().await.is_some() {}
    }
}

/// Tries, and tries again while that may help; then one line in the log. Says whether the mail has left.
async fn deliver(mailer: &dyn Mailer, mail: &Mail) -> bool {
    let email = mail.to.masked().to_string();
    let mut pauses = PAUSES.into_iter();
    loop {
        let Err(error) = mailer.send(mail).await else { return true };
        let Some(pause) = pauses.next().filter(|_| !error.permanent) else {
            tracing::error!(email, reason = error.reason, "A mail could not be sent");
            return false;
        };
        tokio::time::sleep(pause).await;
    }
}

/// An error and all its causes, outermost first.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use sme_pulse_domain::email::Email;

    use super::*;
    use crate::mail::{MailError, Sending};

    /// Fails so many times, for good or not, and counts.
    struct Failing {
        times: usize,
        permanent: bool,
        asked: AtomicUsize,
    }

    impl Mailer for Failing {
        fn send<'a>(&'a self, _: &'a Mail) -> Sending<'a> {
            let failed = self.asked.fetch_add(1, Ordering::SeqCst) < self.times;
            let error = MailError { reason: "on purpose".to_owned(), permanent: self.permanent };
            Box::pin(std::future::ready(if failed { Err(error) } else { Ok(()) }))
        }
    }

    async fn asked(times: usize, permanent: bool) -> usize {
        let mailer = Failing { times, permanent, asked: AtomicUsize::new(0) };
        deliver(&mailer, &mail()).await;
        mailer.asked.into_inner()
    }

    fn mail() -> Mail {
        Mail { to: Email::parse("a@example.com").unwrap(), subject: String::new(), text: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_and_a_stopping_service_take_nothing_more_and_what_waits_has_its_time() {
        let (queue, waiting) = mpsc::channel(1);
        let unfinished = Arc::<AtomicUsize>::default();
        let stuck = tokio::spawn(async move {
            let _kept = waiting;
            std::future::pending::<()>().await;
        });
        let errands = Errands {
            queue: Mutex::new(Some(queue)),
            worker: Mutex::new(Some(stuck)),
            unfinished,
            counts: Arc::default(),
        };
        assert_eq!(errands.push(Errand::Send(mail())), Ok(()));
        assert_eq!(errands.push(Errand::Send(mail())), Err(ErrandsFull));
        assert_eq!(errands.unfinished.load(Ordering::SeqCst), 1);
        errands.finish(Duration::from_secs(1)).await;
        assert_eq!(errands.push(Errand::Send(mail())), Err(ErrandsFull));
        errands.finish(Duration::from_secs(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_mail_is_tried_three_times_while_that_may_help() {
        assert_eq!(asked(0, false).await, 1);
        assert_eq!(asked(2, false).await, 3);
        assert_eq!(asked(9, false).await, 3);
        assert_eq!(asked(9, true).await, 1);
    }
}
