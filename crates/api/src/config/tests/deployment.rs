//! The files of `deploy/` agree with the program, with the image and with each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::load;
use crate::config::known;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn file(path: &str) -> String {
    fs::read_to_string(folder().join(path)).unwrap()
}

fn files(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// What follows a label on its line, without quotes; once for each time it is there.
fn values<'a>(text: &'a str, label: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    lines.filter_map(|line| Some(line.strip_prefix(label)?.trim().trim_matches('"'))).collect()
}

fn value<'a>(text: &'a str, label: &str) -> &'a str {
    let found = values(text, label);
    assert_eq!(found.len(), 1, "{label}");
    found[0]
}

fn seconds(text: &str, label: &str) -> u64 {
    value(text, label).trim_end_matches('s').parse().unwrap()
}

#[test]
fn every_variable_that_the_files_name_is_known() {
    let known: BTreeSet<_> = known().collect();
    let mut found = Vec::new();
    files(&folder(), &mut found);
    let mut named = 0;
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if word.starts_with("BACKEND_") || word.starts_with("OTEL_") || word.ends_with("_URL") {
                named += 1;
                // `BACKEND_DB_*` in a comment speaks of all of them.
                let all = word.ends_with('_') && known.iter().any(|name| name.starts_with(word));
                assert!(known.contains(word) || all, "{word} in {}", path.display());
            }
        }
    }
    assert!(named > 50);
}

#[test]
fn user_and_ports_are_those_of_the_image() {
    let image = file("Dockerfile");
    let (user, port) = (value(&image, "USER ").split(':').next().unwrap(), value(&image, "EXPOSE "));
    let settings = file("kubernetes/setup/settings.yaml");
    let metrics = value(&settings, "BACKEND_METRICS_ADDR:").rsplit(':').next().unwrap();
    assert_eq!(value(&settings, "BACKEND_PORT:"), port);
    let serve = file("kubernetes/deployment.yaml");
    for pod in [&serve, &file("kubernetes/migrate/job.yaml")] {
        assert_eq!(
            (value(pod, "runAsUser:"), value(pod, "runAsGroup:"), value(pod, "image:")),
            (user, user, "sme-pulse")
        );
        for guard in ["runAsNonRoot: true", "readOnlyRootFilesystem: true", "drop: [ALL]", "type: RuntimeDefault"] {
            assert!(pod.contains(guard), "{guard}");
        }
    }
    assert_eq!(values(&serve, "containerPort:"), [port, metrics]);
    assert_eq!(value(&serve, "prometheus.io/port:"), metrics);
    let network = file("kubernetes/network.yaml");
    assert_eq!(values(&network, "port:")[..2], [port, metrics]);

    let compose = file("compose.yaml");
    assert_eq!(value(&compose, "BACKEND_PORT:"), port);
    assert!(compose.contains(&format!("user: \"{user}:{user}\"")));
    let proxy = file("haproxy/haproxy.cfg");
    for name in ["serve-1", "serve-2"] {
        assert!(compose.contains(&format!("\n  {name}:\n")));
        assert!(proxy.contains(&format!("\n    server {name} {name}:{port}\n")));
    }
}

#[test]
fn the_proxy_believes_the_address_that_compose_gives_the_machine_and_servers_believe_that_network() {
    let compose = file("compose.yaml");
    let gateway = value(&compose, "gateway:");
    assert!(file("haproxy/haproxy.cfg").contains(&format!("acl tls_proxy src {gateway}\n")));
    assert_eq!(value(&compose, "BACKEND_TRUSTED_PROXIES:"), value(&compose, "subnet:"));
}

#[test]
fn nothing_is_killed_before_drain_and_work_in_flight_are_over() {
    // What is in flight has 10 s: crates/api/tests/process/stop.rs.
    let stop = 10;
    let drain = seconds(&file("kubernetes/setup/settings.yaml"), "BACKEND_DRAIN_SECONDS:");
    assert!(drain + stop < seconds(&file("kubernetes/deployment.yaml"), "terminationGracePeriodSeconds:"));
    let compose = file("compose.yaml");
    assert!(seconds(&compose, "BACKEND_DRAIN_SECONDS:") + stop < seconds(&compose, "stop_grace_period:"));
    assert!(stop < seconds(&file("sme-pulse.service"), "TimeoutStopSec="));
}

#[test]
fn every_manifest_is_part_of_the_whole_or_said_to_be_optional() {
    for below in ["kubernetes", "kubernetes/setup", "kubernetes/migrate"] {
        let kustomization = file(&format!("{below}/kustomization.yaml"));
        for entry in fs::read_dir(folder().join(below)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let apart = ["kustomization.yaml", "secret.example.yaml"].contains(&name.as_str()) || entry.path().is_dir();
            assert!(apart || kustomization.contains(&format!("- {name}\n")), "{below}/{name}");
        }
    }
}

#[test]
fn the_placeholders_of_the_secrets_are_refused() {
    let text = file("kubernetes/secret.example.yaml");
    let good = [
        ("BACKEND_ENVIRONMENT", "production"),
        ("BACKEND_SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz-0123456789"),
        ("BACKEND_ENCRYPTION_KEY", "9876543210abcdefghijklmnopqrstuvwxyz-9876543210"),
        ("BACKEND_DB_PASSWORD", "a-password-of-ones-own"),
        ("BACKEND_ALLOWED_ORIGINS", "https://app.example.com"),
        ("BACKEND_SMTP_URL", "smtps://mail.example.com"),
    ];
    load(&good).unwrap();
    for name in ["BACKEND_SECRET_KEY", "BACKEND_ENCRYPTION_KEY", "BACKEND_DB_PASSWORD"] {
        for placeholder in values(&text, &format!("{name}:")) {
            let pairs: Vec<_> =
                good.iter().map(|(other, value)| (*other, if *other == name { placeholder } else { value })).collect();
            assert!(format!("{:?}", load(&pairs).unwrap_err()).contains(name), "{name}");
        }
    }
}
