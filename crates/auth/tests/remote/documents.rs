//! Whatever an issuer answers that is no good key set leaves the one before in its place.

use std::time::Duration;

use sme_pulse_auth::{testing::Issuer, token::MAX_KEY_SET_BYTES};
use tokio::net::TcpListener;

use crate::fake::{Answer, Fake, ok, typed};

fn cut(whole: &[u8], length: usize) -> Answer {
    Answer::Bytes(whole.iter().take(length).copied().collect())
}

fn bad_answers(good: &str, elsewhere: &str) -> Vec<(&'static str, Answer)> {
    let entry = good.trim_start_matches(r#"{"keys":["#).trim_end_matches("]}");
    let whole = ok(good.as_bytes());
    let set = |entries: &str| Answer::Bytes(ok(format!(r#"{{"keys":[{entries}]}}"#).as_bytes()));
    let large = vec![b' '; 10 * 1024 * 1024];
    let endless = [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".as_slice(), &large].concat();
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let padded = [good.as_bytes(), &vec![b' '; MAX_KEY_SET_BYTES]].concat();
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
    vec![
        ("nothing", Answer::Bytes(Vec::new())),
        ("no HTTP", Answer::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())),
        ("cut in the head", cut(&whole, 30)),
        ("cut in the body", cut(&whole, whole.len() - 1)),
        ("cut JSON", Answer::Bytes(ok(good.trim_end_matches('}').as_bytes()))),
        ("10 MB", Answer::Bytes(ok(&large))),
        ("10 MB without a length", Answer::Bytes(endless)),
        ("a good set in too many bytes", Answer::Bytes(ok(&padded))),
        ("a chunk of 2^64 bytes", Answer::Bytes(format!("{chunked}ffffffffffffffff\r\n").into_bytes())),
        ("a long head", Answer::Bytes(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(100_000)).into_bytes())),
        (
            "an error",
            Answer::Bytes(String::from_utf8(whole.clone()).unwrap().replacen("200 OK", "500 No", 1).into_bytes()),
        ),
        ("no content", Answer::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())),
        ("a redirect", Answer::Bytes(redirect.into_bytes())),
        ("a page", Answer::Bytes(typed("text/html", good.as_bytes()))),
        (
            "no type",
            Answer::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{good}", good.len()).into_bytes()),
        ),
        ("a private key", set(&entry.replacen('{', r#"{"d":"AAAA","#, 1))),
        ("one name twice", set(&format!("{entry},{entry}"))),
        ("a number for a name", set(&entry.replacen(r#""kid":""#, r#""kid":7,"x5t":""#, 1))),
        ("no object", Answer::Bytes(ok(b"[]"))),
        ("a list of texts", set(r#""a""#)),
        ("no UTF-8", Answer::Bytes(ok(b"{\"keys\":[\xff]}"))),
        ("deep nesting", set(&"[".repeat(20_000))),
        ("never", Answer::Hang(Vec::new())),
        ("half", Answer::Hang(whole.iter().take(whole.len() / 2).copied().collect())),
        ("a byte per second", Answer::Drip),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_never_replaces_a_good_set_nor_hangs() {
    let fake = Fake::start().await;
    let thief = Issuer::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere_at = format!("http://{}/.well-known/jwks.json", elsewhere.local_addr().unwrap());
    let verifier = fake.verifier().await;
    let answers = bad_answers(&thief.key_set(), &elsewhere_at);
    let count = answers.len();
    for (number, (case, answer)) in answers.into_iter().enumerate() {
        fake.answer(answer);
        let tries = u64::try_from(number + 2).unwrap();
        fake.pass_until(&verifier, |status| status.keys.fetches >= tries).await;
        let status = verifier.status().unwrap().keys;
        assert!(status.failure.is_some(), "{case}");
        assert!(verifier.verify(&fake.issuer.token().mint()).is_ok(), "{case}");
        assert!(verifier.verify(&fake.issuer.token().signed_by(thief.signer()).mint()).is_err(), "{case}");
    }
    assert!(verifier.status().unwrap().keys.failures >= u32::try_from(count).unwrap());
    let led = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
    assert!(led.is_err(), "nobody followed the redirect");
    fake.answer(Answer::Keys);
    fake.pass_until(&verifier, |status| status.keys.failure.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn tries_after_failures_become_rarer() {
    let fake = Fake::start().await;
    let verifier = fake.verifier().await;
    fake.answer(Answer::Bytes(Vec::new()));
    fake.pass(Duration::from_mins(1)).await;
    verifier.until(|status| status.keys.failures == 1).await;
    for failures in 2..12 {
        // Never later than the longest wait, and not at once.
        let seen = fake.seen().keys;
        tokio::task::yield_now().await;
        assert_eq!(fake.seen().keys, seen, "no try without time");
        fake.pass(Duration::from_mins(1)).await;
        verifier.until(|status| status.keys.failures == failures).await;
    }
}
