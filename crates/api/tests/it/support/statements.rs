//! Writes down the statements that the tests have the product send, for `cargo xtask record-statements`.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::Mutex,
};

use sme_pulse_testing::Engine;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    filter::Targets,
    layer::{Context, Layer, SubscriberExt as _},
};

/// Names the folder; without it nothing is written.
const FOLDER: &str = "RECORD_STATEMENTS";
const TARGET: &str = "sme_pulse_persistence::statement";

struct Recorder(Mutex<(HashSet<String>, File)>);

struct Sql<'a>(&'a mut Option<String>);

impl Visit for Sql<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            *self.0 = Some(value.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut sql = None;
        event.record(&mut Sql(&mut sql));
        let mut known = self.0.lock().unwrap();
        if let Some(sql) = sql
            && known.0.insert(sql.clone())
        {
            // In one piece: other tests write to the same file.
            known.1.write_all(format!("{sql}\n").as_bytes()).unwrap();
        }
    }
}

/// From now on, for as long as the process lives. The runner gives each test a process of its own.
pub(super) fn record(engine: Engine) {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let name = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let file = Path::new(&folder).join(name);
    let file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    let layer = Recorder(Mutex::new((HashSet::new(), file)));
    let subscriber =
        tracing_subscriber::registry().with(layer.with_filter(Targets::new().with_target(TARGET, Level::TRACE)));
    // A second application of the same test goes on in the first one's file.
    drop(tracing::subscriber::set_global_default(subscriber));
}
