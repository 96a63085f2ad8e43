//! What the edge and the socket under it tell each other about one connection: whether a request is being served,
//! since when a head has been arriving or nothing has, and whether the end should wait for what the client is still sending.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// How many ticks what a connection does may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// A head that arrives.
    pub(crate) head: u32,
    /// A client that takes nothing of its answer.
    pub(crate) stuck: u32,
    /// A connection without a request, while places are scarce.
    pub(crate) idle: Option<u32>,
}

/// The state of one connection, shared by its socket and its requests.
#[derive(Debug, Default)]
pub struct Connection {
    serving: Cell<u32>,
    /// The tick at which the head that is arriving began, while no request is being served.
    head_since: Cell<Option<u32>>,
    /// The tick since which there has been neither a request nor the beginning of one.
    idle_since: Cell<Option<u32>>,
    /// Whether bytes arrived while a request was being served: perhaps the beginning of the next head.
    fed: Cell<bool>,
    overdue: Cell<bool>,
    /// The tick since which the client has taken nothing of what is ready for it.
    stuck_since: Cell<Option<u32>>,
    is_stuck: Cell<bool>,
    linger: Cell<bool>,
    ended: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Connection {
    /// A connection that was opened at a tick.
    pub(crate) fn opened(tick: u32) -> Self {
        Self { idle_since: Cell::new(Some(tick)), ..Self::default() }
    }

    /// Notes that bytes arrived at a tick.
    pub(crate) fn fed(&self, tick: u32) {
        self.fed.set(true);
        self.idle_since.set(None);
        if self.serving.get() == 0 && self.head_since.get().is_none() {
            self.head_since.set(Some(tick));
        }
    }

    /// Remembers whom to wake when the head is overdue.
    pub(crate) fn waits(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Notes that the client takes nothing at a tick, and whom to wake when that has been so for too long.
    pub(crate) fn stuck(&self, tick: u32, waker: &Waker) {
        if self.stuck_since.get().is_none() {
            self.stuck_since.set(Some(tick));
        }
        self.waits(waker);
    }

    /// Notes that the client has taken something.
    pub(crate) fn took(&self) {
        self.stuck_since.set(None);
    }

    /// Marks the connection, and wakes it, when its head has been arriving, its client has been taking nothing, or nothing has
    /// come for more than so many ticks.
    pub(crate) fn check(&self, tick: u32, patience: Patience) {
        let longer = |since: &Cell<Option<u32>>, most| since.get().is_some_and(|since| tick.wrapping_sub(since) > most);
        let idle = patience.idle.is_some_and(|idle| longer(&self.idle_since, idle));
        let late = (idle || longer(&self.head_since, patience.head)) && !self.overdue.replace(true);
        let stuck = longer(&self.stuck_since, patience.stuck) && !self.is_stuck.replace(true);
        if (late || stuck)
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }

    pub(crate) fn is_overdue(&self) -> bool {
        self.overdue.get()
    }

    /// Whether its client has been taking nothing for too long.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_stuck.get()
    }

    /// Asks for a moment of reading and dropping after the connection has ended.
    pub(crate) fn linger(&self) {
        self.linger.set(true);
    }

    pub(crate) fn lingers(&self) -> bool {
        self.linger.get()
    }

    /// Notes that the request being served is the last one.
    fn end(&self) {
        self.ended.set(true);
    }

    /// Whether the last request was served; what follows is not to be processed (RFC 9112 section 9.6).
    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    fn enter(&self) {
        self.serving.set(self.serving.get().saturating_add(1));
        self.head_since.set(None);
        self.idle_since.set(None);
        self.fed.set(false);
    }

    fn leave(&self, tick: u32) {
        self.serving.set(self.serving.get().saturating_sub(1));
        if self.serving.get() == 0 {
            let since = if self.fed.get() { &self.head_since } else { &self.idle_since };
            since.set(Some(tick));
        }
    }
}

/// A request's hold on its connection, from its head to its answer.
pub(super) struct Serving(Rc<Connection>);

impl Serving {
    pub(super) fn on(connection: &Rc<Connection>) -> Self {
        connection.enter();
        Self(Rc::clone(connection))
    }

    pub(super) fn linger(&self) {
        self.0.linger();
    }

    pub(super) fn mark_last(&self) {
        self.0.end();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.leave(crate::server::tick());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { head: 10, stuck: 10, idle: None };

    #[test]
    fn a_head_is_overdue_after_its_ticks_and_not_before() {
        let connection = Connection::default();
        connection.fed(5);
        connection.fed(9);
        connection.check(15, PATIENCE);
        assert!(!connection.is_overdue());
        connection.check(16, PATIENCE);
        assert!(connection.is_overdue());
    }

    #[test]
    fn a_request_being_served_and_an_idle_connection_are_never_overdue() {
        let connection = Rc::new(Connection::default());
        connection.check(1_000, PATIENCE);
        connection.fed(0);
        let serving = Serving::on(&connection);
        connection.check(1_000, PATIENCE);
        drop(serving);
        connection.check(2_000, PATIENCE);
        assert!(!connection.is_overdue());
    }

    #[test]
    fn who_takes_nothing_for_its_ticks_is_overdue_and_who_takes_something_begins_anew() {
        let connection = Connection::default();
        let serving = Connection::default();
        for slow in [&connection, &serving] {
            slow.stuck(5, Waker::noop());
            slow.stuck(9, Waker::noop());
        }
        serving.took();
        serving.stuck(15, Waker::noop());
        for slow in [&connection, &serving] {
            slow.check(16, Patience { head: 100, ..PATIENCE });
        }
        assert!(connection.is_stuck() && !serving.is_stuck());
        assert!(!connection.is_overdue(), "its head is another matter");
    }

    #[test]
    fn the_ticks_may_wrap() {
        let connection = Connection::default();
        connection.fed(u32::MAX - 2);
        connection.check(5, PATIENCE);
        assert!(!connection.is_overdue());
        connection.check(9, PATIENCE);
        assert!(connection.is_overdue());
    }

    #[test]
    fn while_places_are_scarce_a_connection_without_a_request_is_overdue_soon() {
        let scarce = Patience { idle: Some(2), ..PATIENCE };
        let (unused, used, beginning, serving) = (
            Rc::new(Connection::opened(5)),
            Rc::new(Connection::opened(5)),
            Rc::new(Connection::opened(5)),
            Rc::new(Connection::opened(5)),
        );
        used.fed(5);
        drop(Serving::on(&used));
        beginning.fed(6);
        serving.fed(5);
        let _held = Serving::on(&serving);
        for connection in [&unused, &used, &beginning, &serving] {
            connection.check(8, PATIENCE);
            assert!(!connection.is_overdue());
            connection.check(8, scarce);
        }
        assert!(unused.is_overdue() && !beginning.is_overdue() && !serving.is_overdue());
        used.check(1_000, scarce);
        assert!(used.is_overdue());
    }
}
