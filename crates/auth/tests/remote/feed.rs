//! The feed of revocations: what it tells counts at once, and what happens when it is silent is the service's choice.

use std::time::Duration;

use sme_pulse_auth::{
    remote::FeedLoss,
    revocation::{Revocations, Revoked},
    token::{Algorithm, Signer, TokenError, Undecided, Verifier, VerifyError},
};
use sme_pulse_domain::ids::{OrgId, UserId};

use crate::fake::{CREDENTIAL, Fake, Feed};

const REVOKED: Result<(), VerifyError> = Err(VerifyError::Refused(TokenError::Revoked));
const LOST: Result<(), VerifyError> = Err(VerifyError::Undecided(Undecided::FeedLost));
const TEN: FeedLoss = FeedLoss::RefuseAfter(Duration::from_secs(10));

fn verdict(verifier: &Verifier, token: &str) -> Result<(), VerifyError> {
    verifier.verify(token).map(drop)
}

async fn messages(verifier: &Verifier, count: u64) {
    assert!(verifier.until(|status| status.feed.as_ref().unwrap().messages >= count).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_counts_as_soon_as_it_is_told() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let cases = [
        ("session", Revoked::Session(fake.issuer.token().session_id())),
        ("user", Revoked::User(UserId::new(7))),
        ("member", Revoked::Member(UserId::new(8), OrgId::new(3))),
        ("organization", Revoked::Organization(OrgId::new(4))),
    ];
    for (count, (case, what)) in (2..).zip(cases) {
        let mint = || match &what {
            Revoked::Session(id) => fake.issuer.token().session(*id).mint(),
            Revoked::User(user) => fake.issuer.token().user(user.get()).mint(),
            Revoked::Member(user, org) => fake.issuer.token().user(user.get()).org(org.get()).mint(),
            Revoked::Organization(org) => fake.issuer.token().org(org.get()).mint(),
            Revoked::Key(_) => unreachable!(),
        };
        let (before, other) = (mint(), fake.issuer.token().user(9).org(9).mint());
        assert_eq!(verdict(&verifier, &before), Ok(()), "{case}");
        fake.issuer.revoke(what.clone());
        fake.send_after(fake.issuer.seq() - 1);
        messages(&verifier, count).await;
        assert_eq!(verdict(&verifier, &before), REVOKED, "{case}");
        assert_eq!(verdict(&verifier, &other), Ok(()), "{case}: others are not concerned");
        let after = mint();
        let expected = if matches!(what, Revoked::Session(_)) { REVOKED } else { Ok(()) };
        assert_eq!(verdict(&verifier, &after), expected, "{case}: made after it");
    }
    let member_elsewhere = fake.issuer.token().user(8).org(5).position(0).mint();
    assert_eq!(verdict(&verifier, &member_elsewhere), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_before_is_in_the_snapshot() {
    let fake = Fake::start().await;
    let token = fake.issuer.token().user(7).mint();
    fake.issuer.revoke(Revoked::User(UserId::new(7)));
    let verifier = fake.follower(TEN).await;
    assert_eq!(verdict(&verifier, &token), REVOKED);
    assert_eq!(verdict(&verifier, &fake.issuer.token().user(7).mint()), Ok(()));
    let headers = fake.seen().feeds[0].clone();
    assert_eq!(headers["authorization"], format!("Bearer {CREDENTIAL}"));
    assert_eq!((headers["accept"].as_str(), headers.get("last-event-id")), ("text/event-stream", None));
}

#[tokio::test(start_paused = true)]
async fn after_silence_tokens_are_undecided_or_accepted_as_the_service_has_chosen() {
    let fake = Fake::start().await;
    let strict = fake.follower(TEN).await;
    let lenient = fake.follower(FeedLoss::GoOn).await;
    let revoked = fake.issuer.token().user(7).mint();
    fake.issuer.revoke(Revoked::User(UserId::new(7)));
    fake.send_after(0);
    messages(&strict, 2).await;
    messages(&lenient, 2).await;
    fake.feed(Feed::Bytes(Vec::new()));
    fake.hang_up();
    let token = fake.issuer.token().user(1).mint();
    fake.issuer.clock().advance(Duration::from_secs(10));
    assert_eq!(verdict(&strict, &token), Ok(()));
    fake.issuer.clock().advance(Duration::from_secs(1));
    assert_eq!(verdict(&strict, &token), LOST);
    assert_eq!(verdict(&strict, &revoked), REVOKED, "what is known is known");
    fake.issuer.clock().advance(Duration::from_secs(1_000));
    assert_eq!((verdict(&lenient, &token), verdict(&lenient, &revoked)), (Ok(()), REVOKED));

    fake.feed(Feed::Follow);
    fake.pass_until(&strict, |status| status.feed.as_ref().unwrap().messages >= 3).await;
    assert_eq!(verdict(&strict, &token), Ok(()), "it is back");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_word_of_the_feed_nobody_is_let_in_unless_it_does_not_matter() {
    let fake = Fake::start().await;
    fake.feed(Feed::Silent);
    for (loss, expected) in [(TEN, LOST), (FeedLoss::GoOn, Ok(()))] {
        let remote = fake.remote().follow_revocations(CREDENTIAL, loss);
        let verifier = fake.issuer.verifier_builder().remote(remote).build().unwrap();
        verifier.until(|status| status.keys.fetched_at.is_some()).await;
        assert_eq!(verdict(&verifier, &fake.issuer.token().mint()), expected, "{loss:?}");
        assert!(!verifier.status().unwrap().is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_keep_tokens_accepted() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().mint();
    for count in 2..60 {
        fake.pass(Duration::from_secs(1)).await;
        fake.send_after(0);
        messages(&verifier, count).await;
        assert_eq!(verdict(&verifier, &token), Ok(()), "second {count}");
    }
    assert_eq!(fake.seen().feeds.len(), 1, "over one connection");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_signs_of_life_is_given_up_in_time() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    fake.pass_until(&verifier, |status| status.feed.as_ref().unwrap().connections == 2).await;
    messages(&verifier, 2).await;
    assert!(fake.issuer.clock().seconds() < 1_700_000_010, "before patience has ended");
    let resumed = fake.seen().feeds[1].get("last-event-id").cloned();
    assert_eq!(resumed.as_deref(), Some("0"), "what came since is enough");
}

#[tokio::test(start_paused = true)]
async fn what_arrives_late_is_as_old_as_it_is() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let delayed: Vec<_> = (1..=5)
        .map(|_| {
            fake.issuer.clock().advance(Duration::from_secs(1));
            fake.issuer.signed_message(0)
        })
        .collect();
    let token = fake.issuer.token().mint();
    fake.issuer.clock().advance(Duration::from_mins(1));
    for (count, message) in (2..).zip(delayed) {
        fake.send(&message);
        messages(&verifier, count).await;
        assert_eq!(verdict(&verifier, &token), LOST, "somebody has held it back for a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_counts_no_more_whatever_the_key_set_says() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let stolen = fake.issuer.signer();
    let token = fake.issuer.token().mint();
    fake.issuer.rotate();
    fake.issuer.revoke(Revoked::Key(stolen.key_id().unwrap().clone()));
    let fetched = fake.seen().keys;
    // Signed with a key that nobody here knows yet: it is fetched at once, cool-down or not.
    fake.send_after(0);
    messages(&verifier, 2).await;
    assert!(verifier.verify(&token).is_err());
    fake.until(|seen| seen.keys == fetched + 2).await; // for the message, and because of what it says
    verifier.until(|status| status.keys.fetches == 3).await;
    assert!(fake.issuer.key_set().contains(stolen.key_id().unwrap().as_str()));
    assert!(verifier.verify(&token).is_err(), "though it is still published");
    assert!(verifier.verify(&fake.issuer.token().mint()).is_ok());
    // A message that the thief signs is none.
    let lie = fake.issuer.message(0).seal(&stolen).unwrap();
    fake.issuer.clock().advance(Duration::from_secs(1));
    fake.send(&lie);
    fake.until(|seen| seen.left == 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_shared_secret_can_be_taken_back_like_a_key() {
    let secret = [7; 32];
    let fake = Fake::start().await;
    let remote = fake.remote().follow_revocations(CREDENTIAL, TEN);
    let builder = fake.issuer.verifier_builder().shared_secret(&secret, Algorithm::Hs256).remote(remote);
    let verifier = builder.build().unwrap();
    assert!(verifier.ready().await);
    let signer = Signer::new(&secret, Algorithm::Hs256, "sme-pulse", "sme-pulse-api");
    let token = fake.issuer.token().signed_by(signer).mint();
    assert_eq!(verdict(&verifier, &token), Ok(()));
    fake.issuer.revoke(Revoked::Key(sme_pulse_auth::token::KeyId::parse("shared-secret").unwrap()));
    fake.send_after(0);
    messages(&verifier, 2).await;
    assert!(verifier.verify(&token).is_err());
    verifier.replace_keys(sme_pulse_auth::token::KeyRing::default());
    assert_eq!(verdict(&verifier, &fake.issuer.token().mint()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn who_is_told_of_one_organization_knows_nothing_of_others() {
    let fake = Fake::start().await;
    fake.feed(Feed::Silent);
    for (loss, others) in [(TEN, LOST), (FeedLoss::GoOn, Ok(()))] {
        let remote = fake.remote().follow_revocations(CREDENTIAL, loss);
        let verifier = fake.issuer.verifier_builder().remote(remote).build().unwrap();
        let feeds = fake.seen().feeds.len();
        fake.until(|seen| seen.feeds.len() > feeds).await;
        fake.send(&fake.issuer.sign(&Revocations { only: Some(OrgId::new(3)), ..fake.issuer.message(0) }));
        verifier.ready().await;
        assert_eq!(verdict(&verifier, &fake.issuer.token().org(3).mint()), Ok(()));
        assert_eq!(verdict(&verifier, &fake.issuer.token().org(4).mint()), others, "{loss:?}");
    }
}

/// As where the life of tokens was shortened: what took an old one back is not told any more.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_older_than_what_is_told_counts_no_more() {
    let fake = Fake::start().await;
    let verifier = fake.follower(FeedLoss::GoOn).await;
    let (long, late) = (fake.issuer.token().lives(10 * 86_400).mint(), Duration::from_hours(25));
    assert_eq!(verdict(&verifier, &long), Ok(()));
    fake.issuer.clock().advance(late);
    fake.send_after(0);
    messages(&verifier, 2).await;
    let refused = verifier.verify_fresh(&long).await.map(drop);
    assert_eq!(refused, Err(TokenError::Expired.into()));
    assert_eq!(verdict(&verifier, &fake.issuer.token().mint()), Ok(()));
}
