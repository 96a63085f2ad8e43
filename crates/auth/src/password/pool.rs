//! The hashing pool: a fixed number of threads at lower scheduling priority behind a bounded queue with a deadline,
//! so that a storm of log-ins is shed at once and every other route keeps its latency.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sme_pulse_domain::clock::Clock;
use tokio::sync::oneshot;

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

/// The queue is full, or the wait was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many password hashes are waiting")]
pub struct Overloaded;

type Job = Box<dyn FnOnce() + Send>;

struct Waiting {
    since: Duration,
    job: Job,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
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
        let shared = Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new(), clock, settings });
        for number in 0..settings.threads.max(1) {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || shared.work())?;
        }
        Ok(Self { shared })
    }

    /// Queues a computation whose outcome nobody waits for; it is dropped when the queue is full.
    pub(super) fn submit(&self, work: impl FnOnce() + Send + 'static) {
        let _ = self.shared.push(Box::new(work));
    }

    /// Refuses when the queue is full at this moment. Only a hint: work may be refused later all the same.
    pub fn has_room(&self) -> Result<(), Overloaded> {
        self.shared.room_in(&self.shared.lock())
    }

    /// Runs a computation on the pool. A caller who goes away while waiting takes the work along.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
        let (reply, answer) = oneshot::channel();
        self.shared.push(Box::new(move || {
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        }))?;
        // The sender is dropped unused when the deadline passes in the queue.
        answer.await.map_err(|_| Overloaded)
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing that can panic runs while the lock is held, so a poisoned queue is still consistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room_in(&self, queue: &Queue) -> Result<(), Overloaded> {
        if queue.closed || queue.waiting.len() >= self.settings.queue { Err(Overloaded) } else { Ok(()) }
    }

    fn push(&self, job: Job) -> Result<(), Overloaded> {
        let waiting = Waiting { since: self.clock.monotonic(), job };
        let mut queue = self.lock();
        self.room_in(&queue)?;
        queue.waiting.push_back(waiting);
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    fn work(&self) {
        lower_priority();
        while let Some(next) = self.next() {
            let waited = self.clock.monotonic().saturating_sub(next.since);
            if waited <= self.settings.deadline {
                // A panic ends this computation, whose caller is told, and never the thread.
                let _ = catch_unwind(AssertUnwindSafe(next.job));
            }
        }
    }

    fn next(&self) -> Option<Waiting> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(next) = queue.waiting.pop_front() {
                return Some(next);
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
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

    /// A pool of one thread that is busy until the sender is used.
    async fn busy_pool(clock: Arc<ManualClock>, queue: usize) -> (Arc<HashPool>, mpsc::Sender<()>) {
        let settings = PoolSettings { threads: 1, queue, deadline: Duration::from_secs(10) };
        let pool = Arc::new(HashPool::start(settings, clock).unwrap());
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let blocker = Arc::clone(&pool);
        tokio::spawn(async move {
            blocker
                .run(move || {
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
        let waiting = Arc::clone(&pool);
        let first = tokio::spawn(async move { waiting.run(|| 1).await });
        while pool.shared.lock().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| 2).await, Err(Overloaded));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(1));
    }

    #[tokio::test]
    async fn what_waits_past_the_deadline_is_refused_and_not_computed() {
        let clock = Arc::<ManualClock>::default();
        let (pool, release) = busy_pool(Arc::clone(&clock), 4).await;
        let waiting = Arc::clone(&pool);
        let late = tokio::spawn(async move { waiting.run(|| panic!("computed after its deadline")).await });
        while pool.shared.lock().waiting.is_empty() {
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
        assert_eq!(pool.run(|| -> u8 { panic!("on purpose") }).await, Err(Overloaded));
        assert_eq!(pool.run(|| 3).await, Ok(3));
    }
}
