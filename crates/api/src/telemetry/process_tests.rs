//! The log of a whole process: set up, used, broken and ended. Since it can be set up once in a process, each test
//! runs this test binary again, which then plays the part that is named in its environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Map, Value};

use super::{Console, init};
use crate::config::{LogConfig, LogFormat, LogLevel};

const LOG_FILE: &str = "TEST_LOG_FILE";

fn config(file: Option<PathBuf>) -> LogConfig {
    LogConfig { level: LogLevel::Info, format: LogFormat::Json, file }
}

/// Plays its part only when it is started by one of the tests below.
#[test]
fn a_process_that_logs() {
    let Some(file) = std::env::var_os(LOG_FILE) else { return };
    let guard = init(&config(Some(PathBuf::from(file))), Console::Stdout, None).unwrap();
    assert!(init(&config(None), Console::Stdout, None).is_err());
    for number in 0..1000 {
        tracing::info!(number, "one of many");
    }
    std::thread::Builder::new().name("worker".to_owned()).spawn(|| panic!("out of\nluck")).unwrap().join().unwrap_err();
    drop(guard);
}

fn play(file: &Path) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "telemetry::process_tests::a_process_that_logs"]).env(LOG_FILE, file);
    command.output().unwrap()
}

fn objects(text: &str) -> Vec<Map<String, Value>> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn everything_is_in_the_file_and_on_the_console_when_the_process_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logs/app.log");
    let output = play(&file);
    assert!(output.status.success(), "{output:?}");
    let written = fs::read_to_string(&file).unwrap();
    let lines = objects(&written);
    assert_eq!(lines.len(), written.lines().count());
    let numbers: Vec<_> = lines.iter().filter_map(|line| line.get("number")?.as_u64()).collect();
    assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    assert_eq!(objects(&String::from_utf8(output.stdout).unwrap()), lines);
}

#[test]
fn a_panic_is_a_line_of_the_log_and_nothing_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let output = play(&file);
    let lines = objects(&fs::read_to_string(&file).unwrap());
    let panic = lines.iter().find(|line| line["msg"] == "Panic").unwrap();
    assert_eq!((&panic["level"], &panic["thread"]), (&Value::from(50), &Value::from("worker")));
    assert_eq!(panic["reason"], "out of\nluck");
    assert!(panic["location"].as_str().unwrap().contains("process_tests.rs:"));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_file_that_cannot_be_written_is_one_warning_and_the_console_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let output = play(folder.path());
    assert!(output.status.success());
    let lines = objects(&String::from_utf8(output.stdout).unwrap());
    let warnings: Vec<_> = lines.iter().filter(|line| line["level"] == 40).collect();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0]["msg"], "The log file cannot be written; logging to the console only");
    assert_eq!(lines.iter().filter(|line| line["msg"] == "one of many").count(), 1000);
}
