//! The signing key: which are accepted, and the one that is made.

use std::{fs, thread};

use sme_pulse_domain::rng::Rng;

use super::{complaint, good, load, production, warnings};
use crate::config::{FILE_NAME, KeyError, SecretFileError, SigningKey, load_or_create};

/// Fills with one byte after the other, beginning anywhere; different generators give different keys.
struct Counting(u8);

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (step, byte) in (0_u8..=u8::MAX).cycle().zip(bytes) {
            *byte = self.0.wrapping_mul(7).wrapping_add(step);
        }
    }
}

#[test]
fn a_weak_key_is_a_warning_in_development_and_refused_elsewhere() {
    let weak = ("BACKEND_SECRET_KEY", "change-me");
    let warnings = warnings(&[weak]);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("BACKEND_SECRET_KEY must have at least 32 bytes"), "{warnings:?}");
    assert!(matches!(good(&[weak]).tokens.key, SigningKey::Configured(key) if key.expose() == "change-me"));
    let complaint = complaint(load(&[weak, ("BACKEND_ENVIRONMENT", "staging")]));
    assert_eq!(complaint, "configuration error: BACKEND_SECRET_KEY must have at least 32 bytes");
}

#[test]
fn longer_hashes_ask_for_longer_keys() {
    for (algorithm, bytes) in [("HS384", 48), ("HS512", 64)] {
        let complaint = complaint(production(&[("BACKEND_ALGORITHM", algorithm)]));
        assert_eq!(complaint, format!("configuration error: BACKEND_SECRET_KEY must have at least {bytes} bytes"));
    }
}

#[test]
fn the_key_for_secrets_at_rest_is_optional_and_never_weak() {
    assert!(production(&[]).unwrap().0.tokens.encryption.is_none());
    let key = "Zq8Wn3Lb6Vx1Tk9Rm4Yd7Hc2Jf5Gs0Pa";
    let config = production(&[("BACKEND_ENCRYPTION_KEY", key)]).unwrap().0;
    assert_eq!(config.tokens.encryption.as_ref().unwrap().expose(), key);
    assert!(config.effective().any(|setting| setting == ("BACKEND_ENCRYPTION_KEY", "***")));
    assert!(!format!("{config:?}").contains(key));
    for (weak, rule) in [
        (&key[..31], "must have at least 32 bytes"),
        ("change-me-change-me-change-me-change-me", "must be random, not a repetition of a few characters"),
    ] {
        let complaint = complaint(production(&[("BACKEND_ENCRYPTION_KEY", weak)]));
        assert_eq!(complaint, format!("configuration error: BACKEND_ENCRYPTION_KEY {rule}"));
        let warning = format!("BACKEND_ENCRYPTION_KEY {rule}; it is accepted in development only");
        assert_eq!(warnings(&[("BACKEND_ENCRYPTION_KEY", weak)]), [warning]);
    }
}

#[test]
fn a_missing_key_outside_development_stops_what_needs_one() {
    let config = good(&[("BACKEND_ENVIRONMENT", "production")]);
    let error = config.tokens.key.resolve(&Counting(1)).unwrap_err();
    assert!(matches!(error, KeyError::Config(_)));
    assert_eq!(error.to_string(), "configuration error: BACKEND_SECRET_KEY must be set outside development");
}

#[test]
fn no_secret_is_shown() {
    let key = "k9Qw2Lz7Xv4Tn8Rb1Yc6Hd3Mf5Gs0JpE";
    let config = good(&[
        ("BACKEND_SECRET_KEY", key),
        ("BACKEND_SEED_ADMIN_PASSWORD", "hunter2hunter2"),
        ("BACKEND_DB_PASSWORD", "hunter3hunter3"),
    ]);
    let shown: Vec<_> = config.effective().map(|(name, value)| format!("{name}={value} ")).collect();
    let shown = shown.concat();
    let everything = format!("{config:?}{shown}");
    assert!(shown.contains("BACKEND_SECRET_KEY=*** ") && shown.contains("BACKEND_SEED_ADMIN_PASSWORD=*** "));
    assert!(![key, "hunter2", "hunter3"].into_iter().any(|secret| everything.contains(secret)), "{everything}");
}

#[test]
fn white_space_is_part_of_a_secret() {
    let config = good(&[("BACKEND_SEED_ADMIN_PASSWORD", " 12345 ")]);
    assert_eq!(config.seed.admin_password.expose(), " 12345 ");
    assert!(config.seed.from_variable && !config.seed.is_default());
    assert!(good(&[("BACKEND_SEED_ADMIN_PASSWORD", "123456")]).seed.is_default());
}

#[test]
fn a_made_key_is_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new/data");
    let made = load_or_create(&place, &Counting(1)).unwrap();
    assert_eq!(made.expose().len(), 64);
    assert_eq!(load_or_create(&place, &Counting(2)).unwrap().expose(), made.expose());
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_kept_key() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    load_or_create(folder.path(), &Counting(1)).unwrap();
    assert_eq!(fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn all_who_start_at_once_get_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let start = std::sync::Barrier::new(16);
    let keys: Vec<String> = thread::scope(|scope| {
        let (folder, start) = (folder.path(), &start);
        let threads: Vec<_> = (0..16_u8)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    load_or_create(folder, &Counting(number)).unwrap().expose().to_owned()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_no_key_is_neither_used_nor_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    for content in ["", "short", "two words, but more than thirty-two bytes of them"] {
        fs::write(&path, content).unwrap();
        assert!(matches!(load_or_create(folder.path(), &Counting(1)), Err(SecretFileError::Unusable(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = load_or_create(&file.join("below"), &Counting(1)).unwrap_err().to_string();
    assert!(error.contains("set BACKEND_SECRET_KEY") && error.lines().count() == 1, "{error}");
}
