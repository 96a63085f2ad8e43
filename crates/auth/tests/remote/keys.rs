//! Keys: fetched once for everybody, before they are needed, and kept through an outage.

use std::time::Duration;

use sme_pulse_auth::{
    remote::FeedLoss,
    testing::Issuer,
    token::{Algorithm, KeyRing, TokenError, Undecided, VerifyError},
};
use tokio::task::JoinSet;

use crate::fake::{Answer, Fake};

const UNKNOWN: Result<(), VerifyError> = Err(VerifyError::Refused(TokenError::UnknownKey));
const COOL_DOWN: Duration = Duration::from_secs(10);

/// Names a key that nobody has.
fn forged(number: usize) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"EdDSA","kid":"unknown-{number}"}}"#));
    format!("{header}.e30.AAAA")
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_published_key_are_accepted_without_asking_again() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let fake = Fake::of(Issuer::signing_with(algorithm)).await;
        let verifier = fake.verifier().await;
        for user in 1..50 {
            let token = fake.issuer.token().user(user).mint();
            assert_eq!(verifier.verify(&token).unwrap().user.get(), user);
        }
        assert_eq!(fake.seen().keys, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_unknown_keys_cause_one_fetch() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    fake.issuer.clock().advance(COOL_DOWN);
    let mut callers = JoinSet::new();
    for number in 0..1_000 {
        let verifier = verifier.clone();
        callers.spawn(async move { verifier.verify_fresh(&forged(number)).await.map(drop) });
    }
    assert!(callers.join_all().await.into_iter().all(|verdict| verdict == UNKNOWN));
    for number in 0..1_000 {
        assert_eq!(verifier.verify_fresh(&forged(number)).await.map(drop), UNKNOWN);
        assert_eq!(verifier.verify(&forged(number)).map(drop), UNKNOWN);
    }
    assert_eq!(fake.seen().keys, 2, "one at the start and one for all of them");
    fake.issuer.clock().advance(COOL_DOWN);
    assert_eq!(verifier.verify_fresh(&forged(1)).await.map(drop), UNKNOWN);
    assert_eq!(fake.seen().keys, 3);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_callers_wait_for_one_fetch() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    fake.issuer.clock().advance(COOL_DOWN);
    fake.answer(Answer::Later);
    fake.issuer.rotate();
    let mut callers = JoinSet::new();
    for user in 1..=500 {
        let (verifier, token) = (verifier.clone(), fake.issuer.token().user(user).mint());
        callers.spawn(async move { verifier.verify_fresh(&token).await.unwrap().user.get() });
    }
    fake.until(|seen| seen.keys == 2).await;
    fake.release();
    let mut users = callers.join_all().await;
    users.sort_unstable();
    assert_eq!(users, (1..=500).collect::<Vec<_>>());
    assert_eq!(fake.seen().keys, 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_does_not_wait_has_the_keys_fetched_in_the_background() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    fake.issuer.clock().advance(COOL_DOWN);
    fake.issuer.rotate();
    let token = fake.issuer.token().mint();
    assert_eq!(verifier.verify(&token).map(drop), UNKNOWN);
    verifier.until(|status| status.keys.fetches == 2).await;
    assert!(verifier.verify(&token).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rotation_fails_no_verification_when_the_next_key_is_published_first() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    for round in 2..30 {
        let before = fake.issuer.token().mint();
        fake.issuer.publish_next();
        fake.pass(Duration::from_secs(61)).await;
        verifier.until(|status| status.keys.fetches == round).await;
        fake.issuer.rotate();
        let after = fake.issuer.token().mint();
        for token in [before, after] {
            assert!(verifier.verify(&token).is_ok(), "round {round}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn old_keys_serve_while_new_ones_are_fetched_in_the_background() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    fake.answer(Answer::Later);
    fake.pass(Duration::from_secs(61)).await;
    fake.until(|seen| seen.keys == 2).await;
    assert!(verifier.verify(&fake.issuer.token().mint()).is_ok());
    assert!(verifier.verify_fresh(&fake.issuer.token().mint()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_published_no_more_counts_no_more() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    let token = fake.issuer.token().mint();
    fake.issuer.rotate();
    fake.issuer.forget_retired();
    fake.pass(Duration::from_secs(61)).await;
    verifier.until(|status| status.keys.fetches == 2).await;
    assert_eq!(verifier.verify(&token).map(drop), UNKNOWN);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_an_hour_is_borne_for_a_day_but_not_for_half_an_hour() {
    let fake = Fake::start().await;
    let patient = fake.verifier().await;
    let hasty = fake.verifier_by(fake.remote().outage(Duration::from_mins(30))).await;
    fake.answer(Answer::Bytes(Vec::new()));
    for _ in 0..60 {
        fake.pass(Duration::from_mins(1)).await;
        let token = fake.issuer.token().mint();
        let minutes = (fake.issuer.clock().seconds() - 1_700_000_000) / 60;
        assert!(patient.verify(&token).is_ok() && patient.verify_fresh(&token).await.is_ok(), "minute {minutes}");
        let verdict = hasty.verify_fresh(&token).await.map(drop);
        let expected = if minutes <= 30 { Ok(()) } else { Err(Undecided::KeysTooOld.into()) };
        assert_eq!(verdict, expected, "minute {minutes}");
    }
    patient.until(|status| status.keys.failures > 0).await;
    fake.answer(Answer::Keys);
    fake.issuer.clock().advance(COOL_DOWN);
    assert!(hasty.verify_fresh(&fake.issuer.token().mint()).await.is_ok(), "back as soon as the issuer is");
}

#[tokio::test(start_paused = true)]
async fn keys_grow_old_by_either_clock() {
    let fake = Fake::start().await;
    let verifier = fake.verifier_by(fake.remote().outage(Duration::from_mins(30))).await;
    fake.answer(Answer::Bytes(Vec::new()));
    let start = fake.issuer.clock().seconds();
    fake.issuer.clock().set(start + 2_000); // the machine has slept
    let old: Result<(), VerifyError> = Err(Undecided::KeysTooOld.into());
    assert_eq!(verifier.verify(&fake.issuer.token().mint()).map(drop), old);
    fake.issuer.clock().set(start);
    fake.issuer.clock().advance(Duration::from_secs(2_000));
    fake.issuer.clock().set(start); // the wall clock was set back
    assert_eq!(verifier.verify(&fake.issuer.token().mint()).map(drop), old);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_keys_nothing_is_decided_and_nobody_is_let_in() {
    let fake = Fake::start().await;
    fake.answer(Answer::Bytes(Vec::new()));
    let verifier = fake.issuer.verifier_builder().remote(fake.remote()).build().unwrap();
    let token = fake.issuer.token().mint();
    let unavailable: Result<(), VerifyError> = Err(Undecided::KeysUnavailable.into());
    assert_eq!(verifier.verify(&token).map(drop), unavailable);
    assert_eq!(verifier.verify_fresh(&token).await.map(drop), unavailable);
    assert_eq!(verifier.verify("not.a.token").map(drop), Err(TokenError::Malformed.into()), "that needs no key");
    fake.answer(Answer::Keys);
    fake.issuer.clock().advance(COOL_DOWN);
    assert!(verifier.verify_fresh(&token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn given_keys_grow_no_older_and_are_not_replaced_by_published_ones() {
    let fake = Fake::start().await;
    let own = Issuer::new();
    let builder = fake.issuer.verifier_builder().keys(&own.keys()).remote(fake.remote().outage(Duration::from_mins(1)));
    let verifier = builder.build().unwrap();
    assert!(verifier.ready().await);
    fake.answer(Answer::Bytes(Vec::new()));
    fake.pass(Duration::from_mins(2)).await;
    let token = fake.issuer.token().signed_by(own.signer()).mint();
    assert!(verifier.verify(&token).is_ok());
    assert_eq!(verifier.verify(&fake.issuer.token().mint()).map(drop), Err(Undecided::KeysTooOld.into()));
    verifier.replace_keys(KeyRing::default());
    assert!(verifier.verify(&token).is_err());
}

#[tokio::test(start_paused = true)]
async fn the_work_ends_with_the_last_clone() {
    let fake = Fake::start().await;
    let verifier = fake.follower(sme_pulse_auth::remote::FeedLoss::GoOn).await;
    let clone = verifier.clone();
    drop(verifier);
    assert!(clone.verify(&fake.issuer.token().mint()).is_ok());
    assert_eq!(fake.seen().left, 0);
    drop(clone);
    fake.until(|seen| seen.left == 1).await;
    let keys = fake.seen().keys;
    fake.pass(Duration::from_mins(10)).await;
    tokio::task::yield_now().await;
    assert_eq!(fake.seen().keys, keys);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_signs_before_it_was_published_is_waited_for_during_the_cool_down() {
    let fake = Fake::start().await;
    let verifier = fake.follower(FeedLoss::GoOn).await;
    for round in 2..12 {
        // No time passes, so nobody's unknown key makes the keys be fetched.
        fake.issuer.rotate();
        let token = fake.issuer.token().mint();
        let asking = tokio::spawn({
            let verifier = verifier.clone();
            async move { verifier.verify_fresh(&token).await.map(drop) }
        });
        fake.pass(Duration::from_millis(10)).await;
        fake.send_after(0);
        assert_eq!(asking.await.unwrap(), Ok(()));
        assert_eq!(fake.seen().keys, round, "fetched because the issuer has spoken with the new key");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_of_nobody_is_refused_once_the_issuer_has_spoken_and_undecided_while_it_is_silent() {
    let fake = Fake::start().await;
    let verifier = fake.follower(FeedLoss::GoOn).await;
    let token = Issuer::new().token().mint();
    let ask = || {
        tokio::spawn({
            let (verifier, token) = (verifier.clone(), token.clone());
            async move { verifier.verify_fresh(&token).await.map(drop) }
        })
    };
    let asking = ask();
    while !asking.is_finished() {
        fake.pass(Duration::from_millis(10)).await;
        fake.send_after(0);
        tokio::task::spawn_blocking(|| {}).await.unwrap();
    }
    assert_eq!(asking.await.unwrap(), UNKNOWN);
    let asking = ask();
    while !asking.is_finished() {
        fake.pass(Duration::from_millis(100)).await;
        tokio::task::spawn_blocking(|| {}).await.unwrap();
    }
    assert_eq!(asking.await.unwrap(), Err(Undecided::KeysUnavailable.into()));
    assert_eq!(fake.seen().keys, 1, "no fetch for it");
}
