//! The alert rules, the dashboard and the documents speak of series that a running server tells, and of all of them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::Home;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The names of the program's and the process' series in a text; those that a histogram adds count as the histogram.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("sme_pulse_") || word.starts_with("process_"));
    let base = |word: &str| {
        let parts = ["_bucket", "_sum", "_count"];
        let histogram = parts.iter().find_map(|part| word.strip_suffix(part)).filter(|base| base.ends_with("_seconds"));
        histogram.unwrap_or(word).to_owned()
    };
    ours.map(base).collect()
}

/// What the figures of the dashboard are computed from.
fn expressions(value: &Value, found: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name == "expr" || name == "query" => {
                        found.push_str(text);
                        found.push('\n');
                    }
                    _ => expressions(member, found),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn rules_dashboard_and_documents_name_the_series_that_are_told() {
    let mut home = Home::sqlite().await;
    home.set("BACKEND_METRICS_ADDR", "127.0.0.1:0");
    let server = home.serve().await;
    server.get("/health").await;
    let scrape = server.scrape().await;
    let types = scrape.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let told: BTreeSet<String> = types.map(ToOwned::to_owned).collect();

    let documented = file("docs/operations.md");
    let table = documented.lines().filter(|line| line.starts_with("| `"));
    let cells: String = table.filter_map(|line| line.split('|').nth(1)).collect();
    assert_eq!(names(&cells), told, "the table of docs/operations.md");

    let rules = file("deploy/prometheus/rules.yml");
    let mut dashboard = String::new();
    expressions(&serde_json::from_str(&file("deploy/grafana/sme-pulse.json")).unwrap(), &mut dashboard);
    for (what, text) in
        [("rules", &rules), ("rules.test", &file("deploy/prometheus/rules.test.yml")), ("dashboard", &dashboard)]
    {
        let named = names(text);
        assert!(named.len() > 10, "{what}: {named:?}");
        assert_eq!(named.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "{what}");
    }
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    let (rules, tests, runbook) =
        (file("deploy/prometheus/rules.yml"), file("deploy/prometheus/rules.test.yml"), file("docs/operations.md"));
    let alerts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 10);
    for alert in &alerts {
        let name = alert.lines().next().unwrap();
        for part in ["expr:", "for:", "severity:", "summary:", "description:"] {
            assert!(alert.contains(part), "{name} has no {part}");
        }
        assert!(alert.contains(&format!("runbook: docs/operations.md#{}\n", name.to_lowercase())), "{name}");
        assert!(runbook.contains(&format!("\n### {name}\n\n")), "{name} has no section");
        assert!(tests.contains(&format!("name: {name}\n")), "{name} has no test");
    }
    assert_eq!(runbook.matches("\n### SmePulse").count(), alerts.len(), "a section without an alert");
}
