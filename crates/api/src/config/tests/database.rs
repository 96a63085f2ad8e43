//! Which database an address means, and that no form of it shows a password.

use std::path::{Path, PathBuf};

use super::{complaint, good, load, production, warnings};
use crate::config::{Config, DatabaseTarget};

fn url(config: &Config) -> &str {
    match &config.database.target {
        DatabaseTarget::Postgres { url } => url.expose(),
        DatabaseTarget::Sqlite { path } => panic!("{} is no server", path.display()),
    }
}

fn path(address: &str) -> PathBuf {
    match good(&[("DATABASE_URL", address)]).database.target {
        DatabaseTarget::Sqlite { path } => path,
        DatabaseTarget::Postgres { url } => panic!("{url} is no file"),
    }
}

#[test]
fn every_spelling_of_a_sqlite_file_is_understood() {
    assert_eq!(path("sqlite:data/x.db"), Path::new("data/x.db"));
    assert_eq!(path("sqlite://data/x.db?mode=rwc"), Path::new("data/x.db"));
    assert_eq!(path("sqlite:///var/lib/x.db"), Path::new("/var/lib/x.db"));
    assert_eq!(path("sqlite:/var/my%20data/x.db"), Path::new("/var/my data/x.db"));
}

#[test]
fn generated_files_lie_beside_the_database() {
    let folder = |address| good(&[("DATABASE_URL", address)]).database.target.data_folder();
    assert_eq!(folder("sqlite:x.db"), Path::new("."));
    assert_eq!(folder("sqlite:/a/b/x.db"), Path::new("/a/b"));
    assert_eq!(folder("postgres://u:p@h/n"), Path::new("data"));
}

#[test]
fn addresses_that_cannot_work_are_refused_without_being_repeated() {
    for address in [
        "hunter2",
        "mysql://u:hunter2@h/n",
        "postgres:hunter2",
        "postgres://u:hunter2@h:notaport/n",
        "postgres://u:hunter2%ff@h/n",
        "postgres://u:hunter2@h/n?sslmode=hunter2",
        "postgres://u:hunter2@h/n?hostaddr=hunter2",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:x.db?mode=memory",
        "sqlite:hunter2.db?mode=ro",
        "sqlite:hunter2/",
        "sqlite:x%00y",
    ] {
        let complaint = complaint(load(&[("DATABASE_URL", address)]));
        assert!(complaint.starts_with("configuration error: DATABASE_URL must "), "{complaint}");
        assert!(complaint.lines().count() == 1 && !complaint.contains("hunter2"), "{complaint}");
    }
}

#[test]
fn one_of_the_five_parts_makes_it_a_server() {
    let config = good(&[("BACKEND_DB_NAME", "ledger")]);
    assert_eq!(url(&config), "postgres://postgres:postgres@localhost:5432/ledger");
}

#[test]
fn parts_may_hold_any_character() {
    let config = good(&[
        ("BACKEND_DB_USER", "o'neill@corp"),
        ("BACKEND_DB_PASSWORD", "p@ss:w/rd?#% ü"),
        ("BACKEND_DB_HOST", "db.internal"),
        ("BACKEND_DB_PORT", "6432"),
    ]);
    let address = url(&config);
    let password = "p%40ss%3Aw%2Frd%3F%23%25%20%C3%BC";
    assert_eq!(address, format!("postgres://o%27neill%40corp:{password}@db.internal:6432/sme%5Fpulse%5Foltp"));
}

#[test]
fn socket_folders_and_ipv6_hosts_reach_the_driver_in_the_form_it_reads() {
    let socket = good(&[("BACKEND_DB_HOST", "/var/run/postgresql"), ("BACKEND_DB_NAME", "n")]);
    assert!(url(&socket).ends_with("@localhost:5432/n?host=%2Fvar%2Frun%2Fpostgresql"));
    let address = good(&[("BACKEND_DB_HOST", "::1"), ("BACKEND_DB_NAME", "n")]);
    assert!(url(&address).ends_with("/n?hostaddr=%3A%3A1"));
    let given = good(&[("DATABASE_URL", "postgres://u:p@[::1]:5432/n")]);
    assert!(url(&given).ends_with("/n?hostaddr=%3A%3A1"));
}

#[test]
fn parts_are_checked() {
    for (name, value) in [("BACKEND_DB_PORT", "0"), ("BACKEND_DB_HOST", "a b"), ("BACKEND_DB_NAME", " ")] {
        let complaint = complaint(load(&[(name, value)]));
        assert!(complaint.starts_with(&format!("configuration error: {name} must ")), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[test]
fn the_url_wins_over_the_parts_and_says_so() {
    let pairs = [("DATABASE_URL", "postgres://u:p@h:1/n"), ("BACKEND_DB_HOST", "other")];
    assert_eq!(url(&good(&pairs)), "postgres://u:p@h:1/n");
    assert_eq!(warnings(&pairs), ["BACKEND_DB_* has no effect, because DATABASE_URL is set"]);
}

#[test]
fn the_default_password_is_refused_outside_development() {
    for pairs in [&[("BACKEND_DB_HOST", "db")][..], &[("BACKEND_DB_PASSWORD", "postgres")]] {
        assert!(load(pairs).is_ok());
        let complaint = complaint(production(pairs));
        assert!(complaint.starts_with("configuration error: BACKEND_DB_PASSWORD must"), "{complaint}");
    }
    assert!(production(&[("BACKEND_DB_PASSWORD", "hunter2")]).is_ok());
}

#[test]
fn the_default_password_in_a_url_is_a_warning_outside_development() {
    let pair = ("DATABASE_URL", "postgres://postgres:postgres@h/n");
    assert_eq!(load(&[pair]).unwrap().1, []);
    let warnings = production(&[pair]).unwrap().1;
    assert_eq!(warnings[0].to_string(), "DATABASE_URL holds a publicly known password");
}

#[test]
fn parameters_the_driver_does_not_know_are_left_out() {
    let address = "postgres://u:p@h/n?sslmode=require&channel_binding=require&options[search_path]=x";
    let pairs = [("DATABASE_URL", address)];
    assert_eq!(warnings(&pairs), ["parameter channel_binding of DATABASE_URL has no effect"]);
    let config = good(&pairs);
    assert!(url(&config).contains("sslmode=require") && !url(&config).contains("channel_binding"));
}

#[test]
fn no_form_of_an_address_shows_a_password() {
    for address in
        ["postgres://u:hunter2@h/n", "postgres://h/n?user=u&password=hunter2", "postgres://u:hunter2@[::1]/n"]
    {
        let config = good(&[("DATABASE_URL", address)]);
        let shown = config.effective().find(|(name, _)| *name == "DATABASE_URL").unwrap().1;
        assert!(shown.contains("***"), "{shown}");
        assert!(url(&config).contains("hunter2"));
        assert!(!format!("{config:?}{shown}").contains("hunter2"));
    }
}

#[test]
fn migrations_run_by_themselves_on_sqlite_and_in_development_unless_told_otherwise() {
    let server = ("DATABASE_URL", "postgres://u:p@h/n");
    assert!(good(&[server]).database.auto_migrate);
    assert!(!production(&[server]).unwrap().0.database.auto_migrate);
    assert!(production(&[]).unwrap().0.database.auto_migrate);
    assert!(!good(&[("BACKEND_AUTO_MIGRATE", "false")]).database.auto_migrate);
    assert!(production(&[server, ("BACKEND_AUTO_MIGRATE", "TRUE")]).unwrap().0.database.auto_migrate);
}
