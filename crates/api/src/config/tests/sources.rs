//! The environment and `.env`.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt};

use proptest::prelude::*;

use crate::config::{Config, ConfigError, Variables};

fn merge(process: &[(&str, &str)], dotenv: &str) -> Result<Config, ConfigError> {
    let process = process.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::load(&Variables::merge(process, dotenv.as_bytes())?).map(|(config, _)| config)
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "BACKEND_PORT=9000\nBACKEND_HOST=0.0.0.0\n";
    let config = merge(&[("BACKEND_PORT", "9001")], file).unwrap();
    assert_eq!((config.server.host.as_str(), config.server.port), ("0.0.0.0", 9001));
}

#[test]
fn an_empty_variable_hides_nothing_but_the_log_file() {
    let file = "BACKEND_PORT=9000\nBACKEND_LOG_FILE=x.log\n";
    let config = merge(&[("BACKEND_PORT", ""), ("BACKEND_LOG_FILE", "")], file).unwrap();
    assert_eq!((config.server.port, config.log.file), (9000, None));
}

#[test]
fn the_file_may_have_comments_quotes_a_mark_at_its_start_and_windows_line_ends() {
    let file = "\u{feff}# comment\r\n\r\nexport BACKEND_PORT=9000\r\nBACKEND_SEED_ADMIN_PASSWORD='a $b #c' # x\r\n";
    let config = merge(&[], file).unwrap();
    assert_eq!((config.server.port, config.seed.admin_password.expose()), (9000, "a $b #c"));
}

#[test]
fn the_first_of_several_lines_counts() {
    assert_eq!(merge(&[], "BACKEND_PORT=9000\nBACKEND_PORT=9001\n").unwrap().server.port, 9000);
}

#[test]
fn a_line_that_cannot_be_read_is_named_by_its_number_only() {
    for file in ["BACKEND_PORT=9000\n\nBACKEND_SECRET_KEY hunter2\n", "A=1\nB=2\nBACKEND_SECRET_KEY='hunter2\nC=3\n"] {
        let error = merge(&[], file).unwrap_err().to_string();
        assert_eq!(error, "configuration error: .env line 3 must have the form NAME=value");
    }
}

#[test]
fn text_that_is_not_utf_8_is_refused_where_it_is_used() {
    let name = OsString::from("BACKEND_PORT");
    let variables = Variables::merge([(name, OsString::from_vec(vec![0xff]))], b"").unwrap();
    let error = Config::load(&variables).unwrap_err().to_string();
    assert_eq!(error, "configuration error: BACKEND_PORT must be UTF-8 text");
    let Err(error) = Variables::merge([], b"BACKEND_PORT=\xff") else { panic!("accepted") };
    assert_eq!(error.to_string(), "configuration error: .env must be UTF-8 text");
}

#[test]
fn a_file_in_the_folder_is_read_and_none_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Variables::of_process(folder.path()).is_ok());
    fs::write(folder.path().join(".env"), "BACKEND_JWT_ISSUER=from-the-file").unwrap();
    let variables = Variables::of_process(folder.path()).unwrap();
    assert_eq!(Config::load(&variables).unwrap().0.tokens.issuer, "from-the-file");
    assert!(std::env::var_os("BACKEND_JWT_ISSUER").is_none());
}

proptest! {
    #[test]
    fn no_text_of_a_file_is_a_panic_or_repeated_in_a_complaint(
        lines in prop::collection::vec("(export )?(BACKEND_[A-Z_]{1,8})?[ =]{0,2}[\"'$\\\\{}#a-z ü]{0,12}", 0..6),
        end in "(\r?\n)?",
    ) {
        if let Err(error) = merge(&[], &(lines.join("\n") + &end)) {
            let error = error.to_string();
            let place = error.strip_prefix("configuration error: .env").unwrap();
            let place = place.strip_prefix(" line ").map_or(place, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
            let rules = [" must have the form NAME=value", " must have lines of the form NAME=value"];
            prop_assert!(rules.contains(&place), "{}", error);
        }
    }

    #[test]
    fn no_bytes_of_a_file_are_a_panic(bytes in any::<Vec<u8>>(), text in "\\PC{0,80}") {
        let _ = Variables::merge([], &bytes);
        let _ = Variables::merge([], text.as_bytes());
    }
}
