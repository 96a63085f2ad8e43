//! The feed of revocations: whatever ends a session or a right is in the next news, of one's own organization alone; and the
//! positions of tokens never contradict it.

use futures_util::future::join_all;
use serde_json::json;
use sme_pulse_auth::{
    revocation::Revoked,
    token::{Algorithm, KeyRing, Signer, SigningKey},
};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    role::Role,
};
use sme_pulse_testing::on_both_databases;

use super::support::{Feed, Member, PASSWORD, REVOCATIONS, TestApp, claims, shared_secret, user_path};

const AUTH: &str = "/api/v1/auth";

fn session(member: &Member<'_>) -> Revoked {
    Revoked::Session(SessionId::new(claims(&member.token)["sid"].as_str().unwrap().parse().unwrap()))
}

fn position(token: &str) -> u64 {
    let id: uuid::Uuid = claims(token)["jti"].as_str().unwrap().parse().unwrap();
    id.as_bytes()[..6].iter().fold(0, |position, byte| position << 8 | u64::from(*byte))
}

/// A new access token for a session.
async fn refreshed(app: &TestApp, member: &Member<'_>) -> String {
    let answer = app.refresh(&member.refresh_token).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn demote(owner: &Member<'_>, user: i64, role: &str) {
    let answer = owner.put(&user_path(user), &json!({"roles": [role]})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

on_both_databases! {
    async fn every_way_a_session_ends_is_in_the_next_news(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let mut feed = owner.follow(None).await;
        assert_eq!(feed.next().await.unwrap().only, Some(OrgId::new(owner.org)));
        let email = "a@example.com";
        let first = app.colleague(owner.org, email, &[Role::Cashier]).await;

        assert_eq!(first.post(&format!("{AUTH}/logout")).await.status, 204);
        assert_eq!(feed.news().await, [session(&first)], "logged out");

        let (first, second) = (app.sign_in(email).await, app.sign_in(email).await);
        assert_eq!(second.post(&format!("{AUTH}/logout-all")).await.status, 200);
        assert_eq!(feed.news().await, [session(&first)], "logged out everywhere else");

        let first = app.sign_in(email).await;
        let change = json!({"old_password": PASSWORD, "new_password": "three lame horses"});
        assert_eq!(second.post_json(&format!("{AUTH}/change-password"), &change).await.status, 200);
        assert_eq!(feed.news().await, [session(&first)], "another password");

        let token = app.refresh(&second.refresh_token).await.json()["refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(app.refresh(&token).await.status, 200);
        assert_eq!(app.refresh(&second.refresh_token).await.status, 401);
        assert_eq!(feed.news().await, [session(&second)], "an old refresh token");

        let third = app.colleague(owner.org, "b@example.com", &[Role::Cashier]).await;
        assert_eq!(owner.post_json(&format!("{AUTH}/revoke"), &json!({"token": third.token})).await.status, 200);
        assert_eq!(feed.news().await, [session(&third)], "a token taken back");

        let third = app.sign_in("b@example.com").await;
        app.sql(&format!("UPDATE auth.sessions SET revoked_at = created_at WHERE user_id = {} AND revoked_at IS NULL", third.user)).await;
        assert_eq!(feed.news().await, [session(&third)], "ended beside the product");
    }

    async fn every_way_a_right_ends_is_in_the_next_news(app: TestApp) {
        let (owner, host) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let (mut feed, mut of_host) = (owner.follow(None).await, host.follow(None).await);
        let (org, there) = (OrgId::new(owner.org), OrgId::new(host.org));
        let member = app.colleague(owner.org, "a@example.com", &[Role::Accountant]).await;
        let user = UserId::new(member.user);
        app.sql(&format!("INSERT INTO auth.memberships (org_id, user_id) VALUES ({there}, {user})")).await;

        demote(&owner, member.user, "cashier").await;
        assert_eq!(feed.news().await, [Revoked::Member(user, org)], "a role taken away");

        assert_eq!(owner.delete(&user_path(member.user)).await.status, 204);
        let told = feed.news().await;
        assert!(told.contains(&Revoked::User(user)) && told.contains(&session(&member)), "deactivated: {told:?}");
        assert_eq!(of_host.news().await, [Revoked::Member(user, there)], "in the other organization as well");

        app.sql(&format!("UPDATE auth.memberships SET status = 'inactive' WHERE user_id = {user}")).await;
        assert_eq!(of_host.news().await, [Revoked::Member(user, there)], "a membership ended");

        let looker = app.colleague(owner.org, "b@example.com", &[Role::Owner]).await;
        let before = looker.revocations("").await.seq;
        app.sql(&format!("UPDATE core.organizations SET status = 'inactive' WHERE id = {org}")).await;
        feed.end().await;
        app.sql(&format!("UPDATE core.organizations SET status = 'active' WHERE id = {org}")).await;
        // A change made beside the product is known within a second.
        let mut feed = loop {
            let known = before.to_string();
            let request = looker.request("GET", REVOCATIONS).header("last-event-id", &known).header("accept", "text/event-stream");
            if request.send().await.unwrap().status() == 200 {
                break looker.follow(Some(&known)).await;
            }
        };
        assert_eq!(feed.news().await, [Revoked::Organization(org)], "suspended");
    }

    async fn nobody_is_told_of_another_organization(app: TestApp) {
        let (owner, stranger) = (app.member(&[Role::Owner]).await, app.member(&[Role::Owner]).await);
        let mut feed = owner.follow(None).await;
        feed.next().await.unwrap();
        for number in 0..3 {
            let member = app.colleague(stranger.org, &format!("s{number}@example.com"), &[Role::Cashier]).await;
            demote(&stranger, member.user, "accountant").await;
            assert_eq!(member.post(&format!("{AUTH}/logout")).await.status, 204);
        }
        let theirs = stranger.revocations("").await;
        assert_eq!((theirs.entries.len(), theirs.only), (6, Some(OrgId::new(stranger.org))));
        for _ in 0..2 {
            let message = feed.next().await.unwrap();
            assert_eq!((message.after, message.seq, message.entries), (0, 0, vec![]), "not even a number of theirs");
        }
        for known in 0..=theirs.seq + 1 {
            let own = owner.revocations(&format!("?after={known}")).await;
            assert_eq!((own.after, own.seq, own.entries), (0, 0, vec![]), "{known}: how many there are elsewhere is not told");
        }
        let own = app.colleague(owner.org, "own@example.com", &[Role::Cashier]).await;
        assert_eq!(own.post(&format!("{AUTH}/logout")).await.status, 204);
        assert_eq!(feed.news().await, [session(&own)]);
        assert_eq!(owner.revocations(&format!("?after={}", theirs.seq)).await.entries.len(), 1);
    }

    async fn a_reader_goes_on_where_it_was_or_begins_anew(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        for number in 0..3 {
            let member = app.colleague(owner.org, &format!("m{number}@example.com"), &[Role::Cashier]).await;
            assert_eq!(member.post(&format!("{AUTH}/logout")).await.status, 204);
        }
        let all = owner.revocations("").await;
        let [first, second, third] = [0, 1, 2].map(|index| all.entries[index].seq);
        assert_eq!((all.after, all.seq, all.keep), (0, third, 30 * 60 + 5 + 60));
        for (known, after, told) in [
            (first.to_string(), first, vec![second, third]),
            (third.to_string(), third, vec![]),
            // Nobody has been told of this number yet.
            ((third + 1).to_string(), 0, vec![first, second, third]),
            ("rubbish".to_owned(), 0, vec![first, second, third]),
            ("-1".to_owned(), 0, vec![first, second, third]),
        ] {
            let message = owner.follow(Some(&known)).await.next().await.unwrap();
            let numbers: Vec<_> = message.entries.iter().map(|entry| entry.seq).collect();
            assert_eq!((message.after, numbers, message.seq), (after, told, third), "{known}");
        }
        // The header of a reader that came back counts before the address that it began with.
        let request = owner.request("GET", &format!("{REVOCATIONS}?after={first}")).header("last-event-id", second);
        let answer = TestApp::send(request).await;
        assert_eq!(super::support::opened(&answer.text, &shared_secret()).after, second);
        let answer = owner.get(&format!("{REVOCATIONS}?after=x")).await;
        assert_eq!((answer.status, answer.json()["detail"][0]["loc"].clone()), (422, json!(["query", "after"])));
    }

    async fn what_no_token_is_old_enough_for_is_forgotten(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let member = app.colleague(owner.org, "a@example.com", &[Role::Cashier]).await;
        assert_eq!(member.post(&format!("{AUTH}/logout")).await.status, 204);
        let seq = owner.revocations("").await.seq;
        app.clock.advance(std::time::Duration::from_mins(31) + std::time::Duration::from_secs(6));
        let owner = app.sign_in(&owner.email).await;
        let all = owner.revocations("").await;
        assert_eq!((all.after, all.entries.len()), (0, 0));
        let message = owner.follow(Some(&(seq - 1).to_string())).await.next().await.unwrap();
        assert_eq!((message.after, message.seq), (0, seq - 1), "it is not known what came after that");
        assert_eq!(owner.revocations(&format!("?after={seq}")).await.after, 0, "as a number that it was never told");
    }

    async fn a_token_says_whether_it_was_made_before_or_after_a_demotion(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let member = app.colleague(owner.org, "a@example.com", &[Role::Accountant]).await;
        demote(&owner, member.user, "cashier").await;
        let fresh = refreshed(&app, &member).await;
        let all = owner.revocations("").await;
        let demoted = Revoked::Member(UserId::new(member.user), OrgId::new(member.org));
        let number = all.entries.iter().find(|entry| entry.what == demoted).unwrap().seq;
        assert!(position(&member.token) < number, "refused");
        assert!(position(&fresh) >= number, "accepted, at the first refresh");
        assert_eq!(claims(&fresh)["roles"], json!(["cashier"]));
        assert!(position(&app.sign_in("a@example.com").await.token) >= number);
    }

    async fn the_stream_of_who_may_not_follow_any_more_ends(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let [gone, demoted, out] = ["gone", "demoted", "out"].map(|name| format!("{name}@example.com"));
        let gone = app.colleague(owner.org, &gone, &[Role::Admin]).await;
        let demoted = app.colleague(owner.org, &demoted, &[Role::Admin]).await;
        let out = app.colleague(owner.org, &out, &[Role::Admin]).await;
        let mut feeds: Vec<Feed> = Vec::new();
        for follower in [&gone, &demoted, &out] {
            feeds.push(follower.follow(None).await);
        }
        assert_eq!(owner.delete(&user_path(gone.user)).await.status, 204);
        demote(&owner, demoted.user, "cashier").await;
        assert_eq!(out.post(&format!("{AUTH}/logout")).await.status, 204);
        for feed in &mut feeds {
            feed.end().await;
        }
        // And when the token's own time is up.
        let mut feed = owner.follow(None).await;
        app.clock.advance(std::time::Duration::from_mins(31));
        feed.end().await;
    }

    async fn who_has_too_many_streams_waits_and_places_come_back(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let mut feeds = Vec::new();
        for _ in 0..16 {
            feeds.push(owner.follow(None).await);
        }
        let ask = async || TestApp::send(owner.request("GET", REVOCATIONS).header("accept", "text/html, text/event-stream;q=0.9")).await;
        let answer = ask().await;
        assert_eq!((answer.status, answer.header("retry-after"), answer.json()["retry_after"].clone()), (429, Some("5"), json!(5)));
        let other = app.member(&[Role::Owner]).await;
        other.follow(None).await.next().await.unwrap();
        assert_eq!(owner.get(REVOCATIONS).await.status, 200, "a snapshot needs no place");
        for feed in &mut feeds {
            feed.next().await.unwrap();
        }
        drop(feeds);
        let again = async || {
            let request = owner.request("GET", REVOCATIONS).header("accept", "text/event-stream");
            request.send().await.unwrap().status().as_u16()
        };
        while again().await != 200 {
            tokio::task::yield_now().await;
        }
    }

    async fn a_head_is_asked_for_without_a_stream(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let answer = TestApp::send(owner.request("HEAD", REVOCATIONS).header("accept", "text/event-stream")).await;
        assert_eq!((answer.status, answer.one("content-type"), answer.text.as_str()), (200, "text/event-stream", ""));
    }

    async fn a_stream_goes_on_with_the_next_key(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let mut feed = owner.follow(None).await;
        feed.next().await.unwrap();
        let old = shared_secret();
        for (algorithm, name) in [(Algorithm::EdDsa, "one"), (Algorithm::Es256, "two")] {
            let key = SigningKey::from_seed(algorithm, &[7; 32]).unwrap();
            let keys = || KeyRing::new(old.iter().cloned().chain([key.public().clone()])).unwrap();
            feed.trust(keys());
            app.auth.token_keys().replace(Signer::with_key(&key, "sme-pulse", "sme-pulse-api"), keys());
            let member = app.colleague(owner.org, &format!("{name}@example.com"), &[Role::Cashier]).await;
            assert_eq!(member.post(&format!("{AUTH}/logout")).await.status, 204);
            assert_eq!(feed.news().await, [session(&member)], "{name}");
        }
    }

    async fn no_token_knows_a_revocation_whose_effect_it_does_not_have(app: TestApp) {
        let owner = app.member(&[Role::Owner]).await;
        let mut members = Vec::new();
        for number in 0..100 {
            members.push(app.colleague(owner.org, &format!("m{number}@example.com"), &[Role::Accountant]).await);
        }
        let made = join_all(members.iter().map(async |member| {
            let refreshing = async {
                let (mut made, mut token) = (Vec::new(), member.refresh_token.clone());
                for _ in 0..5 {
                    let body = app.refresh(&token).await.json();
                    body["refresh_token"].as_str().unwrap().clone_into(&mut token);
                    made.push(body["access_token"].as_str().unwrap().to_owned());
                }
                made
            };
            futures_util::join!(demote(&owner, member.user, "cashier"), refreshing).1
        }))
        .await;
        let list = owner.revocations("").await.entries;
        let mut knew = 0;
        for (member, tokens) in members.iter().zip(made) {
            let demoted = Revoked::Member(UserId::new(member.user), OrgId::new(member.org));
            let number = list.iter().find(|entry| entry.what == demoted).unwrap().seq;
            for token in &tokens {
                // What a service elsewhere does with the token and the list.
                let accepted = position(token) >= number;
                let demoted = claims(token)["roles"] == json!(["cashier"]);
                assert!(demoted || !accepted, "a token from before the demotion counts after it");
                knew += usize::from(accepted);
            }
            assert!(position(&app.sign_in(&member.email).await.token) >= number);
        }
        assert!(knew > 0, "no token was made after its demotion");
    }
}
