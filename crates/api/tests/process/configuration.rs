//! Values that are refused: exit code 2, one line that names the variable and the rule and never a secret, and nothing
//! done.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use crate::support::{Done, Home, KEY};

/// In development: variable, value, and a part of the rule.
const INVALID: [(&str, &str, &str); 33] = [
    ("BACKEND_HOST", "http://localhost", "IP address or a host name"),
    ("BACKEND_PORT", "http", "whole number from 0 to 65535"),
    ("BACKEND_PORT", "65536", "whole number from 0 to 65535"),
    ("BACKEND_PORT", "-1", "whole number from 0 to 65535"),
    ("DATABASE_URL", "mysql://user:hunter22@db/x", "postgres://"),
    ("DATABASE_URL", "sqlite::memory:", "must name a file"),
    ("DATABASE_URL", "postgres://user:hunter22@db/x?sslmode=hunter22", "sslmode"),
    ("BACKEND_DB_PORT", "0", "whole number from 1 to 65535"),
    ("BACKEND_DB_HOST", "a b", "host name"),
    ("BACKEND_POOL_SIZE", "0", "whole number from 1"),
    ("BACKEND_MAX_OVERFLOW", "many", "whole number from 0"),
    ("BACKEND_AUTO_MIGRATE", "perhaps", "true or false"),
    ("BACKEND_ALGORITHM", "none", "HS256, HS384, HS512, EdDSA or ES256"),
    ("BACKEND_ACCESS_TOKEN_EXPIRE_MINUTES", "1441", "from 1 to 1440"),
    ("BACKEND_JWT_LEEWAY_SECONDS", "301", "from 0 to 300"),
    ("BACKEND_ALLOWED_ORIGINS", "http://localhost:3000/", "origins"),
    ("BACKEND_ENVIRONMENT", "my laptop", "letters, digits"),
    ("BACKEND_DEBUG", "2", "true or false"),
    ("BACKEND_LOG_LEVEL", "LOUD", "must be"),
    ("BACKEND_LOG_FORMAT", "xml", "json or text"),
    ("BACKEND_RATE_LIMIT_ENABLED", "maybe", "true or false"),
    ("BACKEND_RATE_LIMIT_REQUESTS", "0", "from 1"),
    ("BACKEND_RATE_LIMIT_WINDOW", "1.5", "from 1"),
    ("BACKEND_TRUSTED_PROXIES", "10.0.0.0/33", "CIDR"),
    ("BACKEND_BCRYPT_COST", "3", "from 4 to 15"),
    ("BACKEND_HASH_CONCURRENCY", "0", "from 1"),
    ("BACKEND_SEED_ADMIN_PASSWORD", "hunt2", "at least 6 characters"),
    ("BACKEND_MAX_BODY_BYTES", "1MB", "whole number"),
    ("BACKEND_REQUEST_TIMEOUT_SECONDS", "0", "from 1"),
    ("BACKEND_DOCS_ENABLED", "sometimes", "true or false"),
    ("BACKEND_METRICS_ADDR", "nowhere", "host:port"),
    ("BACKEND_PASSWORD_MIN_LENGTH", "5", "from 6 to 72"),
    ("REDIS_URL", "hunter22", "redis://"),
];

/// Outside development: variable, value, and a part of the rule.
const TOO_WEAK: [(&str, &str, &str); 7] = [
    ("BACKEND_SECRET_KEY", "hunter22-short", "at least 32 bytes"),
    ("BACKEND_SECRET_KEY", "change-me-change-me-change-me-change-me", "random"),
    ("BACKEND_SECRET_KEY", "hunter22hunter22hunter22hunter22hunter22", "random"),
    ("BACKEND_SECRET_KEY", "secretsecretsecretsecretsecretsecret", "random"),
    ("BACKEND_BCRYPT_COST", "9", "from 10 to 15"),
    ("BACKEND_ALLOWED_ORIGINS", "*", "name the origins"),
    ("BACKEND_DB_HOST", "db.example.com", "BACKEND_DB_PASSWORD"),
];

fn assert_refused(home: &Home, args: &[&str], name: &str, value: &str, rule: &str) {
    let done = home.run(args);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{name}={value} {args:?}: {done:?}");
    let line = done.complaint();
    assert!(line.contains(name) && line.contains(rule), "{name}={value}: {line}");
    assert!(!line.contains("hunt"), "{name} is shown: {line}");
    let left: Vec<_> = std::fs::read_dir(home.folder()).unwrap().collect();
    assert!(left.is_empty(), "{name}={value} left {left:?}");
}

#[test]
fn an_invalid_value_ends_every_command_with_one_line_and_code_2() {
    for (index, (name, value, rule)) in INVALID.into_iter().enumerate() {
        let mut home = Home::bare();
        home.unset("BACKEND_PORT").set(name, value);
        let args: &[&str] = [&[][..], &["serve"], &["migrate"], &["seed"]][index % 4];
        assert_refused(&home, args, name, value, rule);
    }
}

#[test]
fn what_development_tolerates_is_refused_elsewhere() {
    for (name, value, rule) in TOO_WEAK {
        let mut home = Home::bare();
        home.set("BACKEND_ENVIRONMENT", "production").set("BACKEND_SECRET_KEY", KEY).set(name, value);
        let place = if rule.starts_with("BACKEND_") { rule } else { name };
        assert_refused(&home, &["serve"], place, value, rule);
    }
}

#[test]
fn a_longer_hash_needs_a_longer_key() {
    for (algorithm, bytes) in [("HS384", "48"), ("HS512", "64")] {
        let mut home = Home::bare();
        home.set("BACKEND_ENVIRONMENT", "staging").set("BACKEND_SECRET_KEY", KEY).set("BACKEND_ALGORITHM", algorithm);
        assert_refused(&home, &["serve"], "BACKEND_SECRET_KEY", "", &format!("at least {bytes} bytes"));
    }
}

#[test]
fn serving_outside_development_needs_a_key() {
    let mut home = Home::bare();
    // A typing error in the name is not development either.
    for environment in ["production", "Development", "developement"] {
        home.set("BACKEND_ENVIRONMENT", environment).set("BACKEND_LOG_FILE", "");
        assert_refused(&home, &["serve"], "BACKEND_SECRET_KEY", "", "must be set outside development");
        home.set("BACKEND_SECRET_KEY", "");
        assert_refused(&home, &["serve"], "BACKEND_SECRET_KEY", "", "must be set outside development");
        home.unset("BACKEND_SECRET_KEY");
    }
}

#[test]
fn every_wrong_variable_has_its_line() {
    let mut home = Home::bare();
    home.set("BACKEND_PORT", "x").set("BACKEND_DEBUG", "x").set("BACKEND_LOG_FORMAT", "x");
    let done = home.run(&[]);
    assert_eq!(done.code, Some(2));
    assert_eq!(done.stderr.lines().count(), 3, "{done:?}");
}

#[test]
fn a_value_that_is_not_text_is_refused() {
    let home = Home::bare();
    let bytes = OsString::from_vec(b"hunter22\xff".to_vec());
    let done = Done::of(home.command(&["serve"]).env("BACKEND_SECRET_KEY", bytes).spawn().unwrap());
    assert_eq!(done.code, Some(2));
    assert_eq!(done.complaint(), "configuration error: BACKEND_SECRET_KEY must be UTF-8 text");
}

#[test]
fn a_malformed_dotenv_file_is_refused_without_being_shown() {
    let home = Home::bare();
    std::fs::write(home.folder().join(".env"), "BACKEND_DEBUG=true\nBACKEND_SECRET_KEY hunter22\n").unwrap();
    let done = home.run(&["migrate", "status"]);
    assert_eq!((done.code, done.complaint().contains("hunter22")), (Some(2), false));
    assert!(done.complaint().contains(".env line 2"), "{done:?}");
}
