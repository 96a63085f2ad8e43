//! Checking a chain from its first event to its last, one at a time, and naming the first that is wrong.

use chrono::{DateTime, Utc};

use super::{AuditRecord, Chain, Checkpoint, Ending, Malformed, PublicKey};
use crate::hex::unhex;

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The event is not what its hash was made of.
    #[error("event {0} was edited: its hash is not that of its content")]
    Edited(i64),
    /// The event is in a form in which none is written.
    #[error("event {0} was edited: {1}")]
    Malformed(i64, Malformed),
    /// Its predecessor's hash is not the one it was chained to.
    #[error("event {0} does not continue the event before it: one of the two was replaced")]
    Unlinked(i64),
    /// It belongs to another chain.
    #[error("event {0} was inserted: it belongs to another chain")]
    Foreign(i64),
    /// Events are missing in between: the first and the last of them.
    #[error("event {0} is missing (the next one there is {next})", next = .1.saturating_add(1))]
    Missing(i64, i64),
    /// A later event stands before it.
    #[error("event {0} is out of order: a later one stands before it")]
    Reordered(i64),
    /// It is there twice.
    #[error("event {0} is there more than once")]
    Duplicated(i64),
    /// There are two different events with the number, or more events than were signed.
    #[error("event {0} was inserted")]
    Inserted(i64),
    /// The chain ends before this event, which is known to have existed.
    #[error("event {0} is missing: the chain was truncated")]
    Truncated(i64),
    /// The checkpoint of this event has no genuine signature.
    #[error("the checkpoint of event {0} is forged: its signature is not genuine")]
    ForgedCheckpoint(i64),
    /// The checkpoint of this event is signed with a key that is not trusted.
    #[error("the checkpoint of event {0} is signed with the key {1}, which is not trusted")]
    UnknownKey(i64, String),
    /// A genuine checkpoint names another hash: the chain up to this event is not the one that was signed.
    #[error("event {0} is not the one that was signed in its checkpoint: the chain up to it was rewritten")]
    Rewritten(i64),
    /// A checkpoint stands at the wrong place or belongs to another chain.
    #[error("the checkpoint of event {0} does not belong where it stands")]
    MisplacedCheckpoint(i64),
    /// The end is signed with another key, or changed.
    #[error("the end line is forged: its signature is not genuine")]
    ForgedEnd,
    /// The end belongs to another chain, or contradicts itself.
    #[error("the end line does not belong to this chain")]
    ForeignEnd,
    /// Events and end are right, but some other line was changed, added or removed.
    #[error("a line that is no event was changed, added or removed: the lines are not those that were signed")]
    OtherLines,
}

/// The keys whose signatures count.
#[derive(Debug, Clone)]
pub struct Trust {
    keys: Vec<PublicKey>,
    others_at_their_word: bool,
}

impl Trust {
    /// Trusts these keys and no others.
    pub const fn new(keys: Vec<PublicKey>) -> Self {
        Self { keys, others_at_their_word: false }
    }

    /// Checkpoints of other keys cannot be checked, but have to agree with the chain: those of an earlier key do.
    #[must_use]
    pub fn and_others_at_their_word(self) -> Self {
        Self { others_at_their_word: true, ..self }
    }

    fn key(&self, id: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    fn any_signed(&self, statement: &[u8], signature: &str) -> bool {
        self.keys.iter().any(|key| key.signed(statement, signature))
    }
}

/// What was found to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The number of events.
    pub events: i64,
    /// When the first and the last of them were recorded.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The number of checkpoints.
    pub checkpoints: u64,
}

/// Takes events and checkpoints in order, each checkpoint after its event. Once it has refused something, nothing it
/// says afterwards counts.
#[derive(Debug, Clone)]
pub struct ChainVerifier {
    chain: Chain,
    trust: Trust,
    last: Option<(i64, String)>,
    /// The first and the last number that were left out. Whether they are missing or come later shows later.
    gap: Option<(i64, i64)>,
    /// The event of a genuine checkpoint, not seen yet.
    promised: Option<i64>,
    seen: Summary,
}

impl ChainVerifier {
    /// A verifier of one chain.
    pub const fn new(chain: Chain, trust: Trust) -> Self {
        let seen = Summary { events: 0, span: None, checkpoints: 0 };
        Self { chain, trust, last: None, gap: None, promised: None, seen }
    }

    /// A verifier of what follows a checkpoint, which has to be genuine: everything up to its event was checked when it
    /// was signed.
    pub fn after(checkpoint: &Checkpoint, chain: Chain, trust: Trust) -> Result<Self, Finding> {
        Self::new(chain, Trust { others_at_their_word: false, ..trust.clone() }).genuine(checkpoint)?;
        let mut verifier = Self::new(chain, trust);
        verifier.last = Some((checkpoint.seq, checkpoint.hash.clone()));
        verifier.seen.events = checkpoint.seq;
        Ok(verifier)
    }

    /// Checks the next event. After a gap only the missing event itself can still be found; the rest is passed over.
    pub fn event(&mut self, record: &AuditRecord) -> Result<(), Finding> {
        let (seq, next) = (record.place.seq, self.awaited());
        let sound = match record.computed_hash() {
            Ok(hash) if hash == record.hash => Ok(()),
            // Whatever number it claims to have: what should be here is not.
            Ok(_) => Err(Finding::Edited(next)),
            Err(malformed) => Err(Finding::Malformed(next, malformed)),
        };
        if let Some((missing, _)) = self.gap {
            return if seq == missing && sound.is_ok() { Err(Finding::Reordered(seq)) } else { Ok(()) };
        }
        sound?;
        if record.chain() != self.chain {
            return Err(Finding::Foreign(next));
        }
        if seq > next {
            self.gap = Some((next, seq.saturating_sub(1)));
            return Ok(());
        }
        if seq < next {
            return Err(self.surplus(seq, &record.hash));
        }
        if self.promised == Some(seq) {
            return Err(Finding::MisplacedCheckpoint(seq));
        }
        if record.place.prev_hash.as_ref() != self.last.as_ref().map(|(_, hash)| hash) {
            return Err(Finding::Unlinked(seq));
        }
        self.last = Some((seq, record.hash.clone()));
        let at = record.place.created_at;
        self.seen.events = seq;
        self.seen.span = Some((self.seen.span.map_or(at, |(first, _)| first), at));
        Ok(())
    }

    /// An event whose number has been there before.
    fn surplus(&self, seq: i64, hash: &str) -> Finding {
        let same = self.last.as_ref().is_some_and(|(last, known)| seq < *last || known == hash);
        if seq < 1 || !same { Finding::Inserted(seq) } else { Finding::Duplicated(seq) }
    }

    /// Checks the next checkpoint.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Finding> {
        if self.gap.is_some() {
            return Ok(());
        }
        let seq = checkpoint.seq;
        self.genuine(checkpoint)?;
        match &self.last {
            Some((last, hash)) if *last == seq => {
                if *hash != checkpoint.hash {
                    return Err(Finding::Rewritten(seq));
                }
                self.seen.checkpoints = self.seen.checkpoints.saturating_add(1);
            }
            Some((last, _)) if *last > seq => return Err(Finding::MisplacedCheckpoint(seq)),
            _ => self.promised = self.promised.max(Some(seq)),
        }
        Ok(())
    }

    /// The checkpoint belongs to this chain and is signed with a trusted key.
    fn genuine(&self, checkpoint: &Checkpoint) -> Result<(), Finding> {
        let seq = checkpoint.seq;
        match self.trust.key(&checkpoint.key_id) {
            Some(key) if !key.signed(&checkpoint.statement(), &checkpoint.signature) => {
                return Err(Finding::ForgedCheckpoint(seq));
            }
            None if !self.trust.others_at_their_word => {
                // A text that is no id is not repeated: it may be anything.
                let known_form = unhex::<8>(&checkpoint.key_id).is_some();
                let id = checkpoint.key_id.clone();
                return Err(if known_form { Finding::UnknownKey(seq, id) } else { Finding::ForgedCheckpoint(seq) });
            }
            _ => {}
        }
        if checkpoint.chain == self.chain { Ok(()) } else { Err(Finding::MisplacedCheckpoint(seq)) }
    }

    /// Checks that the chain ends with its head: the number and hash of its newest event.
    pub fn head(self, head: Option<(i64, &str)>) -> Result<Summary, Finding> {
        self.whole()?;
        let last = self.last.as_ref().map(|(seq, hash)| (*seq, hash.as_str()));
        let (seen, known) = (last.map_or(0, |(seq, _)| seq), head.map_or(0, |(seq, _)| seq));
        match seen.cmp(&known) {
            std::cmp::Ordering::Less => Err(Finding::Truncated(seen.saturating_add(1))),
            std::cmp::Ordering::Greater => Err(Finding::Inserted(known.saturating_add(1))),
            std::cmp::Ordering::Equal if last != head => Err(Finding::Edited(seen)),
            std::cmp::Ordering::Equal => Ok(self.seen),
        }
    }

    /// Checks the end of an export; `digest` is that of the lines before it.
    pub fn end(self, ending: &Ending, digest: &str) -> Result<Summary, Finding> {
        self.left_out()?;
        if !self.trust.any_signed(&ending.statement(), &ending.signature) {
            return Err(Finding::ForgedEnd);
        }
        if ending.chain != self.chain || ending.last_hash.is_some() != (ending.last_seq > 0) {
            return Err(Finding::ForeignEnd);
        }
        let head = ending.last_hash.as_deref().map(|hash| (ending.last_seq, hash));
        let summary = self.head(head)?;
        match (summary.events == ending.count, ending.digest == digest) {
            (true, true) => Ok(summary),
            _ => Err(Finding::OtherLines),
        }
    }

    /// Nothing was left out on the way, so far as has been seen: for a chain that breaks off.
    pub fn whole(&self) -> Result<(), Finding> {
        self.left_out()?;
        match self.promised {
            Some(_) => Err(Finding::Truncated(self.awaited())),
            None => Ok(()),
        }
    }

    /// The number that the next event has to have.
    pub fn awaited(&self) -> i64 {
        self.last.as_ref().map_or(1, |(last, _)| last.saturating_add(1))
    }

    fn left_out(&self) -> Result<(), Finding> {
        self.gap.map_or(Ok(()), |(first, last)| Err(Finding::Missing(first, last)))
    }
}
