//! `sme-pulse config check`: what is in effect, where it comes from, and nothing else.

use crate::support::{Home, KEY};

/// The line of a setting, as its fields.
fn line<'a>(output: &'a str, name: &str) -> Vec<&'a str> {
    let line = output.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {output}")).split_whitespace().collect()
}

#[test]
fn every_setting_has_its_source_and_no_secret_is_shown() {
    let mut home = Home::bare();
    let dotenv = "BACKEND_JWT_ISSUER=from-the-file\nBACKEND_HOST=0.0.0.0\nBACKEND_SEED_ADMIN_PASSWORD=hunter22\n";
    std::fs::write(home.folder().join(".env"), dotenv).unwrap();
    home.set("BACKEND_HOST", "127.0.0.2").set("BACKEND_SECRET_KEY", KEY).set("BACKEND_PROT", "1");
    home.set("DATABASE_URL", "postgres://me:hunter22@db/x").set("BACKEND_SMTP_URL", "smtp://me:hunter22@mail");
    let said = home.succeed(&["config", "check"]);
    assert!(!said.contains("hunter22") && !said.contains(KEY), "{said}");
    assert_eq!(line(&said, "BACKEND_HOST"), ["BACKEND_HOST", "environment", "127.0.0.2"]);
    assert_eq!(line(&said, "BACKEND_JWT_ISSUER"), ["BACKEND_JWT_ISSUER", ".env", "from-the-file"]);
    assert_eq!(line(&said, "BACKEND_SEED_ADMIN_PASSWORD"), ["BACKEND_SEED_ADMIN_PASSWORD", ".env", "***"]);
    assert_eq!(line(&said, "BACKEND_SECRET_KEY"), ["BACKEND_SECRET_KEY", "environment", "***"]);
    assert_eq!(line(&said, "BACKEND_POOL_SIZE"), ["BACKEND_POOL_SIZE", "default", "20"]);
    assert_eq!(line(&said, "DATABASE_URL")[2], "postgres://me:***@db/x");
    assert!(said.contains("warning: unknown variable BACKEND_PROT"), "{said}");
    assert!(said.ends_with("The configuration is valid.\n"), "{said}");
    let left: Vec<_> = std::fs::read_dir(home.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".env"]);
}

#[test]
fn an_address_in_parts_is_said_to_come_from_them_and_an_empty_log_file_from_where_it_is_empty() {
    let mut home = Home::bare();
    home.set("BACKEND_DB_HOST", "db.example.com").set("BACKEND_LOG_FILE", "");
    let said = home.succeed(&["config", "check"]);
    let url = line(&said, "DATABASE_URL");
    assert_eq!(url, ["DATABASE_URL", "BACKEND_DB_*", "postgres://postgres:***@db.example.com:5432/sme%5Fpulse%5Foltp"]);
    assert_eq!(line(&said, "BACKEND_LOG_FILE"), ["BACKEND_LOG_FILE", "environment"]);
}

#[test]
fn what_serve_refuses_is_refused_and_what_it_warns_of_is_told() {
    let mut home = Home::bare();
    home.set("BACKEND_ENVIRONMENT", "production");
    let done = home.run(&["config", "check"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{done:?}");
    assert_eq!(done.complaint(), "configuration error: BACKEND_SECRET_KEY must be set outside development");
    home.set("BACKEND_SECRET_KEY", KEY);
    let said = home.succeed(&["config", "check"]);
    assert!(said.contains("warning: BACKEND_SMTP_URL is not set"), "{said}");
    home.set("BACKEND_PORT", "http").set("BACKEND_DEBUG", "2");
    let done = home.run(&["config", "check"]);
    assert_eq!((done.code, done.stderr.lines().count()), (Some(2), 2), "{done:?}");
}
