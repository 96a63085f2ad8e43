//! Guessing one account from many addresses: strangers are slowed down, the owner on a device that has logged in before
//! never is, and nothing tells which addresses have an account.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sme_pulse_domain::clock::Clock as _;
use sme_pulse_testing::{Fixture, TestDatabase, on_both_databases};

use super::support::{Answer, HASH, PASSWORD, Process, TestApp};

const ADMIN: &str = "admin@sme.com";
const COUNTERS: &str = "SELECT COUNT(*) FROM auth.guess_counters";
const SLOWED: &str = "SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%.guessing_slowed'";
const HOUR: Duration = Duration::from_hours(1);

/// The application with the limits of production behind a proxy, so that every attempt can come from a new address.
struct Besieged {
    app: TestApp,
    addresses: AtomicU32,
}

/// How a client presents what it kept of its last log-in.
#[derive(Clone, Copy)]
enum Device<'a> {
    None,
    Cookie(&'a str),
    Header(&'a str),
}

impl Fixture for Besieged {
    async fn on(database: TestDatabase) -> Self {
        let app = TestApp::with(database, &[("BACKEND_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
        Self { app, addresses: AtomicU32::new(0) }
    }
}

impl Besieged {
    fn request(&self, email: &str, password: &str) -> RequestBuilder {
        let [_, a, b, c] = self.addresses.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let request = self.app.request("POST", "/api/v1/auth/login");
        request.header("x-forwarded-for", format!("9.{a}.{b}.{c}")).json(&json!({"email": email, "password": password}))
    }

    /// An attempt from an address that was never seen before.
    async fn attempt(&self, email: &str, password: &str, device: Device<'_>) -> Answer {
        let request = self.request(email, password);
        TestApp::send(match device {
            Device::None => request,
            Device::Cookie(token) => request.header("cookie", format!("a=b; sme_pulse_device={token}; c=d")),
            Device::Header(token) => request.header("x-device-token", token),
        })
        .await
    }

    async fn guess(&self, email: &str) -> Answer {
        self.attempt(email, "wrong", Device::None).await
    }

    /// Guesses until the twelfth, which is refused.
    async fn exhaust(&self, email: &str) {
        for number in 1..=11 {
            assert_eq!(self.guess(email).await.status, 401, "{number}");
        }
        assert_slowed(&self.guess(email).await, 1);
    }

    /// The device token of a log-in that succeeds.
    async fn sign_in(&self, email: &str, device: Device<'_>) -> String {
        let answer = self.attempt(email, PASSWORD, device).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        device_token(&answer)
    }

    async fn user(&self, email: &str) {
        self.app.insert_user(1, email, HASH).await;
    }

    async fn count(&self, query: &str) -> i64 {
        self.app.numbers(query).await[0]
    }
}

fn device_token(answer: &Answer) -> String {
    answer.json()["device_token"].as_str().unwrap().to_owned()
}

fn assert_slowed(answer: &Answer, seconds: u64) {
    let id = answer.one("x-request-id");
    let text = format!(
        concat!(
            r#"{{"error":"Too many requests","detail":"Rate limit exceeded. Please try again in {0} seconds.","#,
            r#""request_id":"{1}","error_code":"rate_limited","retry_after":{0}}}"#
        ),
        seconds, id
    );
    assert_eq!((answer.status, &answer.text), (429, &text));
    assert_eq!((answer.one("retry-after"), answer.one("cache-control")), (&*seconds.to_string(), "no-store"));
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.parse().unwrap())
}

on_both_databases! {
    async fn a_day_of_guessing_from_everywhere_gets_fewer_than_a_hundred_through(siege: Besieged) {
        let start = siege.app.clock.now();
        let mut kept = siege.sign_in(ADMIN, Device::None).await;
        let (mut checked, mut owner, mut next) = (0, 0, HOUR);
        while siege.app.clock.now() - start < chrono::TimeDelta::hours(24) {
            let answer = siege.guess(ADMIN).await;
            if answer.status == 401 {
                checked += 1;
                continue;
            }
            assert_eq!(answer.status, 429, "{}", answer.text);
            siege.app.clock.advance(seconds(answer.one("retry-after")));
            if siege.app.clock.monotonic() >= next {
                // The owner comes from a new address too, and gets in at the first try.
                let device = if owner % 2 == 0 { Device::Cookie(&kept) } else { Device::Header(&kept) };
                kept = siege.sign_in(ADMIN, device).await;
                (owner, next) = (owner + 1, next + HOUR);
            }
        }
        assert!((50..=100).contains(&checked), "{checked}");
        assert!(owner >= 22, "{owner}");
        // Every guess that reached the password check left an event, so the count is the server's own.
        let failed = siege.count("SELECT COUNT(*) FROM auth.audit_log WHERE action LIKE '%.log_in_failed'").await;
        assert_eq!((failed, siege.count(SLOWED).await), (checked, 1));
    }

    async fn an_address_that_nobody_has_is_slowed_down_byte_for_byte_alike(siege: Besieged) {
        for number in 0..40 {
            let there = siege.guess(ADMIN).await;
            let nobody = siege.guess("nobody@sme.com").await;
            assert_eq!(there.comparable(), nobody.comparable(), "{number}");
            siege.app.clock.advance(Duration::from_millis(700));
        }
        // Not even a row of the counters tells which of them has an account, or what the address is.
        assert_eq!(siege.count(COUNTERS).await, 2);
        let keys = siege.app.texts("SELECT key FROM auth.guess_counters").await;
        assert!(keys.iter().flatten().all(|key| key.len() == 64 && key.chars().all(|c| c.is_ascii_hexdigit())));
    }

    async fn a_slowed_attempt_is_neither_checked_nor_counted_and_the_trail_says_it_once(siege: Besieged) {
        siege.exhaust(" Admin@SME.com ").await;
        for _ in 0..20 {
            assert_slowed(&siege.attempt(ADMIN, PASSWORD, Device::None).await, 1);
        }
        siege.app.clock.advance(Duration::from_millis(999));
        assert_slowed(&siege.guess(ADMIN).await, 1);
        siege.app.clock.advance(Duration::from_millis(1));
        assert_eq!(siege.guess(ADMIN).await.status, 401);
        assert_slowed(&siege.guess(ADMIN).await, 2);
        siege.app.clock.advance(Duration::from_secs(2));
        assert_eq!(siege.attempt(ADMIN, PASSWORD, Device::None).await.status, 200, "the owner on a new device waits, and gets in");
        // That success neither cost a guess nor gave any back: the next wrong one is the thirteenth.
        assert_eq!(siege.guess(ADMIN).await.status, 401);
        assert_slowed(&siege.guess(ADMIN).await, 4);
        let about = format!("{SLOWED} AND org_id = 1 AND entity = 'users' AND entity_id = 1");
        assert_eq!((siege.count(SLOWED).await, siege.count(&about).await), (1, 1));
    }

    async fn honest_mistyping_is_never_delayed(siege: Besieged) {
        let mut kept = None;
        for day in 0..7 {
            let device = kept.as_deref().map_or(Device::None, Device::Cookie);
            for _ in 0..5 {
                assert_eq!(siege.attempt(ADMIN, "mistyped", device).await.status, 401, "{day}");
            }
            kept = Some(siege.sign_in(ADMIN, device).await);
            siege.app.clock.advance(HOUR * 9);
        }
    }

    async fn ten_wrong_guesses_are_free_and_the_eleventh_try_is_not_delayed(siege: Besieged) {
        for _ in 0..10 {
            assert_eq!(siege.guess(ADMIN).await.status, 401);
        }
        for _ in 0..20 {
            assert_eq!(siege.attempt(ADMIN, PASSWORD, Device::None).await.status, 200);
        }
        assert_eq!(siege.guess(ADMIN).await.status, 401);
        assert_slowed(&siege.guess(ADMIN).await, 1);
    }

    async fn a_counter_is_forgotten_a_day_after_the_last_guess_and_can_be_removed_after_two(siege: Besieged) {
        siege.exhaust(ADMIN).await;
        siege.app.clock.advance((HOUR * 24).saturating_sub(Duration::from_millis(1)));
        assert_eq!(siege.guess(ADMIN).await.status, 401);
        assert_slowed(&siege.guess(ADMIN).await, 2);
        siege.app.clock.advance(HOUR * 24);
        siege.exhaust(ADMIN).await;
        siege.app.clock.advance(HOUR * 48);
        siege.app.auth.remove_expired().await.unwrap();
        assert_eq!(siege.count(COUNTERS).await, 1);
        siege.app.clock.advance(Duration::from_micros(1));
        siege.app.auth.remove_expired().await.unwrap();
        assert_eq!(siege.count(COUNTERS).await, 0);
    }

    async fn of_fifty_parallel_guesses_no_more_than_the_schedule_lets_through(siege: Besieged) {
        for round in 0..3 {
            let answers = join_all((0..50).map(|_| siege.guess(ADMIN))).await;
            let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
            // What finds the hashing queue full was never checked, is not counted, and leaves room for another.
            let (checked, full) = (with(401), with(503));
            assert_eq!(checked + full + with(429), 50, "{round}");
            assert!(checked <= if round == 0 { 11 } else { 1 }, "{round}: {checked}");
            assert!(checked + full >= 1, "{round}");
            siege.app.clock.advance(Duration::from_mins(20));
        }
    }

    async fn parallel_log_ins_of_the_owner_leave_nothing_counted(siege: Besieged) {
        siege.app.clock.advance(HOUR);
        for number in 0..10 {
            let answers = join_all((0..8).map(|_| siege.attempt(ADMIN, PASSWORD, Device::None))).await;
            assert!(answers.iter().all(|answer| answer.status == 200), "{number}");
        }
        assert_eq!(siege.app.numbers("SELECT CAST(failures AS bigint) FROM auth.guess_counters").await, [0]);
    }

    async fn strangers_cannot_delay_a_known_device_and_it_cannot_guess_without_end(siege: Besieged) {
        let kept = siege.sign_in(ADMIN, Device::None).await;
        siege.exhaust(ADMIN).await;
        let known = Device::Header(&kept);
        for _ in 0..11 {
            assert_eq!(siege.attempt(ADMIN, "mistyped", known).await.status, 401);
        }
        assert_slowed(&siege.attempt(ADMIN, PASSWORD, Device::Cookie(&kept)).await, 1);
        siege.app.clock.advance(Duration::from_secs(1));
        // A success on a known device clears its own counter, and no other.
        siege.sign_in(ADMIN, known).await;
        for _ in 0..11 {
            assert_eq!(siege.attempt(ADMIN, "mistyped", known).await.status, 401);
        }
        assert_slowed(&siege.attempt(ADMIN, "mistyped", known).await, 1);
        assert_eq!(siege.guess(ADMIN).await.status, 401);
        assert_slowed(&siege.guess(ADMIN).await, 2);
    }

    async fn two_people_at_one_desk_both_stay_known(siege: Besieged) {
        siege.user("till@sme.com").await;
        let first = siege.sign_in(ADMIN, Device::None).await;
        let both = siege.sign_in("till@sme.com", Device::Cookie(&first)).await;
        for email in [ADMIN, "till@sme.com"] {
            siege.exhaust(email).await;
        }
        // Known to one of them only: the other one's account treats the device as a stranger.
        assert_eq!(siege.attempt("till@sme.com", PASSWORD, Device::Cookie(&first)).await.status, 429);
        let later = siege.sign_in(ADMIN, Device::Cookie(&both)).await;
        siege.sign_in("till@sme.com", Device::Header(&later)).await;
        // Their mistakes do not count against each other.
        for _ in 0..11 {
            assert_eq!(siege.attempt(ADMIN, "mistyped", Device::Cookie(&later)).await.status, 401);
        }
        assert_eq!(siege.attempt(ADMIN, PASSWORD, Device::Cookie(&later)).await.status, 429);
        siege.sign_in("till@sme.com", Device::Cookie(&later)).await;
    }

    async fn what_is_no_genuine_device_token_counts_as_none_and_is_no_error(siege: Besieged) {
        let signed_in = siege.attempt(ADMIN, PASSWORD, Device::None).await.json();
        let text = |name: &str| signed_in[name].as_str().unwrap().to_owned();
        let genuine = text("device_token");
        siege.user("thief@sme.com").await;
        let thief = siege.sign_in("thief@sme.com", Device::None).await;
        siege.exhaust(ADMIN).await;
        let huge = format!("spd_{}", "A".repeat(8_000));
        for odd in [
            "", "x", "spd_", &genuine[4..], &genuine[..genuine.len() - 1], &format!("{genuine}A"), &format!("{genuine}="),
            &genuine.to_uppercase(), &huge, &text("refresh_token"), &text("access_token"), &thief, "\"", "%00", ", , ;",
        ] {
            assert_eq!(siege.attempt(ADMIN, PASSWORD, Device::Header(odd)).await.status, 429, "{odd}");
            assert_eq!(siege.attempt(ADMIN, PASSWORD, Device::Cookie(odd)).await.status, 429, "{odd}");
        }
        let bytes = siege.request(ADMIN, PASSWORD).header("x-device-token", &[0xff, 0xfe][..]).header("cookie", &[0xff][..]);
        assert_eq!(TestApp::send(bytes).await.status, 429);
        // The header wins over the cookie.
        let both = siege.request(ADMIN, PASSWORD).header("x-device-token", &thief).header("cookie", format!("sme_pulse_device={genuine}"));
        assert_eq!(TestApp::send(both).await.status, 429);
        let both = siege.request(ADMIN, PASSWORD).header("x-device-token", &genuine).header("cookie", format!("sme_pulse_device={thief}"));
        assert_eq!(TestApp::send(both).await.status, 200);
        // A device token is no access token.
        siege.app.me(&genuine).await.assert_envelope(401, "Could not validate credentials", "Could not validate credentials", "invalid_token");
        siege.app.clock.advance(HOUR * 24 * 400);
        siege.exhaust(ADMIN).await;
        assert_eq!(siege.attempt(ADMIN, PASSWORD, Device::Header(&genuine)).await.status, 429, "too old");
    }

    async fn the_token_is_the_last_field_and_a_cookie_that_scripts_cannot_read(siege: Besieged) {
        let answer = siege.attempt(ADMIN, PASSWORD, Device::None).await;
        let token = device_token(&answer);
        assert!(answer.text.ends_with(&format!(r#","device_token":"{token}"}}"#)), "{}", answer.text);
        let cookie = format!("sme_pulse_device={token}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax");
        assert_eq!(answer.one("set-cookie"), cookie);
        assert_eq!(siege.guess(ADMIN).await.header("set-cookie"), None);
    }

    async fn outside_development_the_cookie_needs_tls_and_works_across_sites(db: TestDatabase) {
        let settings = [("BACKEND_ENVIRONMENT", "production"), ("BACKEND_BCRYPT_COST", "10")];
        let app = TestApp::with(db, &settings).await;
        let answer = app.log_in(ADMIN, PASSWORD).await;
        assert!(answer.one("set-cookie").ends_with("; HttpOnly; Secure; SameSite=None"), "{answer:?}");
    }

    async fn switched_off_nothing_is_counted_and_devices_are_still_remembered(app: TestApp) {
        for _ in 0..30 {
            assert_eq!(app.log_in(ADMIN, "wrong").await.status, 401);
        }
        assert!(device_token(&app.log_in(ADMIN, PASSWORD).await).starts_with("spd_"));
        assert_eq!(app.numbers(COUNTERS).await, [0]);
        assert_eq!(app.numbers(SLOWED).await, [0]);
    }

    async fn a_slowed_attempt_has_a_line_in_the_log_with_the_address_masked(server: Process) {
        let mut slowed = server.log_in(&json!({"email": ADMIN, "password": "wrong-S3cret"})).await;
        while slowed.status != 429 {
            assert_eq!(slowed.status, 401);
            slowed = server.log_in(&json!({"email": ADMIN, "password": "wrong-S3cret"})).await;
        }
        let written = server.stop();
        let lines = written.lines();
        let about: Vec<&Value> = lines.iter().filter(|line| line["request_id"] == slowed.one("x-request-id")).collect();
        assert_eq!((about.len(), &about[0]["msg"], &about[0]["level"]), (2, &json!("Log-in slowed down"), &json!(40)));
        assert_eq!(about[0]["email"], json!("a***@sme.com"));
        assert!(!written.file.contains("S3cret") && !written.file.contains(ADMIN));
    }

    async fn a_genuine_token_is_found_among_others(siege: Besieged) {
        let kept = siege.sign_in(ADMIN, Device::None).await;
        siege.exhaust(ADMIN).await;
        for planted in ["", "x", "spd_AAAA"] {
            let cookie = format!("sme_pulse_device={planted}; sme_pulse_device={kept}");
            let request = siege.request(ADMIN, PASSWORD).header("cookie", cookie).header("x-device-token", planted);
            assert_eq!(TestApp::send(request).await.status, 200, "{planted}");
        }
    }
}
