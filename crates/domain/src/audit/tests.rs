//! The encoding, pinned; erasure; and that the verifier names what was done to a chain.

use chrono::{DateTime, Duration};
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::*;
use crate::{hex::hex, rng::Rng};

struct Counting(std::sync::atomic::AtomicU8);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

fn details(value: Option<&str>) -> Details {
    Details::from([("name".to_owned(), value.map(str::to_owned))])
}

fn first() -> Place {
    Place { seq: 1, prev_hash: None, created_at: DateTime::UNIX_EPOCH }
}

/// Sealed with salts that count up from 0.
fn sealed(event: AuditEvent) -> AuditRecord {
    event.seal(first(), &Counting(0.into()))
}

fn event() -> AuditEvent {
    let mut event = AuditEvent::new(Action::LogIn, Some(OrgId::new(1)), Origin::default());
    event.before = Some(details(Some("ab")));
    event.after = Some(details(Some("c")));
    event
}

fn personal() -> AuditEvent {
    let mut event = event();
    event.origin.client_ip = Some("192.0.2.1".to_owned());
    event.after = Some(Details::from([
        ("email".to_owned(), Some("a@b.example".to_owned())),
        ("name".to_owned(), Some("c".to_owned())),
        ("phone".to_owned(), None),
    ]));
    event.personal = &["email", "phone", "fax"];
    event
}

/// As version 1 stored it.
fn old() -> AuditRecord {
    AuditRecord { encoding: 1, ..sealed(event()) }
}

#[test]
fn the_first_encoding_is_fixed_for_ever() {
    assert_eq!(old().computed_hash().unwrap(), "f2fe5835e54d3822e1daeff5abc1b3996d7fc55fe6d5696c93fcf4b1067057e7");
}

#[test]
fn the_second_encoding_is_fixed_for_ever() {
    assert_eq!(sealed(event()).hash, "08c86bdc94284490cc4ccbf41fee67526f193b1f61e470156c4b3f58990811f7");
    let record = sealed(personal());
    assert_eq!(record.salts["client_ip"], "000102030405060708090a0b0c0d0e0f");
    assert_eq!(record.salts.keys().collect::<Vec<_>>(), ["after.email", "after.phone", "client_ip"]);
    assert_eq!(record.hash, "46ee1e1332593e08be7266a388ab1e7213418ab7a3227f2d6da1b7f1cc3b76b6");
}

#[test]
fn moving_a_character_between_fields_changes_the_hash() {
    let mut moved = event();
    moved.before = Some(details(Some("a")));
    moved.after = Some(details(Some("bc")));
    assert_ne!(sealed(event()).hash, sealed(moved).hash);
}

#[test]
fn absent_and_empty_differ_and_the_order_counts() {
    let whole = old();
    for change in [
        |record: &mut AuditRecord| record.client_ip = Some(String::new()),
        |record: &mut AuditRecord| record.after = Some(details(None)),
        |record: &mut AuditRecord| record.after = None,
        |record: &mut AuditRecord| record.after = Some(Details::new()),
        |record: &mut AuditRecord| record.place.seq = 2,
    ] {
        let mut changed = whole.clone();
        change(&mut changed);
        assert_ne!(changed.computed_hash(), whole.computed_hash(), "{changed:?}");
    }
}

#[test]
fn what_is_erased_is_gone_and_the_hash_stays() {
    let mut record = sealed(personal());
    assert!(record.erase().unwrap());
    assert_eq!(record.computed_hash().unwrap(), record.hash);
    let shown = format!("{record:?}");
    assert!(!shown.contains("192.0.2.1") && !shown.contains("a@b.example"), "{shown}");
    assert!(record.salts.is_empty() && record.client_ip.is_none());
    assert_eq!(record.after, Some(details(Some("c"))), "what tells about nobody stays");
    assert_eq!(record.erased.keys().collect::<Vec<_>>(), ["after.email", "after.phone", "client_ip"]);
    assert!(!record.erase().unwrap());
}

#[test]
fn a_guess_cannot_be_confirmed_once_the_salt_is_gone() {
    let erased = |salt: u8| {
        let mut record = personal().seal(first(), &Counting(salt.into()));
        record.erase().unwrap();
        record.erased["client_ip"].clone()
    };
    assert_ne!(erased(0), erased(1), "the commitment is not a function of the value alone");
}

#[test]
fn salts_and_erased_values_belong_to_personal_fields_of_the_second_encoding() {
    let salt = || "00".repeat(16);
    for change in [
        |record: &mut AuditRecord, salt: String| drop(record.salts.insert("client_ip".into(), salt)),
        |record: &mut AuditRecord, salt: String| drop(record.salts.insert("after.none".into(), salt)),
        |record: &mut AuditRecord, salt: String| drop(record.salts.insert("action".into(), salt)),
        |record: &mut AuditRecord, salt: String| drop(record.erased.insert("after.name".into(), salt.repeat(2))),
        |record: &mut AuditRecord, salt: String| {
            drop(record.salts.insert("after.name".into(), salt.to_uppercase() + "A"));
        },
        |record: &mut AuditRecord, salt: String| {
            record.encoding = 1;
            record.salts.insert("after.name".into(), salt);
        },
    ] {
        let mut changed = sealed(event());
        change(&mut changed, salt());
        assert_eq!(changed.computed_hash(), Err(Malformed::Personal), "{changed:?}");
    }
    let unknown = AuditRecord { encoding: 3, ..sealed(event()) };
    assert_eq!(unknown.computed_hash(), Err(Malformed::UnknownEncoding));
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap()
}

fn verifier() -> ChainVerifier {
    ChainVerifier::new(Chain::numbered(1), Trust::new(vec![public(&key())]))
}

/// A chain of so many events.
fn chain(length: i64) -> Vec<AuditRecord> {
    let rng = Counting(0.into());
    let mut records: Vec<AuditRecord> = Vec::new();
    for seq in 1..=length {
        let prev_hash = records.last().map(|record| record.hash.clone());
        let created_at = DateTime::UNIX_EPOCH + Duration::seconds(seq);
        records.push(personal().seal(Place { seq, prev_hash, created_at }, &rng));
    }
    records
}

fn checkpoint(record: &AuditRecord, key: &SigningKey) -> Checkpoint {
    let mut checkpoint = Checkpoint {
        chain: Chain::numbered(1),
        seq: record.place.seq,
        hash: record.hash.clone(),
        signed_at: DateTime::UNIX_EPOCH,
        key_id: public(key).id(),
        signature: String::new(),
    };
    checkpoint.signature = hex(&key.sign(&checkpoint.statement()).to_bytes());
    checkpoint
}

fn verified(records: &[AuditRecord], head: Option<&AuditRecord>) -> Result<Summary, Finding> {
    let mut verifier = verifier();
    for record in records {
        verifier.event(record)?;
    }
    verifier.head(head.map(|record| (record.place.seq, record.hash.as_str())))
}

#[test]
fn events_left_out_moved_and_repeated_are_named() {
    let whole = chain(6);
    let last = whole.last();
    assert_eq!(verified(&whole, last).unwrap().events, 6);
    assert_eq!(verified(&[], None).unwrap().events, 0);
    for at in 0..6 {
        let seq = whole[at].place.seq;
        let mut cut = whole.clone();
        cut.remove(at);
        let expected = if seq == 6 { Finding::Truncated(6) } else { Finding::Missing(seq, seq) };
        assert_eq!(verified(&cut, last), Err(expected));
        assert_eq!(verified(&whole[..at], last), Err(Finding::Truncated(seq)));
        let mut twice = whole.clone();
        twice.insert(at, whole[at].clone());
        assert_eq!(verified(&twice, last), Err(Finding::Duplicated(seq)));
        for other in at + 1..6 {
            let mut swapped = whole.clone();
            swapped.swap(at, other);
            assert_eq!(verified(&swapped, last), Err(Finding::Reordered(seq)));
        }
    }
    let longer = chain(7);
    assert_eq!(verified(&longer, last), Err(Finding::Inserted(7)), "more events than the head knows");
}

#[test]
fn a_replaced_event_with_a_hash_that_fits_is_found_at_its_successor() {
    let mut forged = chain(4);
    forged[1].action = "auth.log_out".to_owned();
    forged[1].hash = forged[1].computed_hash().unwrap();
    assert_eq!(verified(&forged, forged.last()), Err(Finding::Unlinked(3)));
    let mut foreign = chain(4);
    foreign[2].org = Some(OrgId::new(2));
    foreign[2].hash = foreign[2].computed_hash().unwrap();
    assert_eq!(verified(&foreign, foreign.last()), Err(Finding::Foreign(3)));
    let mut second = chain(3);
    let mut other = second[2].clone();
    other.action = "auth.log_out".to_owned();
    other.hash = other.computed_hash().unwrap();
    second.push(other);
    assert_eq!(verified(&second, second.get(2)), Err(Finding::Inserted(3)));
}

#[test]
fn a_checkpoint_holds_the_chain_to_what_it_was() {
    let whole = chain(3);
    let good = checkpoint(&whole[1], &key());
    let with = |records: &[AuditRecord], checkpoint: &Checkpoint| {
        let mut verifier = verifier();
        for record in records {
            verifier.event(record)?;
            if record.place.seq == checkpoint.seq {
                verifier.checkpoint(checkpoint)?;
            }
        }
        if records.len() < 2 {
            verifier.checkpoint(checkpoint)?;
        }
        verifier.head(records.last().map(|record| (record.place.seq, record.hash.as_str())))
    };
    assert_eq!(with(&whole, &good).unwrap().checkpoints, 1);
    assert_eq!(with(&whole[..1], &good), Err(Finding::Truncated(2)));
    // Rewritten as a whole, each hash made anew.
    let mut rewritten = whole.clone();
    let mut prev_hash = None;
    for record in &mut rewritten {
        record.actor = Some(UserId::new(9));
        record.place.prev_hash = prev_hash;
        record.hash = record.computed_hash().unwrap();
        prev_hash = Some(record.hash.clone());
    }
    assert_eq!(with(&rewritten, &good), Err(Finding::Rewritten(2)));
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let theirs = checkpoint(&rewritten[1], &stranger);
    assert_eq!(with(&rewritten, &theirs), Err(Finding::UnknownKey(2, public(&stranger).id())));
    let pretended = Checkpoint { key_id: good.key_id.clone(), ..theirs };
    assert_eq!(with(&rewritten, &pretended), Err(Finding::ForgedCheckpoint(2)));
    let later = Checkpoint { signed_at: good.signed_at + Duration::seconds(1), ..good.clone() };
    assert_eq!(with(&whole, &later), Err(Finding::ForgedCheckpoint(2)));
    let mut early = verifier();
    early.event(&whole[0]).unwrap();
    early.checkpoint(&good).unwrap();
    assert_eq!(early.event(&whole[1]), Err(Finding::MisplacedCheckpoint(2)));
}

#[test]
fn a_chain_can_be_checked_from_a_genuine_checkpoint_on() {
    let whole = chain(5);
    let good = checkpoint(&whole[1], &key());
    let trust = || Trust::new(vec![public(&key())]).and_others_at_their_word();
    let from = |checkpoint: &Checkpoint, records: &[AuditRecord]| {
        let mut verifier = ChainVerifier::after(checkpoint, Chain::numbered(1), trust())?;
        for record in records {
            verifier.event(record)?;
        }
        verifier.head(whole.last().map(|record| (record.place.seq, record.hash.as_str())))
    };
    assert_eq!(from(&good, &whole[2..]).unwrap().events, 5);
    assert_eq!(from(&good, &whole[3..]), Err(Finding::Missing(3, 3)));
    assert_eq!(from(&good, &[]), Err(Finding::Truncated(3)));
    let mut edited = whole.clone();
    edited[3].action = "auth.log_out".to_owned();
    assert_eq!(from(&good, &edited[2..]), Err(Finding::Edited(4)));
    let other = checkpoint(&edited[3], &key());
    assert_eq!(from(&Checkpoint { seq: 2, ..other }, &whole[2..]), Err(Finding::ForgedCheckpoint(2)));
    let hash = whole[3].hash.clone();
    let mut replaced = checkpoint(&AuditRecord { hash, ..whole[1].clone() }, &key());
    assert_eq!(from(&replaced, &whole[2..]), Err(Finding::Unlinked(3)));
    replaced = Checkpoint { chain: Chain::numbered(2), ..good.clone() };
    replaced.signature = hex(&key().sign(&replaced.statement()).to_bytes());
    assert_eq!(from(&replaced, &whole[2..]), Err(Finding::MisplacedCheckpoint(2)));
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let theirs = checkpoint(&whole[1], &stranger);
    assert_eq!(from(&theirs, &whole[2..]), Err(Finding::UnknownKey(2, public(&stranger).id())));
}

#[test]
fn a_checkpoint_of_an_unknown_key_that_is_taken_at_its_word_has_to_agree_with_the_chain() {
    let whole = chain(2);
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let judged = |checkpoint: &Checkpoint| {
        let mut verifier = ChainVerifier::new(Chain::numbered(1), Trust::new(Vec::new()).and_others_at_their_word());
        for record in &whole {
            verifier.event(record)?;
        }
        verifier.checkpoint(checkpoint)?;
        verifier.head(whole.last().map(|record| (record.place.seq, record.hash.as_str())))
    };
    let agrees = checkpoint(&whole[1], &stranger);
    assert!(judged(&agrees).is_ok());
    assert_eq!(judged(&Checkpoint { hash: "0".repeat(64), ..agrees.clone() }), Err(Finding::Rewritten(2)));
    assert_eq!(judged(&Checkpoint { seq: 3, ..agrees }), Err(Finding::Truncated(3)));
}

proptest! {
    #[test]
    fn erasing_any_events_leaves_the_chain_whole(erased in proptest::collection::vec(any::<bool>(), 1..12)) {
        let mut records = chain(i64::try_from(erased.len()).unwrap());
        for (record, erase) in records.iter_mut().zip(&erased) {
            if *erase {
                record.erase().unwrap();
            }
        }
        prop_assert!(verified(&records, records.last()).is_ok());
    }
}
