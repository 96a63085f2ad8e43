//! The verification of one of our tokens against the check of its signature alone: the same bytes, in alternating rounds, in
//! processor time. The only row that links the library; it has no server.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    DecodingKey,
    crypto::{JwtVerifier, rust_crypto::DEFAULT_PROVIDER},
};
use sme_pulse_auth::revocation::{Follower, Revocation, Revocations, Revoked};
use sme_pulse_auth::token::{Algorithm, KeyRing, NewToken, Signer, SigningKey, Verifier, VerifyingKey, token_id};
use sme_pulse_domain::{
    ids::{OrgId, SessionId, UserId},
    method::Methods,
    role::{Role, RoleSet},
};
use uuid::Uuid;

use crate::clock::processor_time;
use crate::figures::{median, micros, ratio};
use crate::report::Row;
use crate::{Bench, note};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_700_000_000;
const ISSUER: &str = "sme-pulse";
const AUDIENCE: &str = "sme-pulse-api";
/// Between two looks at the clock.
const BATCH: u32 = 16;
const BAR: f64 = 0.90;
/// Known to the follower.
const REVOCATIONS: u32 = 100_000;

/// One algorithm: a token, what verifies it, and what checks its signature.
struct Subject {
    name: &'static str,
    token: String,
    verifier: Verifier,
    bare: Box<dyn JwtVerifier>,
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let subjects = [
        subject("verify a token, EdDSA", Algorithm::EdDsa)?,
        subject("verify a token, ES256", Algorithm::Es256)?,
        subject("verify a token, HS256", Algorithm::Hs256)?,
    ];
    let mut rows = subjects.iter().map(|subject| row(bench, subject)).collect::<anyhow::Result<Vec<_>>>()?;
    let [eddsa, ..] = &subjects;
    rows.push(probe(bench, eddsa)?);
    Ok(rows)
}

/// What asking after revocations adds, with as many of them known as a large installation has in a day.
fn probe(bench: &Bench, subject: &Subject) -> anyhow::Result<Row> {
    let claims = subject.verifier.verify_at(&subject.token, NOW)?;
    let mut follower = Follower::new(5);
    let entries = (1..=u64::from(REVOCATIONS)).map(|seq| {
        let session = SessionId::new(Uuid::from_u128(u128::from(seq) << 64));
        let what = if seq % 2 == 0 {
            Revoked::Session(session)
        } else {
            Revoked::User(UserId::new(i64::try_from(seq)? + 1_000_000))
        };
        Ok(Revocation { seq, what })
    });
    let entries = entries.collect::<anyhow::Result<Vec<_>>>()?;
    let message = Revocations {
        issuer: ISSUER.to_owned(),
        after: 0,
        seq: REVOCATIONS.into(),
        at: NOW,
        keep: 86_400,
        only: None,
        entries,
    };
    follower.take(&message, NOW);
    ensure!(
        follower.remembered() == usize::try_from(REVOCATIONS)? && !follower.refuses(&claims),
        "other revocations than meant"
    );
    let alone = || black_box(subject.verifier.verify_at(black_box(&subject.token), NOW)).is_ok();
    let question = || !black_box(black_box(&follower).refuses(black_box(&claims)));
    let both = || alone() && question();
    let (mut bare, mut asked, mut full) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds * 10 {
        bare.push(each(bench.round / 100, alone)?);
        full.push(each(bench.round / 100, both)?);
        asked.push(each(bench.round / 100, question)?);
    }
    let (bare, asked, full) = (median(bare), median(asked), median(full));
    Ok(Row {
        path: "verify a token, EdDSA, and ask after revocations",
        floor: format!("{bare:.2} µs"),
        product: format!("{full:.2} µs"),
        ratio: Some(ratio(bare, full)),
        remark: format!("{REVOCATIONS} revocations known; the question alone takes {asked:.3} µs"),
        ..Row::default()
    })
}

fn row(bench: &Bench, subject: &Subject) -> anyhow::Result<Row> {
    let Subject { name, token, verifier, bare } = subject;
    let (message, signature) = token.rsplit_once('.').context("a token has three parts")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    ensure!(
        verifier.verify_at(token, NOW).is_ok() && bare.verify(message.as_bytes(), &signature).is_ok(),
        "not genuine"
    );
    let floor = || black_box(bare.verify(black_box(message.as_bytes()), black_box(&signature))).is_ok();
    let product = || black_box(verifier.verify_at(black_box(token), NOW)).is_ok();
    // Many short rounds: what disturbs one of them does not reach the median.
    let (rounds, round) = (bench.rounds * 10, bench.round / 100);
    let (mut floors, mut products, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..=rounds {
        let (bare, full) = (each(round, floor)?, each(round, product)?);
        // The first round is there to warm up.
        if number > 0 {
            floors.push(bare);
            products.push(full);
            ratios.push(ratio(bare, full));
        }
    }
    let (bare, full, middle) = (median(floors), median(products), median(ratios));
    note(format_args!("{name}: signature {bare:.2} µs, all {full:.2} µs, {} characters", token.len()));
    Ok(Row {
        path: name,
        floor: format!("{bare:.2} µs"),
        product: format!("{full:.2} µs"),
        ratio: Some(middle),
        bar: "≥ 0.90",
        met: Some(middle >= BAR),
        remark: format!("a token of {} characters; processor time of one, median of {rounds} rounds", token.len()),
        ..Row::default()
    })
}

/// Microseconds of processor time of one call.
fn each(round: Duration, call: impl Fn() -> bool) -> anyhow::Result<f64> {
    let (mut calls, began) = (0, processor_time());
    loop {
        for _ in 0..BATCH {
            ensure!(call(), "a genuine token was refused");
        }
        calls += BATCH;
        let spent = processor_time().saturating_sub(began);
        if spent >= round {
            return Ok(ratio(micros(spent), f64::from(calls)));
        }
    }
}

fn subject(name: &'static str, algorithm: Algorithm) -> anyhow::Result<Subject> {
    let (signer, key, bare) = if algorithm.is_symmetric() {
        let key = VerifyingKey::shared_secret(SECRET, algorithm)?;
        (Signer::new(SECRET, algorithm, ISSUER, AUDIENCE), key, DecodingKey::from_secret(SECRET))
    } else {
        let key = SigningKey::from_seed(algorithm, &[7; 32])?;
        let public = key.public().public_bytes().context("a key pair has a public half")?;
        let bare = match algorithm {
            Algorithm::Es256 => DecodingKey::from_ec_der(&[&[4], public].concat()),
            _ => DecodingKey::from_ed_der(public),
        };
        (Signer::with_key(&key, ISSUER, AUDIENCE), key.public().clone(), bare)
    };
    let implementation = match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        _ => jsonwebtoken::Algorithm::HS256,
    };
    let bare = (DEFAULT_PROVIDER.verifier_factory)(&implementation, &bare).map_err(|error| anyhow!("{error}"))?;
    let verifier = Verifier::with_keys(KeyRing::new([key])?).issuer(ISSUER).audience(AUDIENCE);
    Ok(Subject { name, token: token(&signer)?, verifier, bare })
}

/// As a log-in with a second factor makes it.
fn token(signer: &Signer) -> anyhow::Result<String> {
    let roles: RoleSet = [Role::Owner, Role::Admin].into_iter().collect();
    let token = NewToken {
        user: UserId::new(12_345),
        org: OrgId::new(678),
        session: SessionId::new(Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef)),
        roles: &roles,
        token_id: token_id(4_711, [0x5a; 16]),
        issued_at: NOW,
        expires_at: NOW + 1_800,
        methods: Methods::WITH_CODE,
        authenticated_at: NOW,
    };
    Ok(signer.sign(&token)?)
}
