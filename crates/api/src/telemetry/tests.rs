//! What the log looks like from outside: every line is captured behind the real formatter and filter.

use std::{
    io::{self, Write},
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::{Map, Value};
use sme_pulse_domain::email::Email;
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

use super::{
    AccessRecord, Console, Flood, flood, log_access, log_settings, masked, output,
    output::{Output, finish},
    subscriber,
};
use crate::config::{LogFormat, LogLevel};

#[derive(Clone)]
struct Memory {
    format: LogFormat,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Write for Memory {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        finish(self.format, line, &mut self.bytes.lock().unwrap());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn captured(level: LogLevel, format: LogFormat, work: impl FnOnce()) -> String {
    captured_in(&Arc::default(), level, format, work)
}

fn captured_in(flood: &Arc<Flood>, level: LogLevel, format: LogFormat, work: impl FnOnce()) -> String {
    let memory = Memory { format, bytes: Arc::default() };
    tracing::subscriber::with_default(subscriber(level, memory.clone(), Arc::clone(flood)), work);
    let bytes = memory.bytes.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn lines(level: LogLevel, work: impl FnOnce()) -> Vec<Map<String, Value>> {
    captured(level, LogFormat::Json, work).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn record(status_code: u16) -> AccessRecord<'static> {
    AccessRecord {
        request_id: Uuid::from_u128(0x2f5a_0c6e_5b1d_4f3a_9c1e_8d7b_6a5f_4e3d),
        method: "GET",
        path: "/api/v1/auth/me",
        status_code,
        process_time: 0.000_548,
        client_ip: IpAddr::from([203, 0, 113, 9]),
        user_id: None,
        org_id: None,
        trace_id: None,
    }
}

const COMMON: [&str; 10] = ["file", "hostname", "level", "line", "msg", "name", "pid", "target", "time", "v"];
const ACCESS: [&str; 6] = ["client_ip", "method", "path", "process_time", "request_id", "status_code"];

fn keys(line: &Map<String, Value>) -> Vec<&str> {
    let mut keys: Vec<_> = line.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn sorted(keys: impl IntoIterator<Item = &'static str>) -> Vec<&'static str> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_unstable();
    keys
}

#[test]
fn an_access_line_has_exactly_its_fields() {
    let found = lines(LogLevel::Info, || log_access(&record(200)));
    assert_eq!(found.len(), 1);
    let line = &found[0];
    assert_eq!(keys(line), sorted(COMMON.into_iter().chain(ACCESS)));
    assert_eq!(line["v"], 0);
    assert_eq!(line["name"], "sme-pulse");
    assert_eq!(line["msg"], "Request completed");
    assert_eq!(line["level"], 30);
    assert_eq!(line["pid"], std::process::id());
    assert!(line["line"].is_u64());
    assert_eq!(line["file"].as_str().unwrap().rsplit('/').next(), Some("access.rs"));
    assert_eq!(line["target"], "sme_pulse_api::telemetry::access");
    assert!(chrono::DateTime::parse_from_rfc3339(line["time"].as_str().unwrap()).is_ok());
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(line["request_id"], "2f5a0c6e-5b1d-4f3a-9c1e-8d7b6a5f4e3d");
    assert_eq!(line["status_code"], 200);
    assert_eq!(line["process_time"], 0.000_548);
    assert_eq!(line["client_ip"], "203.0.113.9");
}

#[test]
fn a_known_caller_adds_user_and_organization() {
    let found =
        lines(LogLevel::Info, || log_access(&AccessRecord { user_id: Some(7), org_id: Some(3), ..record(204) }));
    assert_eq!(keys(&found[0]), sorted(COMMON.into_iter().chain(ACCESS).chain(["user_id", "org_id"])));
    assert_eq!((&found[0]["user_id"], &found[0]["org_id"]), (&Value::from(7), &Value::from(3)));
}

#[test]
fn only_failures_of_the_server_are_errors() {
    for (status, level) in [(200, 30), (404, 30), (499, 30), (500, 50), (503, 50)] {
        assert_eq!(lines(LogLevel::Info, || log_access(&record(status)))[0]["level"], level, "{status}");
    }
}

#[test]
fn spans_neither_write_lines_nor_change_texts_nor_add_fields() {
    let found = lines(LogLevel::Trace, || {
        let span = tracing::error_span!("outer", secret = "of the span");
        let _outer = span.enter();
        tracing::info_span!("inner").in_scope(|| log_access(&record(200)));
    });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["msg"], "Request completed");
    assert_eq!(keys(&found[0]), sorted(COMMON.into_iter().chain(ACCESS)));
}

#[test]
fn each_severity_has_its_number_and_its_threshold() {
    let all = || {
        tracing::trace!("10");
        tracing::debug!("20");
        tracing::info!("30");
        tracing::warn!("40");
        tracing::error!("50");
    };
    let thresholds = [
        (LogLevel::Trace, 10),
        (LogLevel::Debug, 20),
        (LogLevel::Info, 30),
        (LogLevel::Warn, 40),
        (LogLevel::Error, 50),
    ];
    for (level, least) in thresholds {
        let found = lines(level, all);
        let expected: Vec<u64> = [10, 20, 30, 40, 50].into_iter().filter(|number| *number >= least).collect();
        let written: Vec<u64> = found.iter().map(|line| line["level"].as_u64().unwrap()).collect();
        assert_eq!(written, expected, "{level:?}");
        assert!(found.iter().all(|line| line["msg"] == line["level"].to_string().as_str()));
    }
}

#[test]
fn libraries_are_heard_only_when_they_warn_or_everything_is_wanted() {
    let library = || {
        tracing::debug!(target: "sqlx::query", "statement");
        tracing::info!(target: "actix_server::builder", "starting");
        tracing::warn!(target: "sqlx::query", "slow statement");
    };
    assert_eq!(lines(LogLevel::Debug, library).len(), 1);
    assert_eq!(lines(LogLevel::Error, library).len(), 0);
    assert_eq!(lines(LogLevel::Trace, library).len(), 3);
}

#[test]
fn of_a_flood_so_many_lines_of_each_kind_are_written_and_one_that_says_how_many_were_not() {
    let flood = Arc::<Flood>::default();
    let all = usize::try_from(flood::LINES).unwrap() + 30;
    let out = captured_in(&flood, LogLevel::Info, LogFormat::Json, || {
        let request_id = "2f5a0c6e-5b1d-4f3a-9c1e-8d7b6a5f4e3d";
        for _ in 0..all {
            log_access(&record(429));
            tracing::warn!(request_id, client_ip = "::1", "Rate limit exceeded");
            tracing::error!(request_id, error = "refused", "Service unavailable");
            tracing::error!(request_id, error = "a bug", "Unexpected error");
            tracing::info!(request_id, "Successful login");
            tracing::warn!("The sessions' times of use were not written");
        }
        tracing::warn!(request_id, "Validation error");
        flood.tick();
        tracing::warn!(request_id, "Rate limit exceeded");
        flood.tick();
    });
    let count = |text: &str| out.matches(&format!("\"msg\":\"{text}\"")).count();
    let most = usize::try_from(flood::LINES).unwrap();
    assert_eq!(count("Request completed"), all);
    assert_eq!(count("Rate limit exceeded"), most + 1);
    assert_eq!((count("Service unavailable"), count("Unexpected error")), (most, all));
    assert_eq!((count("Successful login"), count("The sessions' times of use were not written")), (all, all));
    assert_eq!((count("Validation error"), count("Lines of one kind were left out")), (1, 2));
    let summary = out.lines().find(|line| line.contains("left out")).unwrap();
    let summary: Value = serde_json::from_str(summary).unwrap();
    assert_eq!((&summary["kind"], &summary["lines"]), (&Value::from("Rate limit exceeded"), &Value::from(30)));
    assert_eq!(flood.left_out(), 60);
}

#[test]
fn input_can_neither_end_a_line_nor_drive_a_terminal() {
    let path = "/\r\n{\"level\":50}\u{1b}[2J\u{9b}31m\u{7f}\u{2028}\u{202e}\u{2066}\0";
    for format in [LogFormat::Json, LogFormat::Text] {
        let out = captured(LogLevel::Info, format, || log_access(&AccessRecord { path, ..record(404) }));
        assert_eq!(out.matches('\n').count(), 1, "{out}");
        let line = out.strip_suffix('\n').unwrap();
        assert!(line.is_ascii() && !line.chars().any(char::is_control), "{out}");
    }
    let found = lines(LogLevel::Info, || log_access(&AccessRecord { path, ..record(404) }));
    assert_eq!(found[0]["path"], path);
}

#[test]
fn the_text_format_is_one_line_with_the_same_content() {
    let out = captured(LogLevel::Info, LogFormat::Text, || log_access(&record(200)));
    assert_eq!(out.lines().count(), 1);
    for part in [
        " INFO  sme_pulse_api::telemetry::access: Request completed ",
        " status_code=200 ",
        " method=GET ",
        " path=/api/v1/auth/me ",
        " client_ip=203.0.113.9 ",
        " process_time=0.000548 ",
        " request_id=2f5a0c6e-5b1d-4f3a-9c1e-8d7b6a5f4e3d ",
        " name=sme-pulse ",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
}

#[test]
fn addresses_are_masked_and_other_login_names_are_left_out() {
    let email = Email::parse("admin@sme.com").unwrap();
    let found = lines(LogLevel::Info, || {
        tracing::warn!(email = masked("Admin@sme.com"), "typed");
        tracing::warn!(email = masked("hunter2hunter2"), "not an address");
        tracing::warn!(?email, "by Debug");
    });
    assert_eq!(found[0]["email"], "a***@sme.com");
    assert!(!found[1].contains_key("email"));
    assert_eq!(found[2]["email"], "a***@sme.com");
}

#[test]
fn a_value_that_json_cannot_hold_still_gives_a_line() {
    let found = lines(LogLevel::Info, || log_access(&AccessRecord { process_time: f64::NAN, ..record(200) }));
    assert_eq!(found[0]["process_time"], Value::Null);
}

#[test]
fn the_settings_are_one_line() {
    let settings = [("BACKEND_HOST", "127.0.0.1"), ("BACKEND_LOG_FILE", "my logs/app.log")];
    let found = lines(LogLevel::Info, || log_settings(settings.into_iter()));
    assert_eq!(found[0]["settings"], "BACKEND_HOST=127.0.0.1 BACKEND_LOG_FILE=\"my logs/app.log\"");
}

#[test]
fn the_file_is_appended_to_and_its_folder_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/app.log");
    for text in [&b"{\"msg\":\"one\"}\n"[..], b"{\"msg\":\"two\"}\n"] {
        let (file, trouble) = output::open(Some(&path));
        assert!(trouble.is_none());
        let mut output = Output::new(LogFormat::Json, Console::Stderr, file, Arc::new(OnceLock::new()));
        output.write_all(text).unwrap();
        output.flush().unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"msg\":\"one\"}\n{\"msg\":\"two\"}\n");
}

#[test]
fn a_file_that_cannot_be_opened_is_no_file_and_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (file, trouble) = output::open(Some(folder.path()));
    assert!(file.is_none());
    assert!(trouble.unwrap().to_string().starts_with(folder.path().to_str().unwrap()));
    assert!(output::open(None).1.is_none());
}

#[test]
fn a_file_that_stops_taking_lines_is_reported_once() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let found = lines(LogLevel::Info, || {
        let mut output = Output::new(LogFormat::Json, Console::Stderr, Some(Full), Arc::new(OnceLock::new()));
        for _ in 0..3 {
            output.write_all(b"{}\n").unwrap();
            output.flush().unwrap();
        }
    });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["level"], 40);
}

#[test]
fn a_stalled_output_costs_lines_but_no_time_and_the_loss_is_reported() {
    /// Takes nothing until the other end of the channel goes away.
    struct Stalled(std::sync::mpsc::Receiver<()>);
    impl Write for Stalled {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(line.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (release, stalled) = std::sync::mpsc::channel();
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(8);
    let (mut writer, worker) = builder.finish(Stalled(stalled));
    for _ in 0..100 {
        writer.write_all(b"{}\n").unwrap();
    }
    let lost = writer.error_counter().dropped_lines();
    assert!((91..=92).contains(&lost), "{lost}");
    let counter = Arc::new(OnceLock::from(writer.error_counter()));
    let found = lines(LogLevel::Info, || {
        let mut output = Output::new(LogFormat::Json, Console::Stderr, None::<std::fs::File>, counter);
        output.flush().unwrap();
        output.flush().unwrap();
    });
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["level"], &found[0]["lines"]), (&Value::from(40), &Value::from(lost)));
    drop(release);
    drop(worker);
}
