//! Where settings come from, and what the log says of them.

use serde_json::Value;

use crate::support::{Done, Home, KEY};

fn warnings(log: &[Value]) -> Vec<&str> {
    log.iter().filter(|event| event["level"] == 40).map(|event| event["msg"].as_str().unwrap()).collect()
}

fn on_runtime(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn without_any_variable_the_service_starts_on_an_embedded_file() {
    on_runtime(async {
        let home = Home::bare();
        let mut server = home.serve().await;
        assert_eq!(server.get("/health/ready").await.status, 200);
        let body = server.get("/").await.text;
        let service = r#""service":"SME Pulse Backend","version":"1.0.0","environment":"development"}"#;
        assert_eq!(body, format!(r#"{{"status":"healthy",{service}"#));
        server.stop().await;
        for file in ["data/sme-pulse.db", "data/sme-pulse.secret", "logs/app.log"] {
            assert!(home.folder().join(file).is_file(), "{file}");
        }
        // The write-ahead log was folded back into the file.
        assert!(!home.folder().join("data/sme-pulse.db-wal").exists());
    });
}

#[test]
fn an_unknown_name_is_a_warning_with_the_nearest_known_one() {
    on_runtime(async {
        let mut home = Home::bare();
        home.set("BACKEND_SECRET_KEYS", "hunter22").set("BACKEND_LOGLEVEL", "INFO").set("UNRELATED", "x");
        let server = home.serve().await;
        let found = warnings(&server.log);
        let expected = [("BACKEND_LOGLEVEL", "BACKEND_LOG_LEVEL"), ("BACKEND_SECRET_KEYS", "BACKEND_SECRET_KEY")];
        let expected = expected
            .map(|(name, known)| format!("unknown variable {name} is ignored; the nearest known one is {known}"));
        assert_eq!(found, expected);
    });
}

#[test]
fn a_dotenv_file_counts_and_the_environment_wins() {
    on_runtime(async {
        let mut home = Home::bare();
        let file = "BACKEND_ENVIRONMENT=dev\nBACKEND_LOG_LEVEL=ERROR\n# a comment\nBACKEND_LOG_FILE=\nBACKEND_PROT=1\n";
        std::fs::write(home.folder().join(".env"), file).unwrap();
        // An empty value is an unset one, so the file's counts.
        home.set("BACKEND_LOG_LEVEL", "INFO").set("BACKEND_ENVIRONMENT", "");
        let server = home.serve().await;
        assert_eq!(server.get("/").await.json()["environment"], "dev");
        assert!(!home.folder().join("logs").exists());
        assert_eq!(warnings(&server.log).len(), 1);
    });
}

#[test]
fn the_effective_settings_are_logged_without_secrets() {
    on_runtime(async {
        let mut home = Home::bare();
        home.set("BACKEND_SECRET_KEY", KEY).set("DATABASE_URL", "postgres://user:hunter22@127.0.0.1:1/x");
        home.set("BACKEND_SEED_ADMIN_PASSWORD", "hunter22").set("BACKEND_DB_PASSWORD", "hunter22");
        let mut server = home.serve().await;
        server.stop().await;
        server.rest_of_log().await;
        let settings = server.log.iter().find(|event| event["msg"] == "Effective settings").unwrap();
        let settings = settings["settings"].as_str().unwrap();
        assert!(settings.contains("DATABASE_URL=postgres://user:***@127.0.0.1:1/x"), "{settings}");
        assert!(settings.contains("BACKEND_SECRET_KEY=*** "), "{settings}");
        let kept = std::fs::read_to_string(home.folder().join("logs/app.log")).unwrap();
        let heard = server.log.iter().map(Value::to_string).collect::<String>();
        for text in [kept, heard] {
            assert!(!text.contains("hunter22") && !text.contains(KEY), "{text}");
        }
    });
}

#[test]
fn a_log_file_that_cannot_be_written_is_one_warning() {
    on_runtime(async {
        let mut home = Home::bare();
        std::fs::write(home.folder().join("taken"), "").unwrap();
        home.set("BACKEND_LOG_FILE", "taken/app.log");
        let server = home.serve().await;
        assert_eq!(server.get("/health").await.status, 200);
        assert_eq!(warnings(&server.log).len(), 1, "{:?}", server.log);
    });
}

#[test]
fn nobody_reading_the_log_and_a_full_disk_under_it_hurt_no_request() {
    on_runtime(async {
        let mut home = Home::bare();
        home.set("BACKEND_LOG_FILE", "/dev/full");
        let mut server = home.serve().await;
        server.stop_reading();
        for _ in 0..20 {
            assert_eq!(server.get("/health/ready").await.status, 200);
        }
        server.stop().await;
    });
}

#[test]
fn a_command_whose_output_nobody_wants_does_its_work() {
    let home = Home::bare();
    let silent = |args: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Done::of(home.command(args).stdout(writer).spawn().unwrap())
    };
    for args in [&["migrate"][..], &["migrate", "status"], &["seed"]] {
        let done = silent(args);
        assert_eq!(done.code, Some(0), "{args:?} {done:?}");
    }
    assert!(home.succeed(&["seed"]).contains("User already exists"));
}

#[test]
fn a_port_that_is_taken_is_a_failure_and_leaves_the_database_alone() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut home = Home::bare();
    home.set("BACKEND_PORT", &taken.local_addr().unwrap().port().to_string());
    let done = home.run(&["serve"]);
    assert_eq!(done.code, Some(1));
    assert!(done.complaint().contains("cannot listen on 127.0.0.1 port"), "{done:?}");
    assert!(!home.folder().join("data/sme-pulse.db").exists());
}

#[test]
fn the_health_check_command_tells_a_living_server_from_a_dead_one() {
    on_runtime(async {
        let mut home = Home::bare();
        let mut server = home.serve().await;
        home.set("BACKEND_PORT", &server.address.port().to_string());
        assert_eq!(home.run(&["healthcheck"]).code, Some(0));
        server.stop().await;
        assert_eq!(home.run(&["healthcheck"]).code, Some(1));
    });
}
