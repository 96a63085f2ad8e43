//! What the edge says in the log besides the access event.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

use crate::app::TestServer;
use crate::client::get;

/// The fields of one event, its level and message among them.
#[derive(Debug, Clone, Default)]
struct Line(BTreeMap<String, String>);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

struct Capture;

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        line.0.insert("level".to_owned(), event.metadata().level().to_string());
        LINES.lock().unwrap().push(line);
    }
}

/// What was said about the request with this answer; the whole log is shared by the tests of this process.
fn lines_for(server: &TestServer, path: &str) -> Vec<Line> {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| tracing::subscriber::set_global_default(registry().with(Capture)).unwrap());
    let id = get(server.address, path).one("x-request-id").to_owned();
    server.log(1);
    let lines = LINES.lock().unwrap();
    lines.iter().filter(|line| line.0.get("request_id") == Some(&id)).cloned().collect()
}

fn has(line: &Line, fields: &[(&str, &str)]) -> bool {
    fields.iter().all(|(name, value)| line.0.get(*name).is_some_and(|found| found == value))
}

#[test]
fn refusals_are_warnings_with_places_and_types_only() {
    let server = TestServer::start();
    let [line] = &lines_for(&server, "/errors/422")[..] else { panic!("one line") };
    let errors = "body.email missing, body.email missing";
    let want = [("level", "WARN"), ("message", "Validation error"), ("errors", errors), ("client_ip", "127.0.0.1")];
    assert!(has(line, &want), "{line:?}");
    let [line] = &lines_for(&server, "/errors/429")[..] else { panic!("one line") };
    assert!(has(line, &[("level", "WARN"), ("message", "Rate limit exceeded")]), "{line:?}");
}

#[test]
fn faults_are_errors_with_their_cause() {
    let server = TestServer::start();
    for (path, cause) in [
        ("/errors/500", "relation core.users is broken"),
        ("/errors/503", "db.internal:5432 refused"),
        ("/errors/foreign", "db.internal refused"),
        ("/panic", "the handler broke at a secret place"),
    ] {
        let [line] = &lines_for(&server, path)[..] else { panic!("one line for {path}") };
        assert!(has(line, &[("level", "ERROR"), ("client_ip", "127.0.0.1")]), "{line:?}");
        assert!(line.0["error"].contains(cause), "{line:?}");
    }
}

#[test]
fn notices_of_a_handler_are_written_with_the_caller() {
    let server = TestServer::start();
    let lines = lines_for(&server, "/noted");
    let caller = [("user_id", "7"), ("org_id", "3")];
    assert!(has(&lines[0], &[("level", "WARN"), ("message", "Inactive user"), ("reason", "suspended")]), "{lines:?}");
    assert!(has(&lines[1], &[("level", "INFO"), ("message", "Successful login"), ("email", "a***@sme.com")]));
    assert!(lines.iter().all(|line| has(line, &caller)));
}

#[test]
fn an_answer_that_is_no_fault_needs_no_line() {
    let server = TestServer::start();
    for path in ["/health", "/nowhere", "/errors/409", "/%zz"] {
        let loud: Vec<_> = lines_for(&server, path).into_iter().filter(|line| line.0["level"] != "DEBUG").collect();
        assert!(loud.is_empty(), "{loud:?}");
    }
}
