//! The hashing pool: a fixed number of threads at lower scheduling priority behind a fair, bounded queue with a deadline,
//! so that a storm of log-ins is shed at once and every other route keeps its latency.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sme_pulse_domain::clock::Clock;
use tokio::sync::oneshot;

use super::{
    applicant::{Applicant, Standing},
    figures::PoolFigures,
    queue::{Arrival, FairQueue, Waiting},
};

/// How far below normal the threads run, where the platform allows it.
const NICENESS: i32 = 10;

/// The size of the pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Threads: hashes computed at the same time.
    pub threads: usize,
    /// Hashes that may wait; one more is refused at once.
    pub queue: usize,
    /// How long one may wait before it is refused.
    pub deadline: Duration,
}

impl PoolSettings {
    /// A queue of 16 per thread, which at the default cost is drained in about 5 s, and a deadline of 10 s.
    pub const fn for_threads(threads: usize) -> Self {
        Self { threads, queue: threads.saturating_mul(16), deadline: Duration::from_secs(10) }
    }
}

/// There is no place in the queue, or the wait was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many password hashes are waiting")]
pub struct Overloaded;

type Job = Box<dyn FnOnce() + Send>;

struct State {
    queue: FairQueue<Job>,
    figures: PoolFigures,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    clock: Arc<dyn Clock>,
    settings: PoolSettings,
}

/// The pool. Dropping it lets the threads finish what they compute and end.
pub struct HashPool {
    shared: Arc<Shared>,
}

impl HashPool {
    /// Starts the threads.
    pub fn start(settings: PoolSettings, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let threads = settings.threads.max(1);
        let state = State {
            queue: FairQueue::new(settings.queue, settings.deadline / 2),
            figures: PoolFigures::of(threads, settings.queue),
            closed: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), wake: Condvar::new(), clock, settings });
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || shared.work())?;
        }
        Ok(Self { shared })
    }

    /// Queues a computation whose outcome nobody waits for; it is dropped when there is no place.
    pub(super) fn submit(&self, applicant: Applicant, work: impl FnOnce() + Send + 'static) {
        let _ = self.shared.push(applicant, Box::new(work));
    }

    /// Refuses when there is no place at this moment. Only a hint: work may be refused later all the same.
    pub fn has_room(&self, applicant: Applicant) -> Result<(), Overloaded> {
        let mut state = self.shared.lock();
        if state.closed || state.queue.is_hopeless_for(applicant) {
            state.figures.refused_full = state.figures.refused_full.saturating_add(1);
            return Err(Overloaded);
        }
        Ok(())
    }

    /// Runs a computation on the pool. A caller who goes away while waiting takes the work along, and its place.
    pub async fn run<T: Send + 'static>(
        &self,
        applicant: Applicant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let (reply, answer) = oneshot::channel();
        let id = self.shared.push(
            applicant,
            Box::new(move || {
                if !reply.is_closed() {
                    let _ = reply.send(work());
                }
            }),
        )?;
        let mut place = Place { shared: &self.shared, id: Some(id) };
        let answer = answer.await;
        place.id = None;
        // The sender is dropped unused when it has waited too long, or had to go for somebody with fewer places.
        answer.map_err(|_| Overloaded)
    }

    /// What the pool is doing, and has done since it was started.
    pub fn figures(&self) -> PoolFigures {
        let state = self.shared.lock();
        PoolFigures {
            waiting_proven: state.queue.waiting(Standing::Proven),
            waiting_strangers: state.queue.waiting(Standing::Stranger),
            ..state.figures.clone()
        }
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

/// A place in the queue, given back when nobody waits there any more.
struct Place<'a> {
    shared: &'a Shared,
    id: Option<u64>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut state = self.shared.lock();
        let gone = state.queue.remove(id);
        if gone.is_some() {
            state.figures.abandoned = state.figures.abandoned.saturating_add(1);
        }
        // What it holds is dropped without the lock.
        drop(state);
        drop(gone);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs while the lock is held, so a poisoned queue is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, applicant: Applicant, job: Job) -> Result<u64, Overloaded> {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let late = state.expire(self.settings.deadline, now);
        let arrival = if state.closed { Arrival::Refused(job) } else { state.queue.push(applicant, now, job) };
        let counted = match &arrival {
            Arrival::Waits(_) => None,
            Arrival::Replaces(..) => Some(&mut state.figures.refused_displaced),
            Arrival::Refused(_) => Some(&mut state.figures.refused_full),
        };
        if let Some(count) = counted {
            *count = count.saturating_add(1);
        }
        drop(state);
        drop(late);
        match arrival {
            Arrival::Waits(id) | Arrival::Replaces(id, _) => {
                self.wake.notify_one();
                Ok(id)
            }
            Arrival::Refused(_) => Err(Overloaded),
        }
    }

    fn work(&self) {
        lower_priority();
        while let Some(job) = self.next() {
            let began = self.clock.monotonic();
            // A panic ends this computation, whose caller is told, and never the thread.
            let _ = catch_unwind(AssertUnwindSafe(job));
            let took = self.clock.monotonic().saturating_sub(began);
            self.lock().figures.computed(took);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = self.clock.monotonic();
            let late = state.expire(self.settings.deadline, now);
            if !late.is_empty() {
                // Dropping them tells those who wait, which nothing may hold up: neither the lock nor the wait below.
                drop(state);
                drop(late);
                state = self.lock();
                continue;
            }
            if let Some(next) = state.queue.pop(now) {
                state.figures.started(now.saturating_sub(next.since));
                return Some(next.item);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    /// Takes out who has waited too long, to be dropped without the lock.
    fn expire(&mut self, deadline: Duration, now: Duration) -> Vec<Waiting<Job>> {
        let late = self.queue.expire(deadline, now);
        let count = u64::try_from(late.len()).unwrap_or(u64::MAX);
        self.figures.refused_late = self.figures.refused_late.saturating_add(count);
        late
    }
}

/// On Linux the priority of "the calling process" is that of the calling thread. Where it cannot be lowered the pool
/// works all the same.
fn lower_priority() {
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    };

    use super::*;

    #[derive(Default)]
    struct ManualClock(AtomicU64);

    impl Clock for ManualClock {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            chrono::DateTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::SeqCst))
        }
    }

    const ANYBODY: Applicant = Applicant { standing: Standing::Stranger, network: None, lane: None };

    fn waiting(pool: &HashPool) -> usize {
        pool.figures().waiting_strangers
    }

    /// A pool of one thread that is busy until the sender is used.
    async fn busy_pool(clock: Arc<ManualClock>, queue: usize) -> (Arc<HashPool>, mpsc::Sender<()>) {
        let settings = PoolSettings { threads: 1, queue, deadline: Duration::from_secs(10) };
        let pool = Arc::new(HashPool::start(settings, clock).unwrap());
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let blocker = Arc::clone(&pool);
        tokio::spawn(async move {
            blocker
                .run(ANYBODY, move || {
                    let _ = started.send(());
                    let _ = released.recv();
                })
                .await
        });
        has_started.await.unwrap();
        (pool, release)
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_what_waits_is_served() {
        let (pool, release) = busy_pool(Arc::default(), 1).await;
        let caller = Arc::clone(&pool);
        let first = tokio::spawn(async move { caller.run(ANYBODY, || 1).await });
        while waiting(&pool) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(ANYBODY, || 2).await, Err(Overloaded));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(1));
    }

    #[tokio::test]
    async fn what_waits_past_the_deadline_is_refused_and_not_computed() {
        let clock = Arc::<ManualClock>::default();
        let (pool, release) = busy_pool(Arc::clone(&clock), 4).await;
        let caller = Arc::clone(&pool);
        let late = tokio::spawn(async move { caller.run(ANYBODY, || panic!("computed after its deadline")).await });
        while waiting(&pool) == 0 {
            tokio::task::yield_now().await;
        }
        clock.0.store(11_000, Ordering::SeqCst);
        release.send(()).unwrap();
        assert_eq!(late.await.unwrap(), Err::<(), _>(Overloaded));
    }

    #[tokio::test]
    async fn a_panicking_computation_does_not_take_the_thread_along() {
        let settings = PoolSettings::for_threads(1);
        let pool = HashPool::start(settings, Arc::<ManualClock>::default()).unwrap();
        assert_eq!(pool.run(ANYBODY, || -> u8 { panic!("on purpose") }).await, Err(Overloaded));
        assert_eq!(pool.run(ANYBODY, || 3).await, Ok(3));
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_takes_the_place_along() {
        let (pool, release) = busy_pool(Arc::default(), 1).await;
        let caller = Arc::clone(&pool);
        let gone = tokio::spawn(async move { caller.run(ANYBODY, || panic!("computed for nobody")).await });
        while waiting(&pool) == 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!((waiting(&pool), pool.figures().abandoned), (0, 1));
        release.send(()).unwrap();
        assert_eq!(pool.run(ANYBODY, || 3).await, Ok(3));
    }

    #[tokio::test]
    async fn who_has_to_go_for_another_is_told_at_once() {
        let (pool, release) = busy_pool(Arc::default(), 1).await;
        let caller = Arc::clone(&pool);
        let stranger = tokio::spawn(async move { caller.run(ANYBODY, || 1).await });
        while waiting(&pool) == 0 {
            tokio::task::yield_now().await;
        }
        let known = Applicant { standing: Standing::Proven, ..ANYBODY };
        let caller = Arc::clone(&pool);
        let first = tokio::spawn(async move { caller.run(known, || 2).await });
        assert_eq!(stranger.await.unwrap(), Err(Overloaded), "while the thread is still busy");
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn it_tells_what_it_has_done() {
        let clock = Arc::<ManualClock>::default();
        let (pool, release) = busy_pool(Arc::clone(&clock), 1).await;
        let caller = Arc::clone(&pool);
        let waits = tokio::spawn(async move { caller.run(ANYBODY, || ()).await });
        while waiting(&pool) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.has_room(ANYBODY), Err(Overloaded));
        let busy = pool.figures();
        assert_eq!((busy.threads, busy.places, busy.busy, busy.computed, busy.refused_full), (1, 1, 1, 0, 1));
        clock.0.store(300, Ordering::SeqCst);
        release.send(()).unwrap();
        waits.await.unwrap().unwrap();
        let last = pool.run(ANYBODY, || ()).await;
        assert_eq!(last, Ok(()));
        let done = pool.figures();
        assert!(done.computed >= 2 && done.busy <= 1);
        assert_eq!((done.wait_time, done.compute_time), (Duration::from_millis(300), Duration::from_millis(300)));
        assert_eq!((done.waits[0], done.waits[4], done.waits.iter().sum::<u64>()), (2, 1, 3));
    }
}
