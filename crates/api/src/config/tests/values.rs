//! Defaults, and the rule of every value.

use std::{path::PathBuf, time::Duration};

use super::{complaint, good, load, production, warnings};
use sme_pulse_auth::token::Algorithm;

use crate::config::{AllowedOrigins, DatabaseTarget, HasherKind, LogConfig, LogFormat, LogLevel, SigningKey};

#[test]
fn nothing_has_to_be_set() {
    let (config, warnings) = load(&[]).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.environment.name(), "development");
    assert!(config.environment.is_development());
    assert_eq!((config.server.host.as_str(), config.server.port), ("127.0.0.1", 8000));
    assert!(config.server.docs_enabled && config.server.console_enabled);
    assert_eq!(config.server.max_body_bytes, 1_048_576);
    assert_eq!(config.server.request_timeout, Duration::from_secs(30));
    let origins = ["http://localhost:3000", "http://localhost:3001"].map(str::to_owned).to_vec();
    assert_eq!(config.server.allowed_origins, AllowedOrigins::These(origins));
    assert!(matches!(&config.database.target, DatabaseTarget::Sqlite { path } if path == "data/sme-pulse.db"));
    assert_eq!((config.database.pool_size, config.database.max_overflow), (20, 10));
    assert!(config.database.auto_migrate);
    assert!(matches!(&config.tokens.key, SigningKey::Kept(folder) if folder == "data"));
    assert_eq!(config.tokens.algorithm, Algorithm::Hs256);
    assert_eq!((config.tokens.rotation_days, config.server.api_url), (90, None));
    assert_eq!(config.tokens.lifetime, Duration::from_mins(30));
    assert_eq!((config.tokens.issuer.as_str(), config.tokens.audience.as_str()), ("sme-pulse", "sme-pulse-api"));
    assert_eq!(config.tokens.leeway, Duration::from_secs(5));
    assert_eq!(config.passwords.bcrypt_cost, 12);
    assert!(config.passwords.hash_concurrency >= 1);
    assert_eq!((config.passwords.min_length, config.passwords.hasher), (8, HasherKind::Bcrypt));
    assert!(config.mail.smtp.is_none() && config.mail.folder.as_path() == std::path::Path::new("data/outbox"));
    assert_eq!(config.mail.public_url, "http://localhost:3000");
    assert_eq!(config.mail.from.to_string(), "SME Pulse <no-reply@localhost>");
    assert_eq!(config.seed.admin_password.expose(), "123456");
    assert!(config.seed.is_default() && !config.seed.from_variable);
    let log = LogConfig { level: LogLevel::Info, format: LogFormat::Json, file: Some(PathBuf::from("logs/app.log")) };
    assert_eq!(config.log, log);
    assert!(config.rate_limit.enabled);
    assert_eq!((config.rate_limit.requests, config.rate_limit.window), (5, Duration::from_mins(1)));
    assert_eq!(config.trusted_proxies, []);
}

#[test]
fn each_invalid_value_is_one_line_that_names_the_variable_and_not_the_value() {
    for (name, value) in [
        ("BACKEND_ENVIRONMENT", "two words~"),
        ("BACKEND_HOST", "http://host~"),
        ("BACKEND_PORT", "65536"),
        ("BACKEND_PORT", "+8000"),
        ("BACKEND_PORT", "-1"),
        ("BACKEND_POOL_SIZE", "0"),
        ("BACKEND_MAX_OVERFLOW", "1e3"),
        ("BACKEND_AUTO_MIGRATE", "maybe~"),
        ("BACKEND_ALGORITHM", "none~"),
        ("BACKEND_ALGORITHM", "RS256"),
        ("BACKEND_ALGORITHM", "eddsa"),
        ("BACKEND_KEY_ROTATION_DAYS", "3651"),
        ("BACKEND_API_URL", "api.example.com"),
        ("BACKEND_ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("BACKEND_ACCESS_TOKEN_EXPIRE_MINUTES", "1441"),
        ("BACKEND_JWT_ISSUER", "bell\u{7}"),
        ("BACKEND_JWT_LEEWAY_SECONDS", "301"),
        ("BACKEND_ALLOWED_ORIGINS", "http://localhost:3000/"),
        ("BACKEND_ALLOWED_ORIGINS", "null~"),
        ("BACKEND_ALLOWED_ORIGINS", "https://App.example.com"),
        ("BACKEND_ALLOWED_ORIGINS", "https://app.example.com:443"),
        ("BACKEND_ALLOWED_ORIGINS", "https://user@app.example.com"),
        ("BACKEND_MAX_BODY_BYTES", "1 MB"),
        ("BACKEND_REQUEST_TIMEOUT_SECONDS", "0.5~"),
        ("BACKEND_DOCS_ENABLED", "2"),
        ("BACKEND_CONSOLE_ENABLED", "on~"),
        ("BACKEND_RATE_LIMIT_ENABLED", "off~"),
        ("BACKEND_RATE_LIMIT_REQUESTS", "0"),
        ("BACKEND_RATE_LIMIT_WINDOW", "99999999999999999999999"),
        ("BACKEND_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("BACKEND_TRUSTED_PROXIES", "localhost~"),
        ("BACKEND_BCRYPT_COST", "3"),
        ("BACKEND_BCRYPT_COST", "16"),
        ("BACKEND_HASH_CONCURRENCY", "0"),
        ("BACKEND_SEED_ADMIN_PASSWORD", "short"),
        ("BACKEND_LOG_LEVEL", "LOUD~"),
        ("BACKEND_LOG_FORMAT", "xml~"),
        ("BACKEND_LOG_FILE", "a\nb"),
        ("BACKEND_DEBUG", "verbose~"),
        ("BACKEND_PASSWORD_MIN_LENGTH", "5"),
        ("BACKEND_PASSWORD_MIN_LENGTH", "73"),
        ("BACKEND_PASSWORD_HASHER", "md5~"),
        ("BACKEND_PUBLIC_URL", "app.example.com~"),
        ("BACKEND_PUBLIC_URL", "https://u:p~@app.example.com"),
        ("BACKEND_SMTP_URL", "http://u:p~@mail"),
        ("BACKEND_MAIL_DIR", "a\u{7}~"),
        ("BACKEND_MAIL_FROM", "nobody~"),
        ("BACKEND_METRICS_ADDR", "9090"),
        ("OTEL_TRACES_EXPORTER", "zipkin~"),
        ("OTEL_METRICS_EXPORTER", "prometheus~"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "999"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
    ] {
        let complaint = complaint(load(&[(name, value)]));
        assert!(complaint.starts_with(&format!("configuration error: {name} must ")), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert!(!complaint.contains('~') && !complaint.contains("short"), "{complaint}");
    }
}

#[test]
fn all_mistakes_are_reported_together() {
    let complaint = complaint(load(&[("BACKEND_PORT", "x"), ("BACKEND_LOG_LEVEL", "x"), ("DATABASE_URL", "x")]));
    assert_eq!(complaint.lines().count(), 3, "{complaint}");
}

#[test]
fn an_empty_value_counts_as_unset_but_for_the_log_file() {
    let config = good(&[("BACKEND_PORT", ""), ("DATABASE_URL", ""), ("BACKEND_DB_HOST", ""), ("BACKEND_LOG_FILE", "")]);
    assert_eq!(config.server.port, 8000);
    assert!(matches!(config.database.target, DatabaseTarget::Sqlite { .. }));
    assert_eq!(config.log.file, None);
}

#[test]
fn three_names_are_development_and_nothing_else_is() {
    for name in ["dev", "development", "local"] {
        assert!(good(&[("BACKEND_ENVIRONMENT", name)]).environment.is_development());
    }
    for name in ["production", "staging", "Development", "developement", "test"] {
        assert!(!good(&[("BACKEND_ENVIRONMENT", name)]).environment.is_development(), "{name}");
    }
}

#[test]
fn levels_have_their_synonyms_and_debug_only_ever_adds() {
    let level = |level, debug| good(&[("BACKEND_LOG_LEVEL", level), ("BACKEND_DEBUG", debug)]).log.level;
    assert_eq!(level("warning", "false"), LogLevel::Warn);
    assert_eq!(level("CRITICAL", "0"), LogLevel::Error);
    assert_eq!(level("INFO", "true"), LogLevel::Debug);
    assert_eq!(level("TRACE", "true"), LogLevel::Trace);
}

#[test]
fn a_star_allows_every_origin_but_null_and_only_in_development() {
    let any = good(&[("BACKEND_ALLOWED_ORIGINS", "*")]).server.allowed_origins;
    assert!(any.allows("https://anything.example") && !any.allows("null") && !any.allows(""));
    let complaint = complaint(production(&[("BACKEND_ALLOWED_ORIGINS", "https://a.example, *")]));
    assert!(complaint.starts_with("configuration error: BACKEND_ALLOWED_ORIGINS must"), "{complaint}");
}

#[test]
fn origins_are_compared_exactly() {
    let list = "https://app.example.com, http://localhost:3000,capacitor://localhost";
    let origins = production(&[("BACKEND_ALLOWED_ORIGINS", list)]).unwrap().0.server.allowed_origins;
    assert!(origins.allows("https://app.example.com") && origins.allows("capacitor://localhost"));
    for other in ["http://app.example.com", "https://app.example.com.evil", "https://xapp.example.com", "null", "*"] {
        assert!(!origins.allows(other), "{other}");
    }
}

#[test]
fn a_bare_proxy_address_is_a_range_of_one_and_mapped_addresses_are_ipv4() {
    let list = "127.0.0.1, ::1,10.1.2.3/8,::ffff:192.0.2.1";
    let ranges: Vec<_> =
        good(&[("BACKEND_TRUSTED_PROXIES", list)]).trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(ranges, ["127.0.0.1/32", "::1/128", "10.0.0.0/8", "192.0.2.1/32"]);
    assert_eq!(warnings(&[("BACKEND_TRUSTED_PROXIES", "0.0.0.0/0")]).len(), 1);
}

#[test]
fn cheap_hashes_exist_in_development_only() {
    assert_eq!(good(&[("BACKEND_BCRYPT_COST", "4")]).passwords.bcrypt_cost, 4);
    let complaint = complaint(production(&[("BACKEND_BCRYPT_COST", "9")]));
    assert_eq!(complaint, "configuration error: BACKEND_BCRYPT_COST must be a whole number from 10 to 15");
}

#[test]
fn the_sender_follows_from_the_public_address_unless_it_is_given() {
    let from = |pairs| good(pairs).mail.from.to_string();
    assert_eq!(from(&[("BACKEND_PUBLIC_URL", "https://app.example.com")]), "SME Pulse <no-reply@app.example.com>");
    assert_eq!(from(&[("BACKEND_PUBLIC_URL", "http://10.0.0.1:3000")]), "SME Pulse <no-reply@localhost>");
    assert_eq!(from(&[("BACKEND_MAIL_FROM", "Acme <pulse@acme.com>")]), "Acme <pulse@acme.com>");
}

#[test]
fn the_password_of_the_mail_server_is_not_shown() {
    let config = good(&[("BACKEND_SMTP_URL", "smtps://user:hunter2@mail.example.com")]);
    let shown: Vec<_> = config.effective().filter(|(name, _)| *name == "BACKEND_SMTP_URL").collect();
    assert_eq!(shown, [("BACKEND_SMTP_URL", "smtps://user:***@mail.example.com")]);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn brackets_around_an_ipv6_address_are_taken_off() {
    assert_eq!(good(&[("BACKEND_HOST", "[::1]")]).server.host, "::1");
}
