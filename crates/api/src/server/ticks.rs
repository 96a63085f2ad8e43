//! One timer of a second for all connections of a worker, instead of one timer each: it finds the connections whose
//! request head takes too long, and those whose client takes nothing of its answer. The HTTP library watches only the first head of a connection.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use actix_web::rt::time::interval;

use crate::edge::Connection;

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

/// Watches a connection from now on; heads may take so many seconds, and so many may pass in which the client takes nothing.
pub(super) fn watch(connection: &Rc<Connection>, most: (u32, u32)) {
    let start = WATCH.with_borrow_mut(|watch| {
        watch.known.push(Rc::downgrade(connection));
        !std::mem::replace(&mut watch.running, true)
    });
    if start {
        actix_web::rt::spawn(async move {
            let mut seconds = interval(Duration::from_secs(1));
            loop {
                seconds.tick().await;
                sweep(most);
            }
        });
    }
}

fn sweep(most: (u32, u32)) {
    let tick = TICK.get().wrapping_add(1);
    TICK.set(tick);
    let mut known = WATCH.with_borrow_mut(|watch| std::mem::take(&mut watch.known));
    known.retain(|connection| {
        connection.upgrade().is_some_and(|connection| {
            connection.check(tick, most);
            true
        })
    });
    WATCH.with_borrow_mut(|watch| {
        known.append(&mut watch.known);
        watch.known = known;
    });
}
