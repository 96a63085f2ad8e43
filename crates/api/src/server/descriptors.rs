//! How many connections the process may have: as many as the system permits open files, less what the rest of the process
//! needs. Without that rest a crowd of clients would keep the server from its own database.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Bounds;

/// Open files that are not clients: the database, mail, the log, the listeners, the workers' event queues.
const RESERVE: u64 = 256;

/// Connections of one worker below which an operator should know.
const FEW: usize = 1_000;

/// Connections of one worker under these bounds. Raises the limit of open files first as far as the system permits; the usual soft
/// limit is 1,024.
pub(super) fn connections(bounds: Bounds) -> usize {
    let Some(limit) = raised_limit() else { return bounds.connections };
    let fitting = share(limit, bounds.workers);
    if fitting < bounds.connections.min(FEW) {
        tracing::warn!(
            open_files = limit,
            connections = fitting,
            "Few open files are permitted, so each worker takes fewer connections"
        );
    }
    fitting.min(bounds.connections)
}

/// What one of so many workers may have of so many open files. Where they are very few, half of them are for clients.
fn share(limit: u64, workers: usize) -> usize {
    let reserve = RESERVE.min(limit / 2);
    let all = usize::try_from(limit.saturating_sub(reserve)).unwrap_or(usize::MAX);
    all.checked_div(workers).unwrap_or(all).max(1)
}

/// `None` where there is no limit.
fn raised_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "The limit of open files stays low");
            limit.current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rest_of_the_process_needs_is_left_over() {
        assert_eq!(share(1_024, 2), 384);
        assert_eq!(share(200, 2), 50);
        assert_eq!(share(1_048_576, 4), 262_080);
        assert_eq!((share(0, 2), share(10, 0)), (1, 5));
    }
}
