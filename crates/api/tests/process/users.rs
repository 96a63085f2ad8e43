//! `sme-pulse users`: owners, passwords, who may sign in, and people who come from elsewhere with the hashes of their passwords.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use sme_pulse_testing::on_both_databases;

use crate::support::{Answer, Done, Home, KEY, Server, send};

/// Made by other programs of the password `correct horse`: bcrypt, Argon2, and PBKDF2 of passlib, PHC and Django.
const FOREIGN: [&str; 9] = [
    "$2a$05$1tK4nDykUksYQJnT9zXtzOHso2zwtxrpyTL3S7TKYS371EyjxliQe",
    "$2y$05$1tK4nDykUksYQJnT9zXtzOHso2zwtxrpyTL3S7TKYS371EyjxliQe",
    "$argon2id$v=19$m=64,t=2,p=1$yMnKy8zNzs/Q0dLT1NXW1w$oIWZXA/SPVPo+minZlML6kjNc6Wc3HYM+/N4eIvH6uo",
    "$argon2i$v=19$m=64,t=2,p=1$yMnKy8zNzs/Q0dLT1NXW1w$oZQPPhkldA3GEceB6UASqjUrxW1Lrw6c/Uu1OM+MVnI",
    "$argon2d$v=19$m=64,t=2,p=1$yMnKy8zNzs/Q0dLT1NXW1w$HXH8E6ilrEvPWypTBYsQvJy5cd+DShOBzFcpsG749LI",
    "$pbkdf2-sha256$2000$yMnKy8zNzs/Q0dLT1NXW1w$EpvnsomSn0/DFYNCPeKkutYB8qA16UVvzMWXCxhQkA0",
    "$pbkdf2-sha256$i=2000,l=32$yMnKy8zNzs/Q0dLT1NXW1w$EpvnsomSn0/DFYNCPeKkutYB8qA16UVvzMWXCxhQkA0",
    "$pbkdf2-sha512$1500$yMnKy8zNzs/Q0dLT1NXW1w$IjlRsaB05Opl3.sHT2riJrHOj.0Jhvhm1qaBoMMNJZDzQaJM/MBI3mzd8IPNdy38Ttw72Nk.9yltnHKVFWEFcw",
    "pbkdf2_sha256$3000$Ab3dEfGh1jKl$ogsD7CUUt3Pyq4k2DPfS7KFhRZPn8JMRmQ5Oc6d1uRM=",
];

fn prepare(home: &mut Home) {
    home.set("BACKEND_SECRET_KEY", KEY).set("BACKEND_LOG_FILE", "");
    home.succeed(&["migrate"]);
}

async fn log_in(server: &Server, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    send(server.http.post(server.url("/api/v1/auth/login")).json(&body)).await.unwrap()
}

fn run_with_input(home: &Home, args: &[&str], input: &str) -> Done {
    let mut child = home.command(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Done::of(child)
}

fn assert_refused(done: &Done, word: &str) {
    assert!(done.code == Some(1) && done.stdout.is_empty() && done.stderr.contains(word), "{word}: {done:?}");
}

on_both_databases! {
    async fn the_first_owner_of_an_empty_installation_is_made_and_logs_in(mut home: Home) {
        prepare(&mut home);
        let new = ["users", "create-owner", "--organization", "Acme", "--email", "Ann@acme.example", "--name", "Ann"];
        let said = home.succeed(&new);
        let (password, rest) = said.split_once('\n').unwrap();
        assert_eq!((password.len(), rest), (16, "ann@acme.example is an owner of organization 1 (user 1).\n"));
        let server = home.serve().await;
        assert_eq!(log_in(&server, "ann@acme.example", password).await.status, 200);
        assert_refused(&home.run(&new), "somebody has this address");

        let second = ["users", "create-owner", "--organization", "1", "--email", "bob@acme.example", "--password-stdin"];
        for (input, word) in [("short\n", "at least 8 characters"), ("password\n", "most common"), ("bob@acme.example1\n", "name")] {
            assert_refused(&run_with_input(&home, &second, input), word);
        }
        let done = run_with_input(&home, &second, "a long one of my own\n");
        assert!(done.stdout.starts_with("bob@acme.example is an owner of organization 1 (user "), "{done:?}");
        assert_eq!(log_in(&server, "bob@acme.example", "a long one of my own").await.status, 200);
        let nowhere = ["users", "create-owner", "--organization", "9", "--email", "x@acme.example"];
        assert_refused(&home.run(&nowhere), "there is no organization 9");
        let trail = home.succeed(&["audit", "export", "--organization", "1"]);
        assert_eq!((trail.matches("users.created").count(), trail.matches("organization.created").count()), (2, 1));
        home.succeed(&["audit", "check"]);
    }

    async fn a_new_password_ends_sessions_of_a_served_user(mut home: Home) {
        prepare(&mut home);
        home.succeed(&["seed"]);
        let server = home.serve().await;
        let token = server.log_in().await.token();
        let said = home.succeed(&["users", "reset-password", "admin@sme.com"]);
        let (password, rest) = said.split_once('\n').unwrap();
        assert_eq!(rest, "User 1 has a new password; 1 session(s) ended.\n");
        let refused = async || (server.me(&token).await.status == 401).then_some(());
        crate::support::until("the token is refused", std::time::Duration::from_secs(30), refused).await;
        assert_eq!(server.log_in().await.status, 401);
        assert_eq!(server.log_in_with(password).await.status, 200);
        assert_refused(&home.run(&["users", "reset-password", "nobody@sme.com"]), "nobody has the address");
        let trail = home.succeed(&["audit", "export", "--organization", "1"]);
        assert!(trail.matches("users.password_set").count() == 1 && !trail.contains(password), "{trail}");
    }

    async fn the_last_owner_is_disabled_only_when_that_is_said(mut home: Home) {
        prepare(&mut home);
        home.succeed(&["seed"]);
        let server = home.serve().await;
        let token = server.log_in().await.token();
        assert_refused(&home.run(&["users", "disable", "admin@sme.com"]), "--last-owner");
        assert_eq!(server.me(&token).await.status, 200);
        let args = ["users", "disable", "admin@sme.com", "--last-owner"];
        assert_eq!(home.succeed(&args), "User 1 of organization 1 is disabled.\n");
        assert_eq!(home.succeed(&args), "User 1 of organization 1 is already disabled.\n");
        assert_eq!(server.log_in().await.status, 401);
        assert!(home.succeed(&["users", "list", "--organization", "1"]).starts_with("1\tinactive\tadmin@sme.com\towner"));
        assert_eq!(home.succeed(&["users", "enable", "admin@sme.com"]), "User 1 of organization 1 is enabled.\n");
        assert_eq!(server.log_in().await.status, 200);
        assert_eq!(server.me(&token).await.status, 401);
        let trail = home.succeed(&["audit", "export", "--organization", "1"]);
        assert_eq!((trail.matches("users.deactivated").count(), trail.matches("users.activated").count()), (1, 1));
    }

    async fn people_from_elsewhere_log_in_with_their_old_passwords_and_get_a_new_hash(mut home: Home) {
        prepare(&mut home);
        home.succeed(&["seed"]);
        let mut lines = vec!["password_hash,roles,email,full_name,status".to_owned()];
        lines.extend(FOREIGN.iter().enumerate().map(|(index, hash)| {
            format!("\"{hash}\",\"cashier,accountant\",Person{index}@old.example,\"Doe, {index}\",")
        }));
        std::fs::write(home.folder().join("people.csv"), lines.join("\n")).unwrap();
        let import = ["users", "import", "--organization", "1", "people.csv"];
        let dry = home.succeed(&[&import[..], &["--dry-run"]].concat());
        assert!(dry.starts_with(&format!("{} people could be imported", FOREIGN.len())), "{dry}");
        assert_eq!(home.numbers("SELECT COUNT(*) FROM core.users").await, [1]);
        home.succeed(&import);
        let server = home.serve().await;
        for index in 0..FOREIGN.len() {
            let email = format!("person{index}@old.example");
            assert_eq!(log_in(&server, &email, "wrong horse").await.status, 401, "{index}");
            let answer = log_in(&server, &email, "correct horse").await;
            assert_eq!(answer.json()["roles"], json!(["accountant", "cashier"]), "{index}: {answer:?}");
            let hash = home.texts(&format!("SELECT password_hash FROM core.users WHERE email = '{email}'")).await;
            assert!(hash[0].starts_with("$2b$04$"), "{index}: {hash:?}");
            assert_eq!(log_in(&server, &email, "correct horse").await.status, 200, "{index}");
        }
        let again = home.run(&import);
        assert_refused(&again, "line 2: somebody has the address already");
        let trail = home.succeed(&["audit", "export", "--organization", "1"]);
        assert_eq!(trail.matches("users.created").count(), FOREIGN.len());
        assert!(!trail.contains("pbkdf2") && !again.stderr.contains("pbkdf2"));
        home.succeed(&["audit", "check"]);
    }

    async fn one_bad_row_keeps_everybody_out_and_every_one_is_named(mut home: Home) {
        prepare(&mut home);
        home.succeed(&["seed"]);
        let row = |email: &str, roles: &str, hash: &str| json!({"email": email, "roles": [roles], "password_hash": hash});
        let good = FOREIGN[0];
        let lines = [
            row("a@old.example", "cashier", good).to_string(),
            row("a@old.example", "cashier", good).to_string(),
            row("no address", "king", "hunter22").to_string(),
            row("ADMIN@sme.com", "owner", good).to_string(),
            String::new(),
            "{\"email\": \"hunter22".to_owned(),
            json!({"email": "b@old.example", "roles": "cashier", "password_hash": good, "salt": "hunter22"}).to_string(),
            row("c@old.example", "cashier", "$pbkdf2-sha256$2000000000$c2FsdHNhbHQ$AAAA").to_string(),
        ];
        std::fs::write(home.folder().join("people.jsonl"), lines.join("\n")).unwrap();
        let done = home.run(&["users", "import", "--organization", "1", "people.jsonl"]);
        let numbers: Vec<_> = done.stderr.lines().filter_map(|line| line.strip_prefix("line ")?.split(':').next()).collect();
        assert_eq!((done.code, numbers), (Some(1), vec!["2", "3", "3", "3", "4", "6", "7", "8"]), "{done:?}");
        assert!(!done.stderr.contains("hunter22") && !done.stderr.contains(good), "{done:?}");
        assert!(done.stderr.contains("line 2: the address is that of line 1 too"), "{done:?}");
        assert_eq!(home.numbers("SELECT COUNT(*) FROM core.users").await, [1]);
        std::fs::write(home.folder().join("good.jsonl"), &lines[0]).unwrap();
        assert_refused(&home.run(&["users", "import", "--organization", "7", "good.jsonl"]), "there is no organization 7");
        std::fs::write(home.folder().join("odd.csv"), "email,roles,hash\nx,y,hunter22\n").unwrap();
        let odd = home.run(&["users", "import", "--organization", "1", "odd.csv"]);
        assert!(odd.stderr.contains("there is no column password_hash") && !odd.stderr.contains("hunter22"), "{odd:?}");
    }
}
