//! Wakes what waits for news: the reader of keys and the publisher of revocations.

use sme_pulse_persistence::Change;
use tokio::sync::watch;

/// One signal for each kind of news; a waiter that was busy finds that there has been some.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) keys: watch::Sender<()>,
    pub(super) revocations: watch::Sender<()>,
}

impl News {
    /// Passes a change on to whom it may concern. What ends a session or takes a right away is a revocation, too.
    pub(super) fn tell(&self, change: Change) {
        if matches!(change, Change::Keys | Change::Everything) {
            self.keys.send_replace(());
        }
        if matches!(change, Change::Revocations | Change::Everything) {
            self.revocations.send_replace(());
        }
    }
}
