//! A feed with gaps, replays, lies and broken pieces.

use std::time::Duration;

use sme_pulse_auth::{
    remote::FeedLoss,
    revocation::{Revocations, Revoked},
    testing::Issuer,
    token::{TokenError, Undecided, Verifier, VerifyError},
};
use sme_pulse_domain::ids::UserId;

use crate::fake::{Fake, Feed, event};

const REVOKED: Result<(), VerifyError> = Err(VerifyError::Refused(TokenError::Revoked));
const LOST: Result<(), VerifyError> = Err(VerifyError::Undecided(Undecided::FeedLost));
const TEN: FeedLoss = FeedLoss::RefuseAfter(Duration::from_secs(10));
const SECOND: Duration = Duration::from_secs(1);

fn verdict(verifier: &Verifier, token: &str) -> Result<(), VerifyError> {
    verifier.verify(token).map(drop)
}

async fn messages(verifier: &Verifier, count: u64) {
    assert!(verifier.until(|status| status.feed.as_ref().unwrap().messages >= count).await);
}

async fn connections(fake: &Fake, verifier: &Verifier, count: u64) {
    fake.pass_until(verifier, |status| status.feed.as_ref().unwrap().connections >= count).await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_filled_by_a_snapshot() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let tokens = [7, 8].map(|user| fake.issuer.token().user(user).mint());
    fake.issuer.revoke(Revoked::User(UserId::new(7)));
    fake.issuer.revoke(Revoked::User(UserId::new(8)));
    fake.send_after(1); // number 1 was lost on the way
    messages(&verifier, 2).await;
    assert_eq!(verdict(&verifier, &tokens[1]), REVOKED, "what was told counts at once");
    connections(&fake, &verifier, 2).await;
    messages(&verifier, 3).await;
    assert_eq!(verdict(&verifier, &tokens[0]), REVOKED);
    assert_eq!(fake.seen().feeds[1].get("last-event-id"), None, "a snapshot was asked for");
    assert_eq!(verifier.status().unwrap().feed.unwrap().seq, 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_goes_on_where_it_was() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().user(8).mint();
    fake.issuer.revoke(Revoked::User(UserId::new(7)));
    fake.send_after(0);
    messages(&verifier, 2).await;
    fake.hang_up();
    fake.issuer.revoke(Revoked::User(UserId::new(8)));
    connections(&fake, &verifier, 2).await;
    messages(&verifier, 3).await;
    assert_eq!(fake.seen().feeds[1]["last-event-id"], "1");
    assert_eq!(verdict(&verifier, &token), REVOKED);

    fake.feed(Feed::Bytes(Vec::new()));
    fake.hang_up();
    fake.issuer.clock().advance(Duration::from_secs(61));
    connections(&fake, &verifier, 3).await;
    fake.until(|seen| seen.feeds.len() >= 3).await;
    assert_eq!(fake.seen().feeds[2].get("last-event-id"), None, "after long everything is asked for");
}

#[tokio::test(start_paused = true)]
async fn replays_are_no_sign_of_life() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().mint();
    let old: Vec<_> = (0..3)
        .map(|_| {
            fake.issuer.clock().advance(SECOND);
            fake.issuer.signed_message(0)
        })
        .collect();
    for message in &old {
        fake.send(message);
    }
    messages(&verifier, 4).await;
    for (count, message) in (5..).zip(old.iter().cycle().take(12)) {
        fake.issuer.clock().advance(SECOND);
        fake.send(message);
        messages(&verifier, count).await;
    }
    assert_eq!(verdict(&verifier, &token), LOST);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_genuine_is_no_sign_of_life_and_ends_the_connection() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().mint();
    fake.feed(Feed::Silent);
    let thief = Issuer::new();
    let genuine = fake.issuer.signed_message(0);
    let (body, _) = genuine.rsplit_once('.').unwrap();
    let (_, foreign) = thief.signed_message(0).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let other = Revocations { issuer: "somebody".to_owned(), ..fake.issuer.message(0) };
    let lies = [
        thief.signed_message(0),
        format!("{body}.{foreign}"),
        fake.issuer.sign(&other),
        fake.issuer.token().mint(),
        "not.a.message".to_owned(),
        String::new(),
    ];
    for (count, lie) in (2..).zip(&lies) {
        fake.issuer.clock().advance(Duration::from_secs(3));
        fake.send(lie);
        connections(&fake, &verifier, count).await;
        fake.until(|seen| u64::try_from(seen.feeds.len()).unwrap() >= count).await;
    }
    assert_eq!(verdict(&verifier, &token), LOST);
    assert_eq!(verifier.status().unwrap().feed.unwrap().messages, 1);
    fake.send_after(0);
    messages(&verifier, 2).await;
    assert_eq!(verdict(&verifier, &fake.issuer.token().mint()), Ok(()), "the truth still gets through");
}

#[tokio::test(start_paused = true)]
async fn bytes_may_be_cut_anywhere_and_come_with_comments() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().user(7).mint();
    fake.issuer.revoke(Revoked::User(UserId::new(7)));
    let text = format!(": hello\r\nevent: x\r\nid: 9\r\n{}", event(&fake.issuer.signed_message(0)));
    for piece in text.as_bytes().chunks(7) {
        fake.send_bytes(piece);
        tokio::task::yield_now().await;
    }
    messages(&verifier, 2).await;
    assert_eq!(verdict(&verifier, &token), REVOKED);
}

#[tokio::test(start_paused = true)]
async fn half_a_message_is_none() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    fake.issuer.revoke(Revoked::User(UserId::new(7)));
    let text = event(&fake.issuer.signed_message(0));
    fake.send_bytes(text.trim_end());
    fake.hang_up();
    fake.feed(Feed::Silent);
    connections(&fake, &verifier, 2).await;
    assert_eq!(verifier.status().unwrap().feed.unwrap().messages, 1);
}

#[tokio::test(start_paused = true)]
async fn an_endless_line_is_given_up() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    fake.send_bytes([b"data: ".to_vec(), vec![b'a'; 100 * 1024 * 1024]].concat());
    verifier.until(|status| status.feed.as_ref().unwrap().failures == 1).await;
    let failure = verifier.status().unwrap().feed.unwrap().failure.unwrap();
    assert_eq!(failure, "an event is too long");
    assert_eq!(verdict(&verifier, &fake.issuer.token().mint()), Ok(()), "patience lasts");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_feed_are_tried_again() {
    let fake = Fake::start().await;
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().mint();
    for (count, answer) in (2..).zip([
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 3\r\n\r\n\u{ff}\n",
        "",
    ]) {
        fake.feed(Feed::Bytes(answer.into()));
        if count == 2 {
            fake.hang_up();
        }
        connections(&fake, &verifier, count).await;
    }
    fake.pass_until(&verifier, |status| status.feed.as_ref().unwrap().failures >= 5).await;
    fake.issuer.clock().advance(Duration::from_secs(11));
    assert_eq!(verdict(&verifier, &token), LOST);
    fake.feed(Feed::Follow);
    fake.pass_until(&verifier, |status| status.feed.as_ref().unwrap().failures == 0).await;
    assert_eq!(verdict(&verifier, &fake.issuer.token().mint()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_restored_database_is_followed_and_nothing_is_given_back() {
    let fake = Fake::start().await;
    for user in 1..=5 {
        fake.issuer.revoke(Revoked::User(UserId::new(user)));
    }
    let verifier = fake.follower(TEN).await;
    let token = fake.issuer.token().user(5).position(4).mint();
    assert_eq!(verdict(&verifier, &token), REVOKED);
    // Numbers 3 to 5 never were; 3 is something else now.
    let mut message = fake.issuer.message(0);
    message.entries.truncate(2);
    message.seq = 2;
    message.at += 1;
    fake.issuer.clock().advance(SECOND);
    fake.send(&fake.issuer.sign(&message));
    messages(&verifier, 2).await;
    assert_eq!(verifier.status().unwrap().feed.unwrap().seq, 2);
    assert_eq!(verdict(&verifier, &token), REVOKED, "not given back");
    let other = fake.issuer.token().user(9).position(2).mint();
    let entries = vec![sme_pulse_auth::revocation::Revocation { seq: 3, what: Revoked::User(UserId::new(9)) }];
    let news = Revocations { after: 2, seq: 3, at: message.at + 1, entries, ..message };
    fake.issuer.clock().advance(SECOND);
    fake.send(&fake.issuer.sign(&news));
    messages(&verifier, 3).await;
    assert_eq!(verdict(&verifier, &other), REVOKED, "new numbers count");
    assert_eq!(fake.seen().feeds.len(), 1);
}
