//! What replicas know of revocations: at their start, of each other, and when the list goes back.

use sme_pulse_auth::{
    revocation::{Revocations, Revoked},
    service::ServiceKeys,
    token::{Algorithm, KeyRing, Verifier, VerifyingKey},
};
use sme_pulse_domain::{audit::Origin, clock::Clock as _};
use sme_pulse_testing::on_both_databases;

use crate::support::{Office, Replica, SECRET, eventually};

async fn all(replica: &Replica) -> Revocations {
    let message = replica.auth.revocations_after(None, None).await.unwrap();
    let keys = KeyRing::new([VerifyingKey::shared_secret(SECRET, Algorithm::Hs256).unwrap()]).unwrap();
    let opened = Revocations::open(&message.text, &keys, "i", i64::MAX).unwrap();
    assert_eq!(opened.seq, message.progress.seq);
    opened
}

fn position(replica: &Replica, token: &str) -> u64 {
    let now = replica.clock.now().timestamp();
    Verifier::new(SECRET, Algorithm::Hs256).verify_at(token, now).unwrap().position
}

async fn log_out(replica: &Replica) {
    let caller = replica.auth.authenticate(&replica.token().await).await.unwrap();
    replica.auth.log_out(&caller, &Origin::default()).await.unwrap();
}

on_both_databases! {
    async fn a_replica_knows_what_was_taken_back_before_it_started_and_elsewhere(office: Office) {
        for _ in 0..3 {
            log_out(&office.here).await;
        }
        let late = office.with_keys(ServiceKeys::new(SECRET, None)).await;
        // Its first token already, unless reading takes longer than a log-in waits for it; then it is taken for older than it is.
        eventually("its tokens know as well", async || position(&late, &late.token().await) == 3).await;
        for replica in [&office.here, &office.there, &late] {
            eventually("all three are known", async || all(replica).await.entries.len() == 3).await;
        }
        log_out(&office.there).await;
        eventually("the fourth is known here", async || all(&office.here).await.seq == 4).await;
    }

    async fn the_first_token_after_a_change_made_here_knows_it(office: Office) {
        for number in 1..20 {
            log_out(&office.here).await;
            assert_eq!(position(&office.here, &office.here.token().await), number);
        }
    }

    async fn a_list_that_went_back_is_read_anew(office: Office) {
        log_out(&office.here).await;
        log_out(&office.here).await;
        assert_eq!(all(&office.here).await.seq, 2);
        // As a restored backup does.
        office.sql("DELETE FROM auth.revocations WHERE id = 2").await;
        eventually("the number is back", async || all(&office.here).await.seq == 1).await;
        let entries = all(&office.here).await.entries;
        assert!(matches!(entries[..], [ref only] if only.seq == 1 && matches!(only.what, Revoked::Session(_))), "{entries:?}");
        eventually("tokens say so", async || position(&office.here, &office.here.token().await) == 1).await;
    }
}
