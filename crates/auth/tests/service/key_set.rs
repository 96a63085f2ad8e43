//! The life of the keys that tokens are signed with: made, rotated, retired, revoked, by several replicas at once.

use std::time::Duration;

use serde_json::Value;
use sme_pulse_auth::{
    AccessError,
    service::KeySetError,
    token::{Algorithm, TokenError},
};
use sme_pulse_domain::signing_key::{KeyRecord, KeyState};
use sme_pulse_testing::on_both_databases;

use crate::support::{Office, Replica, eventually};

const MINUTE: Duration = Duration::from_mins(1);
/// The longest life of a token, and what is added for clocks.
const A_DAY: Duration = Duration::from_mins(24 * 60 + 5);

/// The keys of the set in this state.
async fn keys(replica: &Replica, state: KeyState) -> Vec<KeyRecord> {
    let all = replica.auth.key_set().list().await.unwrap();
    all.into_iter().filter(|key| key.state == state && !key.is_shared_secret()).collect()
}

async fn kid(replica: &Replica, state: KeyState) -> String {
    keys(replica, state).await[0].kid.clone()
}

/// The name in a token's header.
fn named(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header).unwrap();
    let header: Value = serde_json::from_slice(&bytes).unwrap();
    header["kid"].as_str().unwrap_or_default().to_owned()
}

async fn published(replica: &Replica) -> Vec<String> {
    let set: Value = serde_json::from_str(&replica.auth.published_keys().await.unwrap()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn is_refused(replica: &Replica, token: &str) -> bool {
    let answer = replica.auth.authenticate(token).await;
    matches!(answer, Err(AccessError::InvalidToken(TokenError::UnknownKey | TokenError::WrongAlgorithm)))
}

/// A token with this name of a key, and nothing genuine about it.
fn unknown(number: usize) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"unknown-{number}"}}"#);
    let header = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header);
    format!("{header}.e30.AAAA")
}

on_both_databases! {
    async fn replicas_that_start_together_make_one_key_that_signs_and_one_that_waits(office: Office) {
        let (one, other) = tokio::join!(office.signing_with(4, Algorithm::EdDsa), office.signing_with(5, Algorithm::EdDsa));
        let (current, next) = (kid(&one, KeyState::Current).await, kid(&one, KeyState::Next).await);
        assert_eq!(one.auth.key_set().list().await.unwrap().len(), 3, "and the row of the shared secret");
        for replica in [&one, &other] {
            let token = replica.token().await;
            assert_eq!(named(&token), current);
            one.auth.authenticate(&token).await.unwrap();
            other.auth.authenticate(&token).await.unwrap();
            assert_eq!(published(replica).await.len(), 2);
        }
        assert!(published(&one).await.contains(&next));
    }

    async fn a_key_is_published_then_signs_then_verifies_then_is_gone(office: Office) {
        let replica = office.signing_with(4, Algorithm::Es256).await;
        let keys_of = replica.auth.key_set();
        let (first, second) = (kid(&replica, KeyState::Current).await, kid(&replica, KeyState::Next).await);
        let old = replica.token().await;
        assert!(matches!(keys_of.rotate(false).await, Err(KeySetError::TooYoung { seconds: 60 })));
        replica.clock.advance(MINUTE);
        keys_of.rotate(false).await.unwrap();
        replica.auth.reload_keys().await.unwrap();

        assert_eq!((kid(&replica, KeyState::Current).await, kid(&replica, KeyState::Retired).await), (second.clone(), first.clone()));
        assert!(keys(&replica, KeyState::Retired).await[0].sealed.is_none(), "its private half is not needed any more");
        assert_eq!(named(&replica.token().await), second);
        replica.auth.authenticate(&old).await.unwrap();
        assert_eq!(published(&replica).await.len(), 3);

        replica.clock.advance(A_DAY);
        assert!(is_refused(&replica, &old).await);
        assert!(!published(&replica).await.contains(&first));
        assert_eq!(keys(&replica, KeyState::Retired).await.len(), 1, "shown for a while");
        replica.clock.advance(Duration::from_hours(7 * 24 + 1));
        replica.auth.remove_expired().await.unwrap();
        assert!(keys(&replica, KeyState::Retired).await.is_empty());
        assert_eq!(replica.auth.key_set().list().await.unwrap().len(), 3, "those in use and the shared secret's row stay");
    }

    async fn of_two_rotations_at_once_the_second_finds_a_key_too_young(office: Office) {
        let here = office.signing_with(4, Algorithm::EdDsa).await;
        let there = office.signing_with(5, Algorithm::EdDsa).await;
        let token = here.token().await;
        for replica in [&here, &there] {
            replica.clock.advance(MINUTE);
        }
        let (one, other) = tokio::join!(here.auth.key_set().rotate(false), there.auth.key_set().rotate(false));
        let done = [one, other];
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
        assert!(done.iter().any(|done| matches!(done, Err(KeySetError::TooYoung { .. }))));
        // Asked for both, both are done, one after the other.
        let (one, other) = tokio::join!(here.auth.key_set().rotate(true), there.auth.key_set().rotate(true));
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(keys(&here, KeyState::Retired).await.len(), 3);
        let newest = kid(&here, KeyState::Current).await;
        for replica in [&here, &there] {
            eventually("the newest key signs", || async { named(&replica.token().await) == newest }).await;
            replica.auth.authenticate(&token).await.unwrap();
        }
    }

    async fn a_token_of_a_key_that_nobody_has_told_of_yet_is_accepted_all_the_same(office: Office) {
        let here = office.signing_with(4, Algorithm::EdDsa).await;
        let there = office.signing_with(5, Algorithm::EdDsa).await;
        for round in 0..10 {
            // Revoking the key that waits and rotating to the one made in its place leaves no time to learn of it.
            here.auth.key_set().revoke(&kid(&here, KeyState::Next).await).await.unwrap();
            here.auth.key_set().rotate(true).await.unwrap();
            here.auth.reload_keys().await.unwrap();
            let token = here.token().await;
            there.clock.advance(Duration::from_secs(1));
            assert!(there.auth.authenticate(&token).await.is_ok(), "{round}");
        }
    }

    async fn a_revoked_key_is_refused_by_the_next_request_here_and_within_a_second_elsewhere(office: Office) {
        let here = office.signing_with(4, Algorithm::EdDsa).await;
        let there = office.signing_with(5, Algorithm::EdDsa).await;
        let (first, second) = (kid(&here, KeyState::Current).await, kid(&here, KeyState::Next).await);
        let token = here.token().await;
        for replica in [&here, &there] {
            replica.auth.authenticate(&token).await.unwrap();
        }
        here.auth.key_set().revoke(&first).await.unwrap();
        here.auth.reload_keys().await.unwrap();
        assert!(is_refused(&here, &token).await, "though its signature was found good before");
        eventually("it is refused over there too", || is_refused(&there, &token)).await;

        assert_eq!(kid(&here, KeyState::Current).await, second, "the next one signs at once");
        assert!(!published(&here).await.contains(&first) && published(&here).await.len() == 2);
        let revoked = &keys(&here, KeyState::Revoked).await[0];
        assert!(revoked.sealed.is_none() && revoked.kid == first);
        assert_eq!(office.texts("SELECT kid FROM auth.revocations WHERE kind = 'key'").await, [first]);
        let token = there.token().await;
        here.auth.authenticate(&token).await.unwrap();
    }

    async fn keys_refuse_what_would_leave_nobody_to_sign(office: Office) {
        let replica = office.signing_with(4, Algorithm::EdDsa).await;
        let set = replica.auth.key_set();
        let (current, next) = (kid(&replica, KeyState::Current).await, kid(&replica, KeyState::Next).await);
        assert!(matches!(set.retire(&current).await, Err(KeySetError::Signs(kid)) if kid == current));
        assert!(matches!(set.generate(Algorithm::EdDsa).await, Err(KeySetError::NextExists(kid)) if kid == next));
        assert!(matches!(set.generate(Algorithm::Hs256).await, Err(KeySetError::WrongKind)));
        assert!(matches!(set.retire("nobody").await, Err(KeySetError::Unknown(_))));
        assert!(matches!(set.revoke("' OR 1=1").await, Err(KeySetError::Unknown(_))));
        set.retire(&next).await.unwrap();
        assert_ne!(kid(&replica, KeyState::Next).await, next, "another one waits in its place");
        assert!(matches!(set.retire(&next).await, Err(KeySetError::Over { state: KeyState::Retired, .. })));
        set.revoke(&next).await.unwrap();
        assert!(matches!(set.revoke(&next).await, Err(KeySetError::Over { state: KeyState::Revoked, .. })));
        assert_eq!(kid(&replica, KeyState::Current).await, current);
    }

    async fn one_of_many_replicas_rotates_when_it_is_time(office: Office) {
        let here = office.signing_with(4, Algorithm::EdDsa).await;
        let there = office.signing_with(5, Algorithm::EdDsa).await;
        for replica in [&here, &there] {
            replica.clock.advance(Duration::from_hours(89 * 24));
            replica.auth.maintain_keys().await.unwrap();
        }
        assert!(keys(&here, KeyState::Retired).await.is_empty());
        for replica in [&here, &there] {
            replica.clock.advance(Duration::from_hours(24));
        }
        let (one, other) = tokio::join!(here.auth.maintain_keys(), there.auth.maintain_keys());
        one.unwrap();
        other.unwrap();
        assert_eq!(keys(&here, KeyState::Retired).await.len(), 1);
    }

    async fn a_thousand_unknown_keys_cause_one_read_a_second(office: Office) {
        let replica = office.signing_with(4, Algorithm::EdDsa).await;
        for number in 0..1_000 {
            assert!(is_refused(&replica, &unknown(number)).await);
        }
        assert_eq!(replica.auth.unknown_key_reads(), 1);
        replica.clock.advance(Duration::from_secs(1));
        for number in 0..10 {
            assert!(is_refused(&replica, &unknown(number)).await);
        }
        assert_eq!(replica.auth.unknown_key_reads(), 2);
    }

    async fn every_change_is_in_the_trail_outside_any_organization(office: Office) {
        let replica = office.signing_with(4, Algorithm::EdDsa).await;
        let set = replica.auth.key_set();
        set.rotate(true).await.unwrap();
        set.retire(&kid(&replica, KeyState::Next).await).await.unwrap();
        set.revoke(&kid(&replica, KeyState::Retired).await).await.unwrap();
        let actions = "SELECT action FROM auth.audit_log WHERE org_id IS NULL ORDER BY seq";
        let expected = [
            "key.generated", "key.generated", "key.rotated", "key.generated", "key.retired", "key.generated", "key.revoked",
        ];
        assert_eq!(office.texts(actions).await, expected);
        assert_eq!(replica.auth.sign_checkpoints().await.unwrap(), Some(2), "the chain is whole, as that of the seeds");
    }
}
