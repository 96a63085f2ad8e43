//! When each background task was last done, and how often it failed.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use sme_pulse_domain::clock::Clock;

/// A task of the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Clients that have gone quiet are forgotten.
    Sweep,
    /// It is written when sessions were last used.
    LastSeen,
    /// Expired rows are removed.
    RemoveExpired,
    /// The heads of the audit trail are signed.
    Checkpoints,
}

/// One task at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskFigures {
    /// Its name as a label.
    pub name: &'static str,
    /// Seconds since 1970 of its last success; of the start of the process until then.
    pub last_success: i64,
    /// Failures since the start.
    pub failures: u64,
}

struct Record {
    last_success: AtomicI64,
    failures: AtomicU64,
}

/// The records of all tasks.
pub struct Tasks {
    clock: Arc<dyn Clock>,
    sweep: Record,
    last_seen: Record,
    remove_expired: Record,
    checkpoints: Record,
}

impl Tasks {
    /// Records that begin now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let now = clock.now().timestamp();
        let record = || Record { last_success: AtomicI64::new(now), failures: AtomicU64::new(0) };
        Self { sweep: record(), last_seen: record(), remove_expired: record(), checkpoints: record(), clock }
    }

    /// A round of a task is over.
    pub fn done<T, E>(&self, task: Task, outcome: &Result<T, E>) {
        let record = self.record(task);
        match outcome {
            Ok(_) => record.last_success.store(self.clock.now().timestamp(), Ordering::Relaxed),
            Err(_) => {
                record.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// All tasks as they are now.
    pub fn figures(&self) -> Vec<TaskFigures> {
        let named = [
            (Task::Sweep, "sweep"),
            (Task::LastSeen, "last_seen"),
            (Task::RemoveExpired, "remove_expired"),
            (Task::Checkpoints, "checkpoints"),
        ];
        let figures = named.map(|(task, name)| {
            let Record { last_success, failures } = self.record(task);
            let (last_success, failures) = (last_success.load(Ordering::Relaxed), failures.load(Ordering::Relaxed));
            TaskFigures { name, last_success, failures }
        });
        figures.into()
    }

    const fn record(&self, task: Task) -> &Record {
        match task {
            Task::Sweep => &self.sweep,
            Task::LastSeen => &self.last_seen,
            Task::RemoveExpired => &self.remove_expired,
            Task::Checkpoints => &self.checkpoints,
        }
    }
}
