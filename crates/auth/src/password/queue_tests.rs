//! Who goes first, who has to go, and that nobody is lost.

use proptest::prelude::*;
use sme_pulse_domain::ids::OrgId;

use super::*;

const TURN: Duration = Duration::from_secs(5);

fn stranger(client: u32, org: i64) -> Applicant {
    Applicant {
        standing: Standing::Stranger,
        network: Some(Network::V4(client)),
        lane: Some(Lane::Organization(OrgId::new(org))),
    }
}

fn proven(client: u32, org: i64) -> Applicant {
    Applicant { standing: Standing::Proven, ..stranger(client, org) }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A queue of so many places in which these wait, in this order. What is waited for is their place in the list.
fn filled(places: usize, applicants: impl IntoIterator<Item = Applicant>) -> FairQueue<usize> {
    let mut queue = FairQueue::new(places, TURN);
    for (item, applicant) in applicants.into_iter().enumerate() {
        assert!(matches!(queue.push(applicant, at(0), item), Arrival::Waits(_)), "{item}");
    }
    queue
}

fn order(queue: &mut FairQueue<usize>, now: Duration) -> Vec<usize> {
    std::iter::from_fn(|| queue.pop(now)).map(|next| next.item).collect()
}

/// What the arrival of one more did: who had to go, or nothing, or a refusal.
fn displaced(queue: &mut FairQueue<usize>, applicant: Applicant) -> Result<Option<usize>, ()> {
    let hopeless = queue.is_hopeless_for(applicant);
    let done = match queue.push(applicant, at(0), usize::MAX) {
        Arrival::Waits(_) => Ok(None),
        Arrival::Replaces(_, gone) => Ok(Some(gone.item)),
        Arrival::Refused(_) => Err(()),
    };
    assert_eq!(hopeless, done.is_err());
    done
}

#[test]
fn those_without_a_turn_go_in_the_order_they_came() {
    let mut queue = filled(8, (0..5).map(|number| stranger(number, number.into())));
    assert_eq!(order(&mut queue, at(1)), [0, 1, 2, 3, 4]);
}

#[test]
fn turns_go_round_between_clients_and_between_organizations() {
    let (noisy, quiet, other) = (stranger(1, 1), stranger(2, 2), stranger(3, 3));
    let mut queue = filled(16, [noisy, noisy, noisy, noisy, quiet, other, quiet]);
    assert_eq!(order(&mut queue, at(1))[..3], [0, 4, 5]);
    // The same organization from ever other clients, and the same client for ever other organizations.
    let mut queue = filled(16, [stranger(1, 1), stranger(2, 1), stranger(3, 1), stranger(9, 9)]);
    assert_eq!(order(&mut queue, at(1)), [0, 3, 1, 2]);
    let mut queue = filled(16, [stranger(1, 1), stranger(1, 2), stranger(1, 3), stranger(9, 9)]);
    assert_eq!(order(&mut queue, at(1)), [0, 3, 1, 2]);
}

#[test]
fn in_a_crowded_organization_clients_without_a_turn_go_first() {
    let mut queue = filled(16, [stranger(1, 1), stranger(1, 1), stranger(2, 1)]);
    assert_eq!(order(&mut queue, at(1)), [0, 2, 1]);
}

#[test]
fn a_turn_counts_for_a_while_and_not_for_ever() {
    let mut queue = filled(16, [stranger(1, 1)]);
    let _ = queue.pop(at(10)).unwrap();
    let again = |queue: &mut FairQueue<usize>, since, item| queue.push(stranger(1, 1), at(since), item);
    let fresh = |queue: &mut FairQueue<usize>, since, item| queue.push(stranger(2, 2), at(since), item);
    let _ = (again(&mut queue, 11, 1), fresh(&mut queue, 14, 2));
    assert_eq!(queue.pop(at(14)).unwrap().item, 2);
    // Whoever comes later than the turn counts is behind.
    let _ = queue.push(stranger(3, 3), at(16), 3);
    assert_eq!(order(&mut queue, at(16)), [1, 3]);
    assert!(queue.served.len() <= 6);
}

#[test]
fn the_newest_of_the_source_with_most_places_goes_for_somebody_with_fewer() {
    let flood = || (0..4).map(|_| stranger(1, 1));
    assert_eq!(displaced(&mut filled(4, flood()), stranger(2, 2)), Ok(Some(3)));
    assert_eq!(displaced(&mut filled(4, flood()), stranger(1, 1)), Err(()));
    assert_eq!(displaced(&mut filled(4, flood()), stranger(1, 2)), Err(()), "the client is the same");
    assert_eq!(displaced(&mut filled(4, flood()), stranger(2, 1)), Err(()), "the organization is the same");
    let from_everywhere = || (0..4).map(|client| stranger(client, 1));
    assert_eq!(displaced(&mut filled(4, from_everywhere()), stranger(9, 2)), Ok(Some(3)));
    assert_eq!(displaced(&mut filled(4, from_everywhere()), stranger(9, 1)), Err(()));
    let each_for_itself = || (0..4).map(|number| stranger(number, number.into()));
    assert_eq!(displaced(&mut filled(4, each_for_itself()), stranger(9, 9)), Err(()));
}

#[test]
fn before_the_organization_is_known_only_the_client_counts() {
    let unknown = Applicant { lane: None, ..stranger(1, 1) };
    let flood = filled(4, (0..4).map(|_| stranger(1, 1)));
    assert!(flood.is_hopeless_for(unknown));
    assert!(!flood.is_hopeless_for(Applicant { network: Some(Network::V4(2)), ..unknown }));
}

#[test]
fn who_has_proved_something_goes_first_but_every_fourth_turn_is_a_strangers() {
    let people = (0..4).map(|number| stranger(number, number.into()));
    let mut queue = filled(32, people.chain((10..18).map(|number| proven(number, number.into()))));
    assert_eq!(order(&mut queue, at(1)), [4, 5, 6, 0, 7, 8, 9, 1, 10, 11, 2, 3]);
}

#[test]
fn who_has_proved_something_takes_the_place_of_a_stranger_but_never_the_last_ones() {
    let mut queue = filled(8, (0..8).map(|number| stranger(number, number.into())));
    for number in 0..6 {
        let gone = displaced(&mut queue, proven(100 + number, 0)).unwrap();
        assert_eq!(gone, Some(7 - usize::try_from(number).unwrap()));
    }
    assert_eq!(displaced(&mut queue, proven(200, 0)), Err(()), "two places are strangers'");
    assert_eq!((queue.waiting(Standing::Proven), queue.waiting(Standing::Stranger)), (6, 2));
    // Among themselves they are as fair as strangers are.
    assert_eq!(displaced(&mut queue, proven(200, 1)), Ok(Some(usize::MAX)));
    assert_eq!(displaced(&mut queue, stranger(1, 1)), Err(()), "a stranger never takes a place of theirs");
}

#[test]
fn who_waits_too_long_or_goes_away_leaves_the_place() {
    let mut queue = filled(2, [stranger(1, 1)]);
    let Arrival::Waits(id) = queue.push(stranger(2, 2), at(4), 1) else { panic!("refused") };
    assert_eq!(queue.expire(at(10), at(11)).into_iter().map(|one| one.item).collect::<Vec<_>>(), [0]);
    assert_eq!(queue.remove(id).map(|one| one.item), Some(1));
    assert!(queue.remove(id).is_none() && queue.pop(at(11)).is_none());
}

/// One client, or one organization from ever new clients, asks ten times for every hash that can be computed.
#[test]
fn a_flood_costs_others_neither_their_place_nor_their_turn() {
    for many_clients in [false, true] {
        let mut queue = FairQueue::new(16, TURN);
        let (mut clients, mut now) = (1_000_000, Duration::ZERO);
        for round in 0_u32..400 {
            for _ in 0..10 {
                clients += u32::from(many_clients);
                let _ = queue.push(stranger(clients, 1), now, None);
            }
            // Six people of three other organizations in each 16 turns.
            if round % 3 == 0 {
                let number = round / 3;
                let arrival = queue.push(stranger(number % 100, 2 + i64::from(number % 3)), now, Some(round));
                assert!(!matches!(arrival, Arrival::Refused(_)), "{round}");
            }
            now += Duration::from_millis(300);
            let served = queue.pop(now).unwrap();
            if let Some(came) = served.item {
                assert!(round - came <= 6, "{came} waited until {round}");
            }
        }
        let left = queue.waiting.iter().filter_map(|one| one.item).min();
        assert!(left.is_none_or(|came| came > 390), "{left:?}");
    }
}

proptest! {
    /// Whatever comes, everybody who was given a place leaves the queue in exactly one way, and its bounds hold.
    #[test]
    fn nobody_is_lost_and_no_bound_is_passed(
        places in 1_usize..12,
        steps in prop::collection::vec((0_u8..6, any::<bool>(), 0_u32..5, 0_i64..4), 1..200),
    ) {
        let mut queue = FairQueue::new(places, TURN);
        let (mut inside, mut next) = (std::collections::BTreeSet::new(), 0_u32);
        for (number, (step, known, client, org)) in steps.into_iter().enumerate() {
            let now = Duration::from_millis(300 * u64::try_from(number).unwrap());
            match step {
                0 => if let Some(one) = queue.pop(now) {
                    prop_assert!(inside.remove(&one.item));
                },
                1 => for one in queue.expire(at(10), now) {
                    prop_assert!(inside.remove(&one.item));
                },
                _ => {
                    next += 1;
                    let applicant = if known { proven(client, org) } else { stranger(client, org) };
                    let hopeless = queue.is_hopeless_for(applicant);
                    match queue.push(applicant, now, next) {
                        Arrival::Waits(_) => prop_assert!(inside.insert(next)),
                        Arrival::Replaces(_, gone) => {
                            prop_assert!(inside.insert(next) && inside.remove(&gone.item));
                            prop_assert!(known || gone.applicant.standing == Standing::Stranger);
                        }
                        Arrival::Refused(_) => prop_assert!(hopeless),
                    }
                }
            }
            prop_assert!(inside.len() <= places && queue.waiting.len() == inside.len());
            prop_assert!(queue.waiting(Standing::Proven) <= places - places / 4);
            prop_assert!(queue.served.len() <= 2 * (number + 1));
        }
        while let Some(one) = queue.pop(at(1_000)) {
            prop_assert!(inside.remove(&one.item));
        }
        prop_assert!(inside.is_empty());
    }
}
