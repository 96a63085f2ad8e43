//! The follower against a simple model: every order of messages, repeated and lost ones.

use std::sync::LazyLock;

use proptest::prelude::*;
use sme_pulse_auth::{
    revocation::{Follower, Revocation, Revocations, Revoked, Step},
    testing::Issuer,
    token::AccessClaims,
};
use sme_pulse_domain::ids::{OrgId, SessionId, UserId};
use uuid::Uuid;

const LEEWAY: u32 = 5;
const KEEP: u32 = 100;
const START: i64 = 1_000;

fn revoked() -> impl Strategy<Value = Revoked> {
    prop_oneof![
        (1_u128..4).prop_map(|id| Revoked::Session(SessionId::new(Uuid::from_u128(id)))),
        (1_i64..4).prop_map(|user| Revoked::User(UserId::new(user))),
        (1_i64..4, 1_i64..3).prop_map(|(user, org)| Revoked::Member(UserId::new(user), OrgId::new(org))),
        (1_i64..3).prop_map(|org| Revoked::Organization(OrgId::new(org))),
    ]
}

/// What the issuer did: one revocation after the other, with seconds between.
fn history() -> impl Strategy<Value = Vec<(Revoked, i64)>> {
    prop::collection::vec((revoked(), 0_i64..20), 1..30)
}

fn entries(history: &[(Revoked, i64)]) -> Vec<(Revocation, i64)> {
    let mut at = START;
    let numbered = (1..).zip(history).map(|(seq, (what, wait))| {
        at += wait;
        (Revocation { seq, what: what.clone() }, at)
    });
    numbered.collect()
}

/// The message that the issuer sends when `seq` is the newest, to somebody who knows everything up to `after`.
fn message(all: &[(Revocation, i64)], after: u64, seq: u64, later: i64) -> Revocations {
    let at = all.iter().rfind(|(entry, _)| entry.seq <= seq).map_or(START, |(_, at)| *at) + later;
    let entries =
        all.iter().map(|(entry, _)| entry).filter(|entry| entry.seq > after && entry.seq <= seq).cloned().collect();
    Revocations { issuer: "issuer".into(), only: None, after, seq, at, keep: KEEP, entries }
}

/// Claims to probe with: every small user, organization, session and position.
static PROBES: LazyLock<Vec<AccessClaims>> = LazyLock::new(|| {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let mut probes = Vec::new();
    for (user, org, session) in [(1, 1, 1), (1, 2, 9), (2, 1, 2), (2, 2, 9), (3, 1, 3), (3, 2, 9)] {
        for position in [0, 1, 3, 7, 15, 29, 30] {
            let session = SessionId::new(Uuid::from_u128(session));
            let token = issuer.token().user(user).org(org).session(session).position(position).mint();
            probes.push(verifier.verify(&token).unwrap());
        }
    }
    probes
});

/// Whether one revocation refuses a token, by its definition.
fn concerns(entry: &Revocation, claims: &AccessClaims) -> bool {
    match &entry.what {
        Revoked::Session(id) => claims.session == Some(*id),
        Revoked::User(user) => claims.user == *user && claims.position < entry.seq,
        Revoked::Member(user, org) => claims.user == *user && claims.org == *org && claims.position < entry.seq,
        Revoked::Organization(org) => claims.org == *org && claims.position < entry.seq,
        Revoked::Key(_) => false,
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap()
}

fn until(message: &Revocations) -> i64 {
    message.at + i64::from(KEEP + LEEWAY)
}

#[derive(Debug, Clone)]
struct Sent {
    after: prop::sample::Index,
    seq: prop::sample::Index,
    later: i64,
}

fn sent() -> impl Strategy<Value = Sent> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_i64..3).prop_map(|(after, seq, later)| Sent {
        after,
        seq,
        later,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever arrives in whatever order: what a genuine message has taken back stays so until no token can be that old; and after a
    /// message that was current the reader is where the message says.
    #[test]
    fn nothing_told_is_given_back_before_its_time(
        history in history(),
        arrivals in prop::collection::vec((sent(), 0_i64..40), 1..40),
    ) {
        let all = entries(&history);
        let mut follower = Follower::new(LEEWAY);
        let (mut received, mut counted) = (Vec::<Revocations>::new(), Vec::<Revocations>::new());
        let (mut now, mut newest) = (START, (i64::MIN, 0));
        for (sent, wait) in arrivals {
            now += wait;
            let seq = number(sent.seq.index(all.len() + 1));
            let after = number(sent.after.index(usize::try_from(seq).unwrap() + 1));
            let message = message(&all, after, seq, sent.later);
            // Clocks differ, though not by a minute.
            now = now.max(message.at - 30);
            let step = follower.take(&message, now);
            received.push(message.clone());
            // One that came too early, behind a gap, has not counted yet.
            let replayed = counted.contains(&message);
            if step != Step::Gap {
                counted.push(message.clone());
            }
            if step == Step::Current {
                prop_assert!(!replayed, "a replay is no sign of life");
                prop_assert!((message.at, message.seq) > newest || message.at > newest.0);
                prop_assert_eq!(follower.seq(), seq);
                newest = (message.at, message.seq);
            }
            for claims in &*PROBES {
                let told = received.iter().filter(|message| until(message) > now).flat_map(|message| &message.entries);
                if told.into_iter().any(|entry| concerns(entry, claims)) {
                    prop_assert!(follower.refuses(claims), "{claims:?}");
                }
            }
        }
    }

    /// With a snapshot the reader knows exactly what the issuer does.
    #[test]
    fn after_a_snapshot_reader_and_issuer_agree(
        history in history(),
        arrivals in prop::collection::vec(sent(), 0..20),
    ) {
        let all = entries(&history);
        let mut follower = Follower::new(LEEWAY);
        let end = all.last().map_or(START, |(_, at)| *at) + 10;
        let newest = number(all.len());
        for sent in arrivals {
            let seq = number(sent.seq.index(all.len() + 1));
            let after = number(sent.after.index(usize::try_from(seq).unwrap() + 1));
            follower.take(&message(&all, after, seq, sent.later), START);
        }
        let snapshot = Revocations { at: end, ..message(&all, 0, newest, 0) };
        prop_assert_eq!(follower.take(&snapshot, end), Step::Current);
        prop_assert_eq!((follower.seq(), follower.signed_at()), (newest, Some(end)));
        for claims in &*PROBES {
            let expected = snapshot.entries.iter().any(|entry| concerns(entry, claims));
            prop_assert_eq!(follower.refuses(claims), expected, "{:?}", claims);
        }
        // And forgets it when no token can be that old.
        follower.take(&Revocations { at: end + 200, ..message(&all, newest, newest, 0) }, until(&snapshot));
        prop_assert_eq!(follower.remembered(), 0);
    }

    /// However little is remembered one by one, nothing that should be refused is accepted.
    #[test]
    fn what_is_too_much_to_remember_is_refused_all_the_more(history in history(), most in 0_usize..6) {
        let all = entries(&history);
        let (mut exact, mut bounded) = (Follower::new(LEEWAY), Follower::new(LEEWAY).remembering(most));
        for seq in 1..=number(all.len()) {
            // All within a second, so that nothing is forgotten for its age.
            let news = Revocations { at: START, ..message(&all, seq - 1, seq, 0) };
            exact.take(&news, START);
            prop_assert_eq!(bounded.take(&news, START), Step::Current);
            prop_assert!(bounded.remembered() <= most);
            for claims in &*PROBES {
                // A token of a session cannot be made after the session's end, and none beyond the newest number.
                let told = all.iter().map(|(entry, _)| entry).take_while(|entry| entry.seq <= seq);
                let refused = told.into_iter().any(|entry| claims.position < entry.seq && concerns(entry, claims));
                prop_assert!(!refused || bounded.refuses(claims), "{:?}", claims);
                prop_assert!(claims.position < seq || exact.refuses(claims) || !bounded.refuses(claims), "made now");
            }
        }
    }
}

#[test]
fn a_follower_begins_with_a_snapshot() {
    let all = entries(&[(Revoked::User(UserId::new(1)), 1), (Revoked::User(UserId::new(2)), 1)]);
    let mut follower = Follower::new(LEEWAY);
    assert_eq!(follower.take(&message(&all, 1, 2, 0), START), Step::Gap);
    assert_eq!(follower.take(&message(&all, 0, 2, 0), START), Step::Current);
    assert_eq!(follower.take(&message(&all, 0, 2, 0), START), Step::Old, "seen before");
    assert_eq!(follower.take(&message(&all, 2, 2, 1), START), Step::Current, "a sign of life");
    assert_eq!(follower.take(&message(&all, 0, 1, 2), START), Step::Old, "behind, and signed no later");
}

#[test]
fn a_replica_whose_clock_is_behind_tells_news_but_gives_no_sign_of_life() {
    let all = entries(&[(Revoked::User(UserId::new(1)), 1), (Revoked::User(UserId::new(2)), 1)]);
    let mut follower = Follower::new(LEEWAY);
    assert_eq!(follower.take(&Revocations { at: 2_000, ..message(&all, 0, 1, 0) }, 3_000), Step::Current);
    assert_eq!(follower.take(&Revocations { at: 1_999, ..message(&all, 1, 2, 0) }, 3_000), Step::Old);
    assert_eq!(follower.seq(), 2);
    assert_eq!(follower.take(&Revocations { at: 2_001, ..message(&all, 2, 2, 0) }, 3_000), Step::Current);
}

#[test]
fn after_a_restored_database_messages_of_before_it_mean_nothing() {
    let all = entries(&[(Revoked::User(UserId::new(1)), 1), (Revoked::User(UserId::new(2)), 1)]);
    let mut follower = Follower::new(LEEWAY);
    let before = Revocations { at: 2_000, ..message(&all, 1, 2, 0) };
    follower.take(&Revocations { at: 1_999, ..message(&all, 0, 1, 0) }, 3_000);
    assert_eq!(follower.take(&before, 3_000), Step::Current);
    assert_eq!(
        follower.take(&Revocations { at: 3_000, ..message(&all, 1, 1, 0) }, 3_000),
        Step::Gap,
        "news cannot tell"
    );
    assert_eq!(follower.take(&Revocations { at: 3_000, ..message(&all, 0, 1, 0) }, 3_000), Step::Current);
    assert_eq!((follower.take(&before, 3_000), follower.seq()), (Step::Old, 1));
}

#[test]
fn who_is_told_of_others_than_before_begins_with_a_snapshot() {
    let all = entries(&[(Revoked::User(UserId::new(1)), 1), (Revoked::User(UserId::new(2)), 1)]);
    let told_of = |only, after, later| Revocations { only, ..message(&all, after, 2, later) };
    let (one, other) = (Some(OrgId::new(1)), Some(OrgId::new(2)));
    for (before, now) in [(one, other), (one, None), (None, one)] {
        let mut follower = Follower::new(LEEWAY);
        assert_eq!(follower.take(&told_of(before, 0, 0), START), Step::Current);
        assert_eq!(follower.take(&told_of(now, 2, 1), START), Step::Gap, "what came before was never told");
        assert_eq!(follower.only(), before);
        assert_eq!(follower.take(&told_of(now, 0, 2), START), Step::Current);
        assert_eq!(follower.take(&told_of(now, 2, 3), START), Step::Current);
        assert_eq!(follower.only(), now);
    }
}

#[test]
fn a_clock_that_was_ahead_and_went_back_makes_a_snapshot_needed() {
    let all = entries(&[(Revoked::Organization(OrgId::new(1)), 1)]);
    let refused = |follower: &Follower| PROBES.iter().filter(|claims| follower.refuses(claims)).count();
    let mut follower = Follower::new(LEEWAY);
    assert_eq!(follower.take(&message(&all, 0, 1, 0), START), Step::Current);
    let before = refused(&follower);
    let ahead = START + i64::from(KEEP) * 10;
    assert_eq!(follower.take(&message(&all, 1, 1, 1), ahead), Step::Current);
    assert_eq!((before > 0, refused(&follower)), (true, 0), "by that clock no token can be that old");
    assert_eq!(follower.take(&message(&all, 1, 1, 2), START), Step::Gap);
    assert_eq!(follower.take(&message(&all, 0, 1, 3), START), Step::Current);
    assert_eq!(refused(&follower), before);
    assert_eq!(follower.take(&message(&all, 1, 1, 4), START), Step::Current);
}

#[test]
fn what_is_signed_far_ahead_counts_and_makes_nothing_else_look_old() {
    let all = entries(&[(Revoked::Organization(OrgId::new(1)), 1)]);
    let mut follower = Follower::new(LEEWAY);
    assert_eq!(follower.take(&message(&all, 0, 0, 0), START), Step::Current);
    assert_eq!(follower.take(&message(&all, 0, 1, 3_600), START), Step::Old, "no sign of life");
    assert!(PROBES.iter().any(|claims| follower.refuses(claims)));
    assert_eq!(follower.take(&message(&all, 0, 1, 1), START), Step::Current);
}

#[test]
fn tokens_from_before_what_is_told_are_beyond_its_reach() {
    let all = entries(&[(Revoked::User(UserId::new(1)), 1)]);
    let mut follower = Follower::new(LEEWAY);
    let probe = PROBES.first().unwrap();
    let made = probe.issued_at.unwrap();
    assert!(follower.reaches(probe, made + 1_000_000), "nothing is known of the reach yet");
    follower.take(&message(&all, 0, 1, 0), START);
    let last = made + i64::from(KEEP + LEEWAY);
    assert!(follower.reaches(probe, last) && !follower.reaches(probe, last + 1));
    let mut nobody_knows_when = probe.clone();
    nobody_knows_when.issued_at = None;
    assert!(!follower.reaches(&nobody_knows_when, made));
}
