//! One timer of a second for all connections of a worker, instead of one timer each: it finds the connections whose
//! request head takes too long, those whose client takes nothing of its answer, and, while places are scarce, idle ones. The HTTP library watches only the first head of a connection.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use actix_web::rt::time::interval;

use crate::edge::{Connection, Patience};

use super::Bounds;

/// How many seconds a connection without a request may stay while places are scarce.
const IDLE_WHILE_CROWDED: u32 = 1;

thread_local! {
    static TICK: Cell<u32> = const { Cell::new(0) };
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch { known: Vec::new(), running: false }) };
}

struct Watch {
    known: Vec<Weak<Connection>>,
    running: bool,
}

/// Seconds that this worker has been watching, roughly.
pub(crate) fn tick() -> u32 {
    TICK.get()
}

/// Watches a connection from now on.
pub(super) fn watch(connection: &Rc<Connection>, bounds: Bounds) {
    let start = WATCH.with_borrow_mut(|watch| {
        watch.known.push(Rc::downgrade(connection));
        !std::mem::replace(&mut watch.running, true)
    });
    if start {
        actix_web::rt::spawn(async move {
            let mut seconds = interval(Duration::from_secs(1));
            loop {
                seconds.tick().await;
                sweep(&bounds);
            }
        });
    }
}

fn sweep(bounds: &Bounds) {
    let tick = TICK.get().wrapping_add(1);
    TICK.set(tick);
    let mut known = WATCH.with_borrow_mut(|watch| std::mem::take(&mut watch.known));
    // Beyond three quarters of the places those who do nothing make room for those who wait in the backlog.
    let crowded = known.len() >= bounds.connections.saturating_sub(bounds.connections / 4);
    let patience = Patience {
        head: bounds.head_seconds,
        stuck: bounds.stuck_seconds,
        idle: crowded.then_some(IDLE_WHILE_CROWDED),
    };
    known.retain(|connection| {
        connection.upgrade().is_some_and(|connection| {
            connection.check(tick, patience);
            true
        })
    });
    WATCH.with_borrow_mut(|watch| {
        known.append(&mut watch.known);
        watch.known = known;
    });
}
