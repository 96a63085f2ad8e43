//! `kill -9` of the server.

use std::time::Duration;

use sme_pulse_testing::on_both_databases;
use tokio::task::{LocalSet, spawn_local};

use super::writes::{WRITES, Writes, prepare};
use crate::support::{Home, until};

const KILLS: usize = 20;

on_both_databases! {
    async fn a_server_that_is_killed_again_and_again_loses_no_write(mut home: Home) {
        prepare(&mut home);
        home.succeed(&["migrate"]);
        home.succeed(&["seed"]);
        let mut server = home.serve().await;
        let writes = Writes::new(server.address, server.log_in().await.token());
        let local = LocalSet::new();
        let server = local.run_until(async {
            let all = spawn_local(std::rc::Rc::clone(&writes).run());
            // Anywhere among the writes, and at any moment of one.
            let mut moments: Vec<_> =
                (0..KILLS).map(|_| (rand::random_range(1..=WRITES * 9 / 10), rand::random_range(0..20))).collect();
            moments.sort_unstable();
            for (at, millis) in moments {
                let bound = Duration::from_mins(2);
                let reached = async || (writes.acknowledged() >= at || writes.is_over()).then_some(());
                until("writes are acknowledged", bound, reached).await;
                tokio::time::sleep(Duration::from_millis(millis)).await;
                server.kill();
                server = home.serve().await;
            }
            all.await.unwrap();
            server
        }).await;
        writes.assert_kept("kill -9", &home, &server).await;
        home.assert_intact().await;
    }
}
