//! What the edge and the socket under it tell each other about one connection: whether a request is being served,
//! since when a head has been arriving, and whether the end should wait for what the client is still sending.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// The state of one connection, shared by its socket and its requests.
#[derive(Debug, Default)]
pub struct Connection {
    serving: Cell<u32>,
    /// The tick at which the head that is arriving began, while no request is being served.
    head_since: Cell<Option<u32>>,
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
    /// Notes that bytes arrived at a tick.
    pub(crate) fn fed(&self, tick: u32) {
        self.fed.set(true);
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

    /// Marks the connection, and wakes it, when its head has been arriving, or its client has been taking nothing, for more than
    /// so many ticks.
    pub(crate) fn check(&self, tick: u32, (head, stuck): (u32, u32)) {
        let longer = |since: &Cell<Option<u32>>, most| since.get().is_some_and(|since| tick.wrapping_sub(since) > most);
        let late = longer(&self.head_since, head) && !self.overdue.replace(true);
        let stuck = longer(&self.stuck_since, stuck) && !self.is_stuck.replace(true);
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
        self.fed.set(false);
    }

    fn leave(&self, tick: u32) {
        self.serving.set(self.serving.get().saturating_sub(1));
        if self.serving.get() == 0 && self.fed.get() {
            self.head_since.set(Some(tick));
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

    #[test]
    fn a_head_is_overdue_after_its_ticks_and_not_before() {
        let connection = Connection::default();
        connection.fed(5);
        connection.fed(9);
        connection.check(15, (10, 10));
        assert!(!connection.is_overdue());
        connection.check(16, (10, 10));
        assert!(connection.is_overdue());
    }

    #[test]
    fn a_request_being_served_and_an_idle_connection_are_never_overdue() {
        let connection = Rc::new(Connection::default());
        connection.check(1_000, (10, 10));
        connection.fed(0);
        let serving = Serving::on(&connection);
        connection.check(1_000, (10, 10));
        drop(serving);
        connection.check(2_000, (10, 10));
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
            slow.check(16, (100, 10));
        }
        assert!(connection.is_stuck() && !serving.is_stuck());
        assert!(!connection.is_overdue(), "its head is another matter");
    }

    #[test]
    fn the_ticks_may_wrap() {
        let connection = Connection::default();
        connection.fed(u32::MAX - 2);
        connection.check(5, (10, 10));
        assert!(!connection.is_overdue());
        connection.check(9, (10, 10));
        assert!(connection.is_overdue());
    }
}
