//! From a shared secret to a key set and back, from one algorithm to another, and what does not open or is not ours.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sme_pulse_auth::{
    AccessError,
    service::{KeySetError, ServiceKeys},
    token::{Algorithm, NewToken, Signer, SigningKey, TokenError, token_id},
};
use sme_pulse_domain::{
    clock::Clock as _,
    method::Methods,
    role::RoleSet,
    signing_key::{KeyRecord, KeyState, SHARED_SECRET},
};
use sme_pulse_testing::on_both_databases;

use crate::support::{Office, Replica, SECRET, Setup, eventually};

/// Whose session a genuine token is of, in a token that lives for ten days.
async fn long_token(replica: &Replica, token: &str, signer: &Signer) -> String {
    let caller = replica.auth.authenticate(token).await.unwrap();
    let now = replica.clock.now().timestamp();
    let made = signer.sign(&NewToken {
        user: caller.user_id(),
        org: caller.org_id(),
        session: caller.session().unwrap(),
        roles: &RoleSet::default(),
        token_id: token_id(0, [7; 16]),
        issued_at: now,
        expires_at: now + 10 * 24 * 3600,
        methods: Methods::PASSWORD,
        authenticated_at: now,
    });
    made.unwrap()
}

fn by_secret() -> Signer {
    Signer::new(SECRET, Algorithm::Hs256, "i", "a")
}

fn is_named(token: &str) -> bool {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    String::from_utf8(header).unwrap().contains("kid")
}

async fn algorithm(replica: &Replica, state: KeyState) -> String {
    let all = replica.auth.key_set().list().await.unwrap();
    all.into_iter().find(|key| key.state == state && !key.is_shared_secret()).unwrap().algorithm
}

async fn is_refused(replica: &Replica, token: &str) -> bool {
    let answer = replica.auth.authenticate(token).await;
    matches!(answer, Err(AccessError::InvalidToken(TokenError::UnknownKey | TokenError::WrongAlgorithm)))
}

on_both_databases! {
    async fn tokens_stay_good_through_a_change_to_a_key_set_and_back(office: Office) {
        let before = office.signing_with(3, Algorithm::Hs256).await;
        let by_secret = before.token().await;
        assert!(!is_named(&by_secret));
        let changed = office.signing_with(4, Algorithm::EdDsa).await;
        let by_key = changed.token().await;
        assert!(is_named(&by_key));
        let back = office.signing_with(5, Algorithm::Hs256).await;
        let again = back.token().await;
        assert!(!is_named(&again));
        // In a rolling restart all of them serve at the same time.
        for replica in [&before, &changed, &back] {
            for token in [&by_secret, &by_key, &again] {
                eventually("good everywhere", || async { replica.auth.authenticate(token).await.is_ok() }).await;
            }
        }
    }

    async fn the_shared_secret_counts_for_a_day_after_a_key_set_has_taken_its_place(office: Office) {
        let before = office.signing_with(3, Algorithm::Hs256).await;
        let token = before.token().await;
        let long = long_token(&before, &token, &by_secret()).await;
        let changed = office.signing_with(4, Algorithm::EdDsa).await;
        changed.clock.advance(Duration::from_hours(24));
        changed.auth.authenticate(&long).await.unwrap();
        changed.clock.advance(Duration::from_mins(5));
        assert!(is_refused(&changed, &long).await);
        // Starting once more gives it no more time.
        let later = office.set_up(5, Setup { algorithm: Algorithm::EdDsa, ..Setup::default() }).await;
        later.clock.advance(Duration::from_mins(24 * 60 + 5));
        later.auth.prepare_keys().await.unwrap();
        assert!(is_refused(&later, &long).await);
    }

    async fn tokens_of_a_longer_hash_stay_good_too(office: Office) {
        let before = office.signing_with(3, Algorithm::Hs512).await;
        let token = before.token().await;
        let changed = office.signing_with(4, Algorithm::Es256).await;
        changed.auth.authenticate(&token).await.unwrap();
        let other_hash = long_token(&before, &token, &by_secret()).await;
        assert!(is_refused(&changed, &other_hash).await, "the key fixes the algorithm");
    }

    async fn a_revoked_shared_secret_counts_nowhere_and_signs_no_more(office: Office) {
        let before = office.signing_with(3, Algorithm::Hs256).await;
        let token = before.token().await;
        assert!(matches!(before.auth.key_set().revoke(SHARED_SECRET).await, Err(KeySetError::Last)));
        let changed = office.signing_with(4, Algorithm::EdDsa).await;
        changed.auth.authenticate(&token).await.unwrap();
        changed.auth.key_set().revoke(SHARED_SECRET).await.unwrap();
        changed.auth.reload_keys().await.unwrap();
        assert!(is_refused(&changed, &token).await);
        eventually("refused by who signed with it", || is_refused(&before, &token)).await;
        assert!(is_named(&before.token().await), "which signs with the set from now on");
        let restarted = office.signing_with(5, Algorithm::Hs256).await;
        assert!(is_named(&restarted.token().await) && is_refused(&restarted, &token).await);
    }

    async fn a_key_made_ahead_signs_once_the_setting_names_it_and_everybody_can_know_it(office: Office) {
        let before = office.signing_with(3, Algorithm::Hs256).await;
        let set = before.auth.key_set();
        assert!(matches!(set.rotate(true).await, Err(KeySetError::NoCurrent)));
        let ahead = set.generate(Algorithm::EdDsa).await.unwrap().next.unwrap().kid;
        before.auth.reload_keys().await.unwrap();
        assert!(before.auth.published_keys().await.unwrap().contains(&ahead));
        assert!(!is_named(&before.token().await));
        let changed = office.signing_with(4, Algorithm::EdDsa).await;
        assert!(!is_named(&changed.token().await), "it was published a moment ago");
        changed.clock.advance(Duration::from_mins(1));
        changed.auth.maintain_keys().await.unwrap();
        let current = changed.auth.key_set().list().await.unwrap().into_iter().find(|key| key.kid == ahead).unwrap();
        assert!(current.state == KeyState::Current && is_named(&changed.token().await));
    }

    async fn another_algorithm_signs_after_its_first_key_was_published(office: Office) {
        let before = office.signing_with(3, Algorithm::EdDsa).await;
        let token = before.token().await;
        let changed = office.signing_with(4, Algorithm::Es256).await;
        assert_eq!((algorithm(&changed, KeyState::Current).await, algorithm(&changed, KeyState::Next).await), ("EdDSA".to_owned(), "ES256".to_owned()));
        changed.auth.maintain_keys().await.unwrap();
        assert_eq!(algorithm(&changed, KeyState::Current).await, "EdDSA");
        before.clock.advance(Duration::from_mins(1));
        changed.clock.advance(Duration::from_mins(1));
        changed.auth.maintain_keys().await.unwrap();
        assert_eq!((algorithm(&changed, KeyState::Current).await, algorithm(&changed, KeyState::Next).await), ("ES256".to_owned(), "ES256".to_owned()));
        changed.auth.authenticate(&token).await.unwrap();
        eventually("good at the other too", || async { before.auth.authenticate(&changed.token().await).await.is_ok() }).await;
    }

    async fn with_another_secret_the_keys_do_not_open_and_nothing_is_changed(office: Office) {
        let first = office.signing_with(3, Algorithm::EdDsa).await;
        let rows = "SELECT COALESCE(sealed, '') FROM auth.signing_keys ORDER BY kid";
        let before = office.texts(rows).await;
        let keys = ServiceKeys::new(b"another secret of thirty-two bytes", None);
        let other = office.set_up(4, Setup { keys, algorithm: Algorithm::EdDsa }).await;
        let refused = other.auth.prepare_keys().await.unwrap_err();
        assert!(matches!(refused, KeySetError::Sealed(_)), "{refused}");
        assert!(refused.to_string().contains("BACKEND_ENCRYPTION_KEY") && refused.to_string().contains("BACKEND_SECRET_KEY"));
        assert_eq!(office.texts(rows).await, before);
        // Who has lost the secret can begin anew.
        let current = first.auth.key_set().list().await.unwrap().into_iter().find(|key| key.state == KeyState::Current);
        let (current, lost) = (current.unwrap().kid, other.auth.key_set());
        for done in [lost.revoke(&current).await, lost.rotate(true).await, lost.generate(Algorithm::Es256).await] {
            assert!(matches!(done, Err(KeySetError::Sealed(_))), "not by mistake");
        }
        assert_eq!(office.texts(rows).await, before);
        lost.revoke_lost(&current).await.unwrap();
        other.auth.prepare_keys().await.unwrap();
        let token = other.token().await;
        assert!(is_named(&token) && other.auth.authenticate(&token).await.is_ok());
    }

    async fn a_key_that_somebody_put_into_the_database_signs_nothing_that_is_believed(office: Office) {
        let replica = office.signing_with(3, Algorithm::EdDsa).await;
        let theirs = SigningKey::from_seed(Algorithm::EdDsa, &[9; 32]).unwrap();
        let public = URL_SAFE_NO_PAD.encode(theirs.public().public_bytes().unwrap());
        let forged = long_token(&replica, &replica.token().await, &Signer::with_key(&theirs, "i", "a")).await;
        let id = theirs.id();
        office.sql(&format!(
            "INSERT INTO auth.signing_keys (kid, algorithm, public_key, mac, state, published_at, verify_until) VALUES \
             ('{id}', 'EdDSA', '{public}', '{public}', 'retired', '2025-01-01 00:00:00.000000', '2999-01-01 00:00:00.000000')"
        )).await;
        replica.auth.reload_keys().await.unwrap();
        assert!(is_refused(&replica, &forged).await);
        assert!(!replica.auth.published_keys().await.unwrap().contains(id.as_str()));
        // Its own row with their key in it fools nobody, and counts for nothing either.
        let own = replica.token().await;
        office.sql(&format!("UPDATE auth.signing_keys SET public_key = '{public}' WHERE state = 'current' AND kid <> 'shared-secret'")).await;
        assert!(matches!(replica.auth.reload_keys().await, Err(KeySetError::Sealed(_))));
        assert!(is_refused(&replica, &forged).await && is_refused(&replica, &own).await);
    }

    /// As docs/keys.md tells operators to go about it.
    async fn with_an_encryption_key_the_secret_is_replaced_and_the_keys_stay(office: Office) {
        let encryption = b"an encryption key of thirty-two b.";
        let with = |secret: &'static [u8], encryption: Option<&'static [u8]>| Setup {
            keys: ServiceKeys::new(secret, encryption),
            algorithm: Algorithm::EdDsa,
        };
        let first = office.set_up(3, with(SECRET, None)).await;
        first.auth.prepare_keys().await.unwrap();
        let token = first.token().await;
        let introduced = office.set_up(4, with(SECRET, Some(encryption))).await;
        introduced.auth.prepare_keys().await.unwrap();
        introduced.auth.key_set().rotate(true).await.unwrap();
        introduced.auth.reload_keys().await.unwrap();
        let newer = introduced.token().await;

        let other: &[u8] = b"another secret of thirty-two bytes";
        let replaced = office.set_up(5, with(other, Some(encryption))).await;
        replaced.auth.prepare_keys().await.unwrap();
        for token in [&token, &newer] {
            replaced.auth.authenticate(token).await.unwrap();
        }
        replaced.auth.authenticate(&replaced.token().await).await.unwrap();
        replaced.auth.key_set().rotate(true).await.unwrap();
    }

    async fn a_secret_that_a_straggler_brought_back_is_retired_again(office: Office) {
        let signing = office.signing_with(3, Algorithm::EdDsa).await;
        office.signing_with(4, Algorithm::Hs256).await;
        let state = async || {
            let all = signing.auth.key_set().list().await.unwrap();
            all.into_iter().find(KeyRecord::is_shared_secret).unwrap().state
        };
        assert_eq!(state().await, KeyState::Current);
        signing.auth.maintain_keys().await.unwrap();
        assert_eq!(state().await, KeyState::Retired);
    }
}
