//! Every way to tamper with a file is found, and the event is named.

use std::{
    io::{self, BufReader, Read},
    sync::LazyLock,
};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::Value;
use sme_pulse_auth::service::{AuditSigner, ServiceKeys};
use sme_pulse_domain::{
    audit::{Action, AuditEvent, AuditRecord, Chain, Details, Finding, Origin, Place},
    ids::{OrgId, UserId},
};

use super::{FileError, FileWriter, verify};
use crate::random::SystemRng;

const CHAIN: Chain = Chain::Of(OrgId::new(7));
/// The lines of the file below: a header, six events, a checkpoint after the third and the sixth, the end.
const EVENTS: [usize; 6] = [1, 2, 3, 5, 6, 7];
const CHECKPOINTS: [usize; 2] = [4, 8];
const END: usize = 9;

fn signer(secret: &[u8]) -> AuditSigner {
    ServiceKeys::new(secret, None).audit_signer()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_763_626_530_123_456).unwrap()
}

fn records() -> Vec<AuditRecord> {
    let mut records: Vec<AuditRecord> = Vec::new();
    for seq in 1..=6_i64 {
        let request_id = Some(uuid::Uuid::from_u128(seq.unsigned_abs().into()));
        let origin = Origin { request_id, client_ip: Some("2001:db8::1".to_owned()) };
        let mut event = AuditEvent::new(Action::OrganizationUpdated, CHAIN.org(), origin);
        event.actor = Some(UserId::new(3));
        (event.entity, event.entity_id) = (Some("organizations"), Some(7));
        let details = |name: &str| Details::from([("email".into(), None), ("name".into(), Some(name.to_owned()))]);
        (event.before, event.after) = (Some(details("Größe \"1\"\n")), Some(details("b")));
        event.personal = &["name"];
        let prev_hash = records.last().map(|record| record.hash.clone());
        records.push(event.seal(Place { seq, prev_hash, created_at: now() }, &SystemRng));
    }
    records[1].erase().unwrap();
    records
}

fn file(secret: &[u8], records: &[AuditRecord]) -> Vec<Vec<u8>> {
    let signer = signer(secret);
    let mut writer = FileWriter::new(Vec::new(), (CHAIN, Some("Org".into())), &signer, now()).unwrap();
    for record in records {
        let head = (CHAIN, record.place.seq, record.hash.clone());
        writer.event(record.clone()).unwrap();
        if record.place.seq % 3 == 0 {
            writer.checkpoint(signer.checkpoint(head, now())).unwrap();
        }
    }
    let head = records.last().map(|record| (record.place.seq, record.hash.clone()));
    let (bytes, _) = writer.end(head, &signer).unwrap();
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn good() -> Vec<Vec<u8>> {
    static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| file(b"secret", &records()));
    GOOD.clone()
}

/// The file with one field of one line replaced, and all else as it was.
fn edited(line: usize, name: &str, old: &Value, new: &Value) -> Vec<Vec<u8>> {
    let mut lines = good();
    let text = String::from_utf8(lines[line].clone()).unwrap();
    let replaced = text.replacen(&format!("\"{name}\":{old}"), &format!("\"{name}\":{new}"), 1);
    assert_ne!(replaced, text, "{name}");
    lines[line] = replaced.into_bytes();
    lines
}

fn refused(lines: &[Vec<u8>]) -> FileError {
    verify(&*lines.concat(), vec![signer(b"secret").public_key()]).unwrap_err()
}

/// The event that an error names.
fn named(error: &FileError) -> Option<i64> {
    let text = error.to_string();
    let (_, rest) = text.split_once("event ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn seq_of(line: usize) -> i64 {
    i64::try_from(EVENTS.iter().position(|event| *event == line).unwrap()).unwrap() + 1
}

#[test]
fn a_whole_file_is_whole_and_so_is_an_empty_chain() {
    let report = verify(&*good().concat(), vec![signer(b"secret").public_key()]).unwrap();
    assert_eq!((report.chain, report.summary.events, report.summary.checkpoints), (CHAIN, 6, 2));
    assert_eq!(verify(&*good().concat(), vec![]).unwrap().key, report.key);
    assert_eq!(verify(&*file(b"secret", &[]).concat(), vec![]).unwrap().summary.events, 0);
    let shown = String::from_utf8(good()[EVENTS[1]].clone()).unwrap();
    assert!(!shown.contains("2001:db8") && !shown.contains("Größe"), "erased: {shown}");
}

#[test]
fn every_field_of_every_event_is_guarded() {
    for line in EVENTS {
        let whole: Value = serde_json::from_slice(&good()[line]).unwrap();
        for (name, value) in whole.as_object().unwrap() {
            let changes = match value {
                Value::Number(_) => vec![Value::from(99), Value::Null],
                Value::String(_) => vec![Value::from("x"), Value::Null],
                Value::Null => vec![Value::from("x"), Value::from(1)],
                _ => vec![serde_json::json!({}), Value::Null, serde_json::json!({"name": "x"})],
            };
            for change in changes.into_iter().filter(|change| change != value) {
                let error = refused(&edited(line, name, value, &change));
                assert_eq!(named(&error), Some(seq_of(line)), "{name}: {error}");
            }
        }
    }
}

#[test]
fn lines_removed_swapped_and_repeated_are_named() {
    let whole = good();
    for line in 0..=END {
        let mut cut = whole.clone();
        cut.remove(line);
        let error = refused(&cut);
        let mut twice = whole.clone();
        twice.insert(line, whole[line].clone());
        let repeated = refused(&twice);
        if EVENTS.contains(&line) {
            assert_eq!(named(&error), Some(seq_of(line)), "{error}");
            assert!(error.to_string().contains("missing"), "{error}");
            assert!(
                matches!(repeated, FileError::Found(Finding::Duplicated(seq)) if seq == seq_of(line)),
                "{repeated}"
            );
        }
        if CHECKPOINTS.contains(&line) {
            assert!(matches!(error, FileError::Found(Finding::OtherLines)), "{error}");
        }
        for other in EVENTS.into_iter().filter(|other| *other > line && EVENTS.contains(&line)) {
            let mut swapped = whole.clone();
            swapped.swap(line, other);
            let error = refused(&swapped);
            assert!(matches!(error, FileError::Found(Finding::Reordered(seq)) if seq == seq_of(line)), "{error}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_truncated_and_the_next_event_named() {
    let whole = good();
    for line in 0..=END {
        let start: usize = whole[..line].iter().map(Vec::len).sum();
        let awaited = EVENTS.iter().filter(|event| **event < line).count() + 1;
        for within in [0, 1, whole[line].len() / 2, whole[line].len() - 1] {
            let error = verify(&whole.concat()[..start + within], vec![]).unwrap_err();
            let text = error.to_string();
            if start + within > 0 {
                assert!(text.contains("truncated"), "{line} {within}: {text}");
                assert_eq!(named(&error), i64::try_from(awaited).ok(), "{line} {within}: {text}");
            }
        }
    }
}

#[test]
fn checkpoints_and_the_end_cannot_be_changed_and_another_key_is_not_believed() {
    for line in CHECKPOINTS.into_iter().chain([END]) {
        let whole: Value = serde_json::from_slice(&good()[line]).unwrap();
        for (name, value) in whole.as_object().unwrap() {
            let change = match value {
                Value::Number(number) => Value::from(number.as_i64().unwrap() + 1),
                Value::String(text) => {
                    Value::from(if text.starts_with('1') { "2" } else { "1" }.to_owned() + &text[1..])
                }
                other => panic!("{other}"),
            };
            let _ = refused(&edited(line, name, value, &change));
        }
    }
    let mut header = good();
    let text = String::from_utf8(header[0].clone()).unwrap().replace("\"Org\"", "\"Orc\"");
    header[0] = text.into_bytes();
    assert!(matches!(refused(&header), FileError::Found(Finding::OtherLines)));
    let forged = file(b"another", &records());
    assert!(matches!(refused(&forged), FileError::WrongKey(_)));
    let mut mixed = file(b"another", &records());
    mixed[0] = good()[0].clone();
    assert!(matches!(refused(&mixed), FileError::Found(Finding::UnknownKey(3, _))));
    let mut more = good();
    more.push(b"{}\n".to_vec());
    assert!(refused(&more).to_string().contains("follows"));
}

#[test]
fn hostile_files_are_refused_with_the_line() {
    let header = good()[0].clone();
    let after_header = |rest: &[u8]| verify(&*[&header, rest].concat(), vec![]).unwrap_err().to_string();
    assert!(after_header(b"\xff\xfe\n").starts_with("line 2, where event 1 is awaited: it is not UTF-8"));
    for rest in
        ["{\"a\":".repeat(10_000) + "\n", "[".repeat(100_000) + "\n", "null\n".into(), "\n".into(), "{}\n".into()]
    {
        assert!(after_header(rest.as_bytes()).starts_with("line 2, where event 1 is awaited"), "{rest:.20}");
    }
    for text in ["", "{}\n", "\0", "\n\n"] {
        assert!(verify(text.as_bytes(), vec![]).unwrap_err().to_string().starts_with("line 1"), "{text:?}");
    }
    // A line without end is read no further than a line may be long.
    let counted = Counted(0);
    let mut endless = BufReader::new(counted);
    assert!(verify(&mut endless, vec![]).unwrap_err().to_string().contains("too long"));
    assert!(endless.get_ref().0 < 32 * 1024 * 1024);
}

struct Counted(usize);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0 += buffer.len();
        Ok(buffer.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_other_byte_in_an_event_is_found_and_its_event_named(event in 0..6_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut lines = good();
        let line = EVENTS[event];
        let at = at.index(lines[line].len());
        prop_assume!(lines[line][at] != byte);
        lines[line][at] = byte;
        let error = refused(&lines);
        prop_assert_eq!(named(&error), Some(seq_of(line)), "{}", error);
    }

    #[test]
    fn any_other_byte_anywhere_is_found(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = good().concat();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(verify(&*bytes, vec![signer(b"secret").public_key()]).is_err());
    }
}
