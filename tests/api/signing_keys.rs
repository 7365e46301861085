//! Signing keys: public keys alone, each of one algorithm, listed by their fingerprints.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::signing::Signer;
use crate::support::{Answer, Keyfob, ROOT, shown};

const PATH: &str = "/v1/signing-keys";

async fn register(keyfob: &Keyfob, public_key: &Value) -> Answer {
    keyfob.post(PATH, &json!({ "environment": "development", "name": "Backend", "public_key": public_key })).await
}

/// The PEM of a key whose `SubjectPublicKeyInfo` ends in these bytes.
fn pem(head: &[u8], key: &[u8]) -> String {
    let text = STANDARD.encode([head, key].concat());
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410, section 4), and of P-256 (RFC 5480), up to the key itself.
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P_256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

fn decoded(jwk: &Value, member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_no_public_key_for_signatures_is_refused_and_none_is_stored() {
    let keyfob = Keyfob::start().await;
    let (rsa, ec, ed) = (Signer::rsa().jwk("x"), Signer::ec().jwk("x"), Signer::ed().jwk("x"));
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let ed_pem = pem(ED25519, &decoded(&ed, "x"));
    for key in [
        json!(null),
        json!(1),
        json!([]),
        json!(""),
        json!({}),
        json!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK"),
        json!("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
        json!(ed_pem.replace("PUBLIC KEY", "RSA PUBLIC KEY")),
        json!(ed_pem.replace("MC", "*")),
        json!(ed_pem.replace("-----END", "-----ENDE")),
        json!(format!("{ed_pem}{ed_pem}")),
        json!(pem(ED25519, &[1; 31])),
        json!(pem(ED25519, &[1; 33])),
        json!(pem(P_256, &[[4; 1].as_slice(), &[1; 63]].concat())),
        // Compressed, and a point of another form.
        json!(pem(P_256, &[[2; 1].as_slice(), &[1; 64]].concat())),
        json!(pem(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00", &[1; 32])),
        with(&rsa, "use", json!("enc")),
        with(&rsa, "alg", json!("PS256")),
        with(&rsa, "n", json!(URL_SAFE_NO_PAD.encode([0xff; 255]))),
        with(&ec, "crv", json!("P-384")),
        with(&ed, "kty", json!("oct")),
        json!({ "keys": [ed] }),
    ] {
        let answer = register(&keyfob, &key).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{key}");
        assert_eq!(answer.errors(), [("/public_key".to_owned(), "invalid".to_owned())], "{key}");
    }
    assert_eq!(keyfob.database.value::<i64>("select count(*) from signing_keys"), 0);
}

#[tokio::test]
async fn a_private_key_is_refused_in_words_of_its_own_and_stands_in_no_answer_log_or_row() {
    let keyfob = Keyfob::start().await;
    let mut rsa = Signer::rsa().jwk("x");
    rsa["d"] = json!("planted-private-exponent");
    for key in [
        rsa,
        json!({ "kty": "oct", "k": "planted-private-exponent" }),
        json!("-----BEGIN PRIVATE KEY-----\nplanted-private-exponent\n-----END PRIVATE KEY-----"),
        json!("-----BEGIN EC PRIVATE KEY-----\nplanted-private-exponent\n-----END EC PRIVATE KEY-----"),
    ] {
        let answer = register(&keyfob, &key).await.expect(422);
        assert!(answer.text.contains("This is a private key."), "{}", answer.text);
        assert!(!answer.text.contains("planted"));
    }
    assert!(!keyfob.database.dump().contains("planted"));
    assert!(!keyfob.log.all().concat().contains("planted"));
}

#[tokio::test]
async fn a_key_of_each_algorithm_is_listed_by_its_fingerprint() {
    let keyfob = Keyfob::start().await;
    let (rsa, ec, ed) = (Signer::rsa().jwk("x"), Signer::ec().jwk("x"), Signer::ed().jwk("x"));
    let point = [vec![4], decoded(&ec, "x"), decoded(&ec, "y")].concat();
    // RFC 7638: the required members alone, in their order.
    let canonical = |jwk: &Value, members: &[&str]| {
        let members: Vec<String> = members.iter().map(|name| format!("\"{name}\":{}", jwk[name])).collect();
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
    };
    for (key, algorithm, fingerprint) in [
        (rsa.clone(), "RS256", canonical(&rsa, &["e", "kty", "n"])),
        (ec.clone(), "ES256", canonical(&ec, &["crv", "kty", "x", "y"])),
        (json!(pem(P_256, &point)), "ES256", canonical(&ec, &["crv", "kty", "x", "y"])),
        (ed.clone(), "EdDSA", canonical(&ed, &["crv", "kty", "x"])),
        (json!(pem(ED25519, &decoded(&ed, "x")).replace('\n', "\r\n")), "EdDSA", canonical(&ed, &["crv", "kty", "x"])),
    ] {
        keyfob.advance(std::time::Duration::from_millis(1));
        let created = register(&keyfob, &key).await.expect(201);
        assert_eq!(
            shown(&created.json(), ["algorithm", "fingerprint", "environment", "name"]),
            json!({ "algorithm": algorithm, "fingerprint": fingerprint, "environment": "development", "name": "Backend" })
        );
        let id = created.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(created.header("location"), format!("{PATH}/{id}"));
        let listed = keyfob.get(&format!("{PATH}?environment=development")).await.expect(200).json();
        assert_eq!(listed["data"].as_array().unwrap().last().unwrap(), &created.json());
    }
    let elsewhere = keyfob.get(&format!("{PATH}?environment=production")).await.expect(200).json();
    assert_eq!(elsewhere, json!({ "data": [], "next_cursor": null }));
}

#[tokio::test]
async fn an_rsa_key_in_pem_is_the_same_key_as_its_jwk() {
    let keyfob = Keyfob::start().await;
    let jwk = Signer::rsa().jwk("x");
    let number = |member| {
        let bytes = decoded(&jwk, member);
        let bytes = if bytes[0] >= 0x80 { [vec![0], bytes].concat() } else { bytes };
        der(2, &bytes)
    };
    let key = der(0x30, &[number("n"), number("e")].concat());
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let info = der(0x30, &[algorithm.to_vec(), der(3, &[vec![0], key].concat())].concat());
    let of_pem = register(&keyfob, &json!(pem(&[], &info))).await.expect(201).json();
    let of_jwk = register(&keyfob, &jwk).await.expect(201).json();
    assert_eq!(of_pem["fingerprint"], of_jwk["fingerprint"]);
    assert_eq!(of_pem["algorithm"], "RS256");
}

/// A value of DER with its tag and its length.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        short @ 0..0x80 => vec![u8::try_from(short).unwrap()],
        long => [&[0x82][..], &u16::try_from(long).unwrap().to_be_bytes()].concat(),
    };
    [vec![tag], length, value.to_vec()].concat()
}

#[tokio::test]
async fn an_environment_has_20_signing_keys_at_most() {
    let keyfob = Keyfob::start().await;
    let key = Signer::ed().jwk("x");
    for _ in 0..20 {
        register(&keyfob, &key).await.expect(201);
    }
    let answer = register(&keyfob, &key).await;
    assert_eq!(answer.problem(), (422, "invalid_body".to_owned()));
    assert_eq!(answer.errors()[0].0, "/environment");
    let elsewhere = json!({ "environment": "staging", "name": "Backend", "public_key": key });
    keyfob.post(PATH, &elsewhere).await.expect(201);
    let listed = keyfob.get(&format!("{PATH}?environment=development")).await.expect(200).json();
    let path = format!("{PATH}/{}", listed["data"][0]["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    register(&keyfob, &key).await.expect(201);
}
