//! Everything a change must pass, in one order, with a table of what passed and how long it took.

use std::fmt;
use std::time::Duration;

use crate::clock::now;
use crate::process::{self, Outcome, Signals};
use crate::say::say;
use crate::{alerts, cargo, deny, dependencies, deployment, docs, fuzz_api, package, public_api, test, tidy};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// Could not be looked at, for a reason outside this repository, which the step has printed.
    NotChecked,
}

impl Verdict {
    pub(crate) fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotChecked => "NOT CHECKED",
        })
    }
}

/// Requests of a kind for each operation: about a minute.
pub(crate) const API_CASES: u32 = 20;
/// The same requests each time: what a change did not break must not fail it. `cargo xtask fuzz-api` draws others.
const API_SEED: u128 = 20_261_122;

type Step<'a> = (&'static str, &'a dyn Fn() -> anyhow::Result<Verdict>);

const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
/// The fuzz targets are a workspace of their own and run by hand; here they are kept from falling behind the code.
const FUZZ: &[&str] = &["check", "--locked", "--manifest-path", "crates/fuzz/Cargo.toml", "--target-dir", "target"];
const AUTH_FEATURES: [&[&str]; 11] = [
    &["--no-default-features"],
    &[],
    &["--features", "actix"],
    &["--features", "axum"],
    &["--features", "service"],
    &["--features", "remote"],
    &["--features", "testing"],
    &["--features", "actix,remote"],
    &["--features", "actix,service"],
    &["--features", "axum,service"],
    &["--all-features"],
];

/// Runs every step, also after one has failed; tests come last, so that their summary stands above the table.
pub(crate) fn run(only: &[String], signals: &Signals) -> u8 {
    let passes =
        |args: &[&str]| Ok(Verdict::of(process::run(&mut cargo::command(args), signals)? == Outcome::Exited(0)));
    let document = || {
        let mut doc = cargo::command(&["doc", "--workspace", "--no-deps"]);
        Ok(Verdict::of(process::run(doc.env("RUSTDOCFLAGS", "-D warnings"), signals)? == Outcome::Exited(0)))
    };
    let features = || {
        let mut all = Verdict::Passed;
        for features in AUTH_FEATURES {
            let args = [&["check", "-p", "sme-pulse-auth"], features].concat();
            say(format_args!("cargo {}", args.join(" ")));
            if passes(&args)? == Verdict::Failed {
                all = Verdict::Failed;
            }
        }
        Ok(all)
    };
    let steps: [Step<'_>; 16] = [
        ("format", &|| passes(&["fmt", "--all", "--check"])),
        ("tidy", &|| tidy::check(cargo::root())),
        ("dependency directions", &|| dependencies::check()),
        ("licences, bans, sources", &|| deny::check(signals)),
        ("advisories", &|| deny::advisories(signals)),
        ("clippy", &|| passes(CLIPPY)),
        ("features of sme-pulse-auth", &features),
        ("fuzz targets compile", &|| passes(FUZZ)),
        ("documentation", &document),
        ("package", &|| package::check(signals)),
        ("public surface", &|| public_api::check(false, signals)),
        ("alert rules", &|| alerts::check(signals)),
        ("deployment files", &|| deployment::check(signals)),
        ("generated documents", &|| docs::check(signals)),
        ("API as described", &|| fuzz_api::check(API_CASES, Some(API_SEED), signals)),
        ("tests", &|| Ok(Verdict::of(test::run(&[], signals)? == 0))),
    ];
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let chosen = |name: &str| only.is_empty() || only.iter().any(|start| name.starts_with(start.as_str()));
    for (name, step) in steps.into_iter().filter(|(name, _)| chosen(name)) {
        say(format_args!("\n== {name}"));
        let began = now();
        let verdict = step().unwrap_or_else(|error| {
            say(format_args!("error: {error:#}"));
            errors.push(format!("{name}: {error:#}"));
            Verdict::Failed
        });
        if signals.stop_requested() {
            return Outcome::Stopped.code();
        }
        results.push((name, verdict, began.elapsed()));
    }
    if results.is_empty() {
        say("error: no step has such a name");
        return 2;
    }
    let code = conclude(&results);
    // Again at the end: a log of thousands of lines is read from there.
    for error in errors {
        say(format_args!("\n{error}"));
    }
    code
}

fn conclude(results: &[(&str, Verdict, Duration)]) -> u8 {
    say(format_args!("\n{:<28} {:<12} {:>8}", "step", "result", "time"));
    for (name, verdict, time) in results {
        say(format_args!("{name:<28} {verdict:<12} {:>6} s", time.as_secs()));
    }
    let with = |wanted| results.iter().filter(|(_, verdict, _)| *verdict == wanted).count();
    let (failed, unchecked) = (with(Verdict::Failed), with(Verdict::NotChecked));
    let passed = with(Verdict::Passed);
    say(format_args!("\nci: {passed} passed, {failed} failed, {unchecked} not checked"));
    u8::from(failed > 0)
}
