//! Every interleaving of an honest client and a thief up to a bound, against a model that remembers every token; and
//! long random ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Requests that one client has under way at the most: tabs, and retries.
const TABS: usize = 3;

/// The server as it is: one number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    newest: i64,
    live: bool,
}

impl Server {
    /// The number of the token in the answer.
    fn refresh(&mut self, presented: i64) -> Option<i64> {
        if !self.live {
            return None;
        }
        match Turn::of(self.newest, presented) {
            Turn::Rotate { next } => self.newest = next,
            Turn::Repeat => {}
            Turn::Reused => self.live = false,
            Turn::Unknown => return None,
        }
        self.live.then_some(self.newest)
    }
}

/// The rules in the words of the promise: for every token given out, whether anybody has used it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Model {
    used: BTreeMap<i64, bool>,
    ended: bool,
}

impl Model {
    fn refresh(&mut self, presented: i64) -> Option<i64> {
        if self.ended || !self.used.contains_key(&presented) {
            return None;
        }
        let successor = presented + 1;
        // Its successor was used, so whoever brings this one has copied it.
        if self.used.get(&successor) == Some(&true) {
            self.ended = true;
            return None;
        }
        self.used.insert(presented, true);
        self.used.entry(successor).or_insert(false);
        Some(successor)
    }
}

/// A request of the honest client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Flight {
    /// It has not reached the server.
    Sent(i64),
    /// The answer is on its way back.
    Answered(Option<i64>),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    server: Server,
    model: Model,
    /// What the tabs share.
    held: i64,
    flights: Vec<Flight>,
    stolen: BTreeSet<i64>,
    thief_used_one: bool,
    told_to_log_in: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A tab sends what the client holds.
    Send,
    /// A request reaches the server.
    Arrive(usize),
    /// An answer reaches the client.
    Receive(usize),
    /// A request or an answer is lost; the client gives up waiting.
    Lose(usize),
    /// The thief copies what the client holds.
    Steal,
    /// The thief sends the nth of the tokens it has.
    Use(usize),
}

impl World {
    fn new() -> Self {
        Self {
            server: Server { newest: 0, live: true },
            model: Model { used: BTreeMap::from([(0, false)]), ended: false },
            held: 0,
            flights: Vec::new(),
            stolen: BTreeSet::new(),
            thief_used_one: false,
            told_to_log_in: false,
        }
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = vec![Step::Steal];
        // A client does not begin to use a new token while its own request with the one before may still arrive.
        let none_older = self.flights.iter().all(|flight| !matches!(flight, Flight::Sent(token) if *token < self.held));
        if self.flights.len() < TABS && none_older {
            steps.push(Step::Send);
        }
        for (index, flight) in self.flights.iter().enumerate() {
            steps.push(Step::Lose(index));
            steps.push(match flight {
                Flight::Sent(_) => Step::Arrive(index),
                Flight::Answered(_) => Step::Receive(index),
            });
        }
        steps.extend((0..self.stolen.len()).map(Step::Use));
        steps
    }

    /// `false` when the step is not possible here.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::Send if self.steps().iter().any(|step| matches!(step, Step::Send)) => {
                self.flights.push(Flight::Sent(self.held));
            }
            Step::Arrive(index) => {
                let Some(Flight::Sent(token)) = self.flights.get(index).copied() else { return false };
                self.flights[index] = Flight::Answered(self.present(token));
            }
            Step::Receive(index) => {
                let Some(Flight::Answered(answer)) = self.flights.get(index).copied() else { return false };
                self.flights.remove(index);
                match answer {
                    Some(token) => self.held = self.held.max(token),
                    None => self.told_to_log_in = true,
                }
            }
            Step::Lose(index) if index < self.flights.len() => {
                self.flights.remove(index);
            }
            Step::Steal => {
                self.stolen.insert(self.held);
            }
            Step::Use(index) => {
                let Some(token) = self.stolen.iter().nth(index).copied() else { return false };
                self.thief_used_one = true;
                let answer = self.present(token);
                self.stolen.extend(answer);
            }
            Step::Send | Step::Lose(_) => return false,
        }
        self.flights.sort_unstable();
        self.check();
        true
    }

    /// The server and the model must agree on every call.
    fn present(&mut self, token: i64) -> Option<i64> {
        let (was_live, used) = (self.server.live, self.model.used.get(&(token + 1)).copied());
        let answer = self.server.refresh(token);
        assert_eq!(answer, self.model.refresh(token), "{self:?}");
        if was_live && used == Some(true) {
            assert!(!self.server.live, "a replay ends the session in that very call: {self:?}");
        }
        answer
    }

    fn check(&self) {
        assert_eq!(self.server.live, !self.model.ended);
        let unused: Vec<_> = self.model.used.iter().filter(|(_, used)| !**used).map(|(token, _)| *token).collect();
        assert_eq!(unused, [self.server.newest], "one live lineage: {self:?}");
        if !self.thief_used_one {
            assert!(self.server.live && !self.told_to_log_in, "an honest client was logged out: {self:?}");
            assert!(self.server.newest - self.held <= 1, "{self:?}");
        }
    }
}

#[test]
fn in_all_interleavings_the_honest_stay_and_replays_end_the_session() {
    let mut seen = BTreeSet::from([World::new()]);
    let mut edge: Vec<World> = seen.iter().cloned().collect();
    for _ in 0..14 {
        let mut next = Vec::new();
        for world in &edge {
            for step in world.steps() {
                let mut after = world.clone();
                if after.take(step) && seen.insert(after.clone()) {
                    next.push(after);
                }
            }
        }
        edge = next;
    }
    assert!(seen.iter().any(|world| !world.server.live), "no walk met a thief");
    assert!(seen.iter().any(|world| world.server.newest > 3 && !world.thief_used_one));
}

#[test]
fn whoever_falls_a_token_behind_the_other_ends_the_session() {
    let mut server = Server { newest: 7, live: true };
    assert_eq!([server.refresh(7), server.refresh(7)], [Some(8), Some(8)], "thief and victim look like two tabs");
    assert_eq!(server.refresh(8), Some(9), "one of them goes on");
    assert_eq!((server.refresh(7), server.live), (None, false), "the other one does not");
    assert_eq!(server.refresh(9), None, "and neither does the first");
}

#[test]
fn numbers_at_the_edges_neither_wrap_nor_end_a_session() {
    assert_eq!(Turn::of(3, 4), Turn::Unknown);
    assert_eq!(Turn::of(i64::MAX, i64::MAX), Turn::Unknown);
    assert_eq!(Turn::of(i64::MAX, i64::MAX - 1), Turn::Repeat);
    assert_eq!(Turn::of(i64::MAX, i64::MIN), Turn::Unknown);
    assert_eq!(Turn::of(i64::MIN, i64::MAX), Turn::Unknown);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        6 => (0..TABS).prop_map(Step::Arrive),
        6 => (0..TABS).prop_map(Step::Receive),
        2 => (0..TABS).prop_map(Step::Lose),
        1 => Just(Step::Steal),
        1 => (0..4_usize).prop_map(Step::Use),
    ]
}

proptest! {
    #[test]
    fn long_walks_keep_every_promise(steps in prop::collection::vec(step(), 0..400)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
    }

    #[test]
    fn without_a_thief_no_walk_ends_the_session(steps in prop::collection::vec(step(), 0..400)) {
        let mut world = World::new();
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Steal | Step::Use(_))) {
            world.take(step);
        }
        prop_assert!(world.server.live);
    }
}
