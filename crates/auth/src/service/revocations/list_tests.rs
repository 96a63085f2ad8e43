//! What the list in memory tells whom, what it forgets, and how it stays bounded.

use sme_pulse_domain::ids::{SessionId, UserId};
use uuid::Uuid;

use super::*;

const KEEP: Duration = Duration::from_mins(1);
const HERE: OrgId = OrgId::new(1);
const THERE: OrgId = OrgId::new(2);

fn session(seq: u64, org: OrgId) -> RevocationRow {
    let id = SessionId::new(Uuid::from_u128(seq.into()));
    RevocationRow { seq, org: Some(org), what: RevokedRow::Session(id) }
}

fn numbers(list: &List, known: u64, only: Option<OrgId>) -> Vec<u64> {
    list.after(known, only).into_iter().map(|entry| entry.seq).collect()
}

#[test]
fn each_organization_is_told_its_own_and_what_concerns_all() {
    let mut list = List::beginning_at(3);
    let key = RevocationRow { seq: 7, org: None, what: RevokedRow::Key("old".to_owned()) };
    list.add(vec![session(4, HERE), session(5, THERE), key], Duration::ZERO);
    assert_eq!(numbers(&list, 0, None), [4, 5, 7]);
    assert_eq!(numbers(&list, 0, Some(HERE)), [4, 7]);
    assert_eq!(numbers(&list, 4, Some(THERE)), [5, 7]);
    assert_eq!((list.newest(), numbers(&list, 7, None)), (7, vec![]));
    assert!(list.has_any_after(5, Some(HERE)) && !list.has_any_after(7, Some(HERE)));
}

#[test]
fn what_was_read_twice_is_there_once() {
    let mut list = List::default();
    list.add(vec![session(1, HERE), session(2, HERE)], Duration::ZERO);
    list.add(vec![session(2, HERE), session(3, HERE)], Duration::ZERO);
    assert_eq!(numbers(&list, 0, None), [1, 2, 3]);
}

#[test]
fn who_missed_something_forgotten_or_comes_from_the_future_does_not_go_on() {
    let mut list = List::beginning_at(3);
    list.add(vec![session(4, HERE)], Duration::ZERO);
    list.add(vec![session(6, HERE)], KEEP);
    list.forget(KEEP, KEEP);
    assert_eq!(numbers(&list, 0, None), [4, 6]);
    assert_eq!([2, 3, 4, 6, 7].map(|known| list.goes_on_after(known)), [false, true, true, true, false]);
    list.forget(KEEP + Duration::from_nanos(1), KEEP);
    assert_eq!((numbers(&list, 0, None), list.newest()), (vec![6], 6));
    assert_eq!([3, 4, 6].map(|known| list.goes_on_after(known)), [false, true, true]);
}

#[test]
fn a_flood_becomes_one_entry_of_its_organization_that_refuses_all_that_the_many_did() {
    let mut list = List::default();
    let flood = u64::try_from(AT_MOST).unwrap();
    let rows = std::iter::once(session(1, THERE)).chain((2..=flood + 1).map(|seq| session(seq, HERE)));
    list.add(rows.collect(), Duration::ZERO);
    let whole = list.after(0, None);
    assert_eq!(whole.len(), 2, "the quiet organization keeps its entry");
    assert_eq!(whole[0].seq, 1);
    assert_eq!(whole[1], Revocation { seq: flood + 1, what: Revoked::Organization(HERE) });
    // Who was in the middle of it is told of the rest.
    assert_eq!(numbers(&list, flood / 2, Some(HERE)), [flood + 1]);
    assert!(!list.is_too_long() && list.goes_on_after(flood / 2));
}

#[test]
fn a_flood_over_more_organizations_than_there_is_room_for_is_not_told_in_part() {
    let mut list = List::default();
    let rows = (1..=u64::try_from(AT_MOST).unwrap() + 1).map(|seq| session(seq, OrgId::new(seq.cast_signed())));
    list.add(rows.collect(), Duration::ZERO);
    assert!(list.is_too_long());
    list.forget(KEEP * 2, KEEP);
    assert!(!list.is_too_long());
}

#[test]
fn every_kind_has_its_form_and_a_key_without_a_name_none() {
    let user = UserId::new(7);
    for (what, expected) in [
        (RevokedRow::User(user), Some(Revoked::User(user))),
        (RevokedRow::Member(user), Some(Revoked::Member(user, HERE))),
        (RevokedRow::Organization, Some(Revoked::Organization(HERE))),
        (RevokedRow::Key("k".to_owned()), KeyId::parse("k").map(Revoked::Key)),
        (RevokedRow::Key(String::new()), None),
    ] {
        assert_eq!(revoked(what.clone(), Some(HERE)), expected, "{what:?}");
    }
}
