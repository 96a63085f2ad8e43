//! The order in which hashes are computed when more are wanted than can be: who has proved something goes first, and
//! whoever has just had a turn waits behind those who have not.
//!
//! Only the order. It knows no threads, and time is an argument.

use std::{collections::HashMap, time::Duration};

use sme_pulse_domain::network::Network;

use super::applicant::{Applicant, Lane, Standing};

/// While both wait, one turn in so many is a stranger's: those who go first must not keep everybody else out.
const STRANGERS_TURN: u32 = 4;

/// What shares turns: a client, or an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Client(Option<Network>),
    Lane(Option<Lane>),
}

fn sources(of: Applicant) -> [Source; 2] {
    [Source::Client(of.network), Source::Lane(of.lane)]
}

/// Something that waits.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    /// Grows with every arrival.
    pub(super) id: u64,
    pub(super) since: Duration,
    pub(super) applicant: Applicant,
    pub(super) item: T,
}

/// What became of an arrival.
#[derive(Debug)]
pub(super) enum Arrival<T> {
    /// It waits under this id.
    Waits(u64),
    /// It waits under this id, and this one had to go for it: its source held more places than any other.
    Replaces(u64, Waiting<T>),
    /// There is no place for it.
    Refused(T),
}

/// The queue. A scan finds what is next; there are some dozens of places, and a hash takes a hundred thousand times longer.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    places: usize,
    /// How long a turn counts.
    turn: Duration,
    /// In the order of arrival.
    waiting: Vec<Waiting<T>>,
    /// When each source had its last turn, as far as that still counts.
    served: HashMap<Source, Duration>,
    next_id: u64,
    turns: u32,
}

impl<T> FairQueue<T> {
    pub(super) fn new(places: usize, turn: Duration) -> Self {
        Self { places, turn, waiting: Vec::new(), served: HashMap::new(), next_id: 0, turns: 0 }
    }

    pub(super) fn waiting(&self, standing: Standing) -> usize {
        self.waiting.iter().filter(|one| one.applicant.standing == standing).count()
    }

    /// Whether an arrival would be refused now, as far as can be told.
    pub(super) fn is_hopeless_for(&self, applicant: Applicant) -> bool {
        self.place_for(applicant).is_err()
    }

    pub(super) fn push(&mut self, applicant: Applicant, since: Duration, item: T) -> Arrival<T> {
        let Ok(victim) = self.place_for(applicant) else { return Arrival::Refused(item) };
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        let gone = victim.map(|at| self.waiting.remove(at));
        self.waiting.push(Waiting { id, since, applicant, item });
        gone.map_or(Arrival::Waits(id), |gone| Arrival::Replaces(id, gone))
    }

    /// Takes the next one. Its sources have had a turn with that.
    pub(super) fn pop(&mut self, now: Duration) -> Option<Waiting<T>> {
        let at = self.next(now)?;
        let next = self.waiting.remove(at);
        let turn = self.turn;
        self.served.retain(|_, last| now.saturating_sub(*last) < turn);
        for source in sources(next.applicant) {
            self.served.insert(source, now);
        }
        self.turns = if next.applicant.standing == Standing::Stranger { 0 } else { self.turns.saturating_add(1) };
        Some(next)
    }

    /// Takes one out that nobody waits for any more.
    pub(super) fn remove(&mut self, id: u64) -> Option<Waiting<T>> {
        let at = self.waiting.iter().position(|one| one.id == id)?;
        Some(self.waiting.remove(at))
    }

    /// Takes those out that have waited for longer than this.
    pub(super) fn expire(&mut self, deadline: Duration, now: Duration) -> Vec<Waiting<T>> {
        self.waiting.extract_if(.., |one| now.saturating_sub(one.since) > deadline).collect()
    }

    fn next(&self, now: Duration) -> Option<usize> {
        let proven = self.waiting(Standing::Proven);
        let strangers = self.waiting.len().saturating_sub(proven);
        let yields = strangers > 0 && self.turns.saturating_add(1) >= STRANGERS_TURN;
        let standing = if proven > 0 && !yields { Standing::Proven } else { Standing::Stranger };
        let of_standing = self.waiting.iter().enumerate().filter(|(_, one)| one.applicant.standing == standing);
        of_standing.min_by_key(|(_, one)| (self.due(one, now), one.id)).map(|(at, _)| at)
    }

    /// When it counts as having come: after a turn of one of its sources, behind all who come while that turn counts. Among
    /// those of one organization, clients whose turn was longest ago go first.
    fn due(&self, one: &Waiting<T>, now: Duration) -> (Duration, Option<Duration>) {
        let last = |source| self.served.get(&source).copied().filter(|last| now.saturating_sub(*last) < self.turn);
        let [client, lane] = sources(one.applicant).map(last);
        let after = client.max(lane).map(|last| last.saturating_add(self.turn));
        (after.map_or(one.since, |after| after.max(one.since)), client)
    }

    /// The one that has to go for the applicant, or none when there is a free place. An error when there is no place.
    fn place_for(&self, applicant: Applicant) -> Result<Option<usize>, NoPlace> {
        let proven = self.waiting(Standing::Proven);
        // Strangers always find some places left.
        let crowded = applicant.standing == Standing::Proven && proven >= self.places.saturating_sub(self.places / 4);
        if self.waiting.len() < self.places && !crowded {
            return Ok(None);
        }
        let over_strangers = applicant.standing == Standing::Proven && !crowded;
        let among = if over_strangers { Standing::Stranger } else { applicant.standing };
        let held = self.held(among);
        let weight =
            |of: Applicant| sources(of).map(|source| held.get(&source).copied().unwrap_or(0)).into_iter().max();
        let candidates = self.waiting.iter().enumerate().filter(|(_, one)| one.applicant.standing == among);
        let heaviest = candidates.max_by_key(|(_, one)| (weight(one.applicant), one.id)).ok_or(NoPlace)?;
        let own = weight(applicant).map(|own| own.saturating_add(1));
        if over_strangers || weight(heaviest.1.applicant) > own { Ok(Some(heaviest.0)) } else { Err(NoPlace) }
    }

    /// How many places each source holds.
    fn held(&self, standing: Standing) -> HashMap<Source, usize> {
        let mut held = HashMap::new();
        for source in
            self.waiting.iter().filter(|one| one.applicant.standing == standing).flat_map(|one| sources(one.applicant))
        {
            let count: &mut usize = held.entry(source).or_default();
            *count = count.saturating_add(1);
        }
        held
    }
}

#[derive(Debug)]
struct NoPlace;

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
