//! Keys and service accounts over processes: what one server makes another knows, what one revokes the other refuses, and
//! nothing of a key but its public part is written anywhere.

use std::time::Duration;

use serde_json::json;
use sme_pulse_testing::on_both_databases;

use crate::support::{Home, KEY, until};

/// Only a failure takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);
const KEYS: &str = "/api/v1/api-keys";
const CUSTOMERS: &str = "/api/v1/customers";

fn ready(home: &mut Home) {
    home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_LOG_LEVEL", "TRACE");
    home.succeed(&["migrate"]);
    home.succeed(&["seed"]);
}

on_both_databases! {
    async fn a_key_made_at_one_server_opens_another_and_is_refused_there_once_it_is_revoked(mut home: Home) {
        ready(&mut home);
        let (mut here, mut there) = (home.serve().await, home.serve().await);
        let token = here.log_in().await.token();
        let made = here.post_json(KEYS, &token, &json!({"name": "Books", "permissions": ["read_partners"]})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let (id, key) = (made.json()["id"].as_i64().unwrap(), made.json()["key"].as_str().unwrap().to_owned());
        for _ in 0..3 {
            assert_eq!(there.get_with(CUSTOMERS, &key).await.status, 200);
        }
        let revoked = here.http.delete(format!("http://{}{KEYS}/{id}", here.address)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(revoked.status().as_u16(), 204);
        assert_eq!(here.get_with(CUSTOMERS, &key).await.status, 401, "at once where it was done");
        until("refused over there", PATIENCE, async || (there.get_with(CUSTOMERS, &key).await.status == 401).then_some(())).await;
        let cut = &key[..60];
        assert_eq!(there.get_with(CUSTOMERS, cut).await.status, 401);
        for server in [&mut here, &mut there] {
            server.stop().await;
            server.rest_of_log().await;
            let log = format!("{:?}", server.log);
            assert!(log.contains("Invalid API key") && !log.contains(&key[18..40]), "a key is in the log");
        }
    }

    async fn service_accounts_are_made_listed_and_revoked_by_commands(mut home: Home) {
        ready(&mut home);
        let made = home.succeed(&["service-accounts", "create", "gateway"]);
        let key = made.trim_end();
        assert!(made.ends_with('\n') && key.len() == 67 && key.starts_with("smes_"), "the key alone on its line");
        let args = ["service-accounts", "create", "Short one", "--permission", "inspect_tokens", "--expires-days", "9"];
        home.succeed(&args);
        let listed = home.succeed(&["service-accounts", "list"]);
        let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows[0], ["gateway", "active", "inspect_tokens revoke_tokens follow_revocations", &key[..17], "never", "never"]);
        assert_eq!((&rows[1][..3], rows.len()), (&["Short one", "active", "inspect_tokens"][..], 2));
        assert!(!listed.contains(&key[18..]));
        for refused in [
            &["service-accounts", "create", "gateway"][..],
            &["service-accounts", "revoke", "nobody"],
            &["service-accounts", "create", "x", "--permission", "write_users"],
            &["service-accounts", "create", "x", "--expires-days", "366"],
            &["service-accounts", "create", " "],
        ] {
            let done = home.run(refused);
            assert!(done.code != Some(0) && done.stdout.is_empty() && !done.stderr.is_empty(), "{done:?}");
        }
        let server = home.serve().await;
        assert_eq!(server.get_with(CUSTOMERS, key).await.status, 401, "it calls nothing else");
        assert_eq!(home.succeed(&["service-accounts", "revoke", "gateway"]), "Revoked gateway.\n");
        assert!(home.succeed(&["service-accounts", "list"]).starts_with("gateway\trevoked\t"));
    }
}
