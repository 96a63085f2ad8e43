//! The signing key: tokens survive restarts, and each key is strong enough or spoken of.

use std::os::unix::fs::PermissionsExt as _;

use sme_pulse_testing::on_both_databases;

use crate::migrate::CHANGES;
use crate::support::{Home, KEY};

on_both_databases! {
    async fn a_token_from_before_a_restart_is_good_after_it(home: Home) {
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        let mut server = home.serve().await;
        let token = server.log_in().await.token();
        assert_eq!(server.me(&token).await.status, 200);
        server.stop().await;

        let file = match home.database().folder() {
            Some(folder) => folder.join("sme-pulse.secret"),
            None => home.folder().join("data/sme-pulse.secret"),
        };
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let mut server = home.serve().await;
        assert_eq!(server.me(&token).await.status, 200);
        server.kill();

        // Another key is another world: the old one was what made the token good.
        std::fs::remove_file(file).unwrap();
        let server = home.serve().await;
        assert_eq!(server.me(&token).await.status, 401);
    }

    async fn servers_that_start_together_on_nothing_migrate_once_and_keep_one_key(home: Home) {
        let (first, second) = tokio::join!(home.serve(), home.serve());
        home.succeed(&["seed"]);
        let token = first.log_in().await.token();
        assert_eq!(second.me(&token).await.status, 200);
        let applied = [&first, &second].map(|server| {
            server.log.iter().filter(|event| event["msg"] == "Migration applied").count()
        });
        assert!(applied == [CHANGES.len(), 0] || applied == [0, CHANGES.len()], "{applied:?}");
    }
}

#[tokio::test]
async fn a_damaged_key_file_stops_the_start_and_is_not_replaced() {
    let home = Home::bare();
    let file = home.folder().join("data/sme-pulse.secret");
    std::fs::create_dir(home.folder().join("data")).unwrap();
    std::fs::write(&file, "short\n").unwrap();
    let done = home.run(&["serve"]);
    assert_eq!(done.code, Some(1));
    assert!(done.complaint().contains("holds no usable signing key"), "{done:?}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "short\n");
}

#[tokio::test]
async fn a_weak_key_is_a_warning_in_development_only() {
    let mut home = Home::bare();
    home.set("BACKEND_SECRET_KEY", "hunter22");
    let server = home.serve().await;
    let warning = server.log.iter().find(|event| event["level"] == 40).unwrap();
    assert!(warning["msg"].as_str().unwrap().starts_with("BACKEND_SECRET_KEY must have at least 32 bytes"));
    assert!(!warning.to_string().contains("hunter22"));
    assert!(!home.folder().join("data/sme-pulse.secret").exists());
}

#[tokio::test]
async fn outside_development_a_strong_key_is_enough_to_start() {
    let mut home = Home::bare();
    home.set("BACKEND_ENVIRONMENT", "production").set("BACKEND_SECRET_KEY", KEY);
    let server = home.serve().await;
    assert_eq!(server.get("/").await.json()["environment"], "production");
    assert!(!home.folder().join("data/sme-pulse.secret").exists());
}
