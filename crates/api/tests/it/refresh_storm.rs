//! Many tabs at once, with answers lost on the way: everybody honest stays, one lineage each, every replay is caught.

use futures_util::{StreamExt as _, future::join_all, stream};
use sme_pulse_domain::role::Role;
use sme_pulse_testing::on_both_databases;

use super::support::{Answer, TestApp};

const TABS: u32 = 32;
const ROUNDS: usize = 3;
/// Sessions whose tabs are at work at the same time.
const AT_ONCE: usize = 4;
/// How often a tab asks where the answer is to come again: on a slow machine so many wait longer for a connection than one
/// may.
const ATTEMPTS: usize = 5;

/// Loses one answer in ten: neither time nor luck decides which, so that a failure can be repeated.
struct Loss(u32);

impl Loss {
    fn is_lost(&mut self) -> bool {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16 < 6_554
    }
}

/// What a tab does that is told to come again.
async fn refresh(app: &TestApp, token: &str) -> Answer {
    let mut answer = app.refresh(token).await;
    for _ in 1..ATTEMPTS {
        if answer.status != 503 {
            break;
        }
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        answer = app.refresh(token).await;
    }
    answer
}

/// All tokens the client has held, the newest last.
async fn live(app: &TestApp, first: String, seed: u32) -> Vec<String> {
    let (mut held, mut loss) = (vec![first], Loss(seed));
    while held.len() <= ROUNDS {
        let token = held.last().unwrap();
        let answers = join_all((0..TABS).map(|_| refresh(app, token))).await;
        let mut heard = Vec::new();
        for answer in answers {
            assert_eq!(answer.status, 200, "an honest client was refused: {}", answer.text);
            if !loss.is_lost() {
                heard.push(answer.json()["refresh_token"].as_str().unwrap().to_owned());
            }
        }
        heard.dedup();
        assert!(heard.len() <= 1, "two lineages: {heard:?}");
        held.extend(heard);
    }
    held
}

async fn storm(app: &TestApp, sessions: u32) {
    let owner = app.member(&[Role::Owner]).await;
    let mut first = Vec::new();
    for number in 0..sessions {
        first.push((number, app.sign_in(&owner.email).await.refresh_token));
    }
    let clients = stream::iter(first).map(|(number, token)| live(app, token, number));
    let all: Vec<Vec<String>> = clients.buffer_unordered(AT_ONCE).collect().await;
    let of_user = format!("FROM auth.sessions WHERE user_id = {}", owner.user);
    let ended = format!("SELECT COUNT(*) {of_user} AND revoked_at IS NOT NULL");
    assert_eq!(app.numbers(&ended).await, [0]);
    let counters = format!("SELECT DISTINCT refresh_counter {of_user} AND refresh_counter > 0");
    assert_eq!(app.numbers(&counters).await, [i64::try_from(ROUNDS).unwrap()]);
    for (number, held) in all.iter().enumerate() {
        // Everything older than the one before the newest, each tried on some session.
        let replayed = &held[number % (ROUNDS - 1)];
        assert_eq!(app.refresh(held.last().unwrap()).await.status, 200, "the newest is good");
        assert_eq!(app.refresh(replayed).await.status, 401, "a replay was answered");
        assert_eq!(app.numbers(&ended).await, [i64::try_from(number + 1).unwrap()], "and did not end its session");
        assert_eq!(app.refresh(held.last().unwrap()).await.status, 401);
    }
    let alarms =
        format!("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%refresh_reused' AND org_id = {}", owner.org);
    assert_eq!(app.numbers(&alarms).await, [i64::from(sessions)]);
}

on_both_databases! {
    async fn in_a_storm_of_tabs_and_lost_answers_the_honest_stay_and_replays_are_caught(app: TestApp) {
        storm(&app, 64).await;
    }
}

/// The same at full size; run it with `--run-ignored only`.
#[test]
#[ignore = "takes minutes"]
fn a_thousand_sessions_weather_the_storm_on_sqlite() {
    sme_pulse_testing::on_sqlite(async |app: TestApp| storm(&app, 1_000).await);
}

/// The same at full size; run it with `--run-ignored only`.
#[test]
#[ignore = "takes minutes"]
fn a_thousand_sessions_weather_the_storm_on_postgres() {
    sme_pulse_testing::on_postgres(async |app: TestApp| storm(&app, 1_000).await);
}
