//! A public key as tools write it: PEM (RFC 7468) around a `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs1::RsaPublicKeyRef;
use pkcs8::ObjectIdentifier;
use pkcs8::der::Decode;
use pkcs8::spki::SubjectPublicKeyInfoRef;

use crate::ports::PublicKey;

use super::keys::rsa;

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1` (RFC 5480, section 2.1.1.1).
const P_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// `id-Ed25519` (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Reads a public key, however its lines were broken; none where it is another text, or a key of another kind: RSA of 2,048 to
/// 8,192 bits, P-256 and Ed25519 are what tokens are signed with here.
#[must_use]
pub fn from_pem(pem: &str) -> Option<PublicKey> {
    let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(body).ok()?;
    let info = SubjectPublicKeyInfoRef::from_der(&der).ok()?;
    let key = info.subject_public_key.as_bytes()?;
    match info.algorithm.oid {
        pkcs1::ALGORITHM_OID => {
            let key = RsaPublicKeyRef::from_der(key).ok()?;
            rsa(key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec())
        }
        EC if info.algorithm.parameters_oid() == Ok(P_256) => {
            // Uncompressed alone (SEC 1, section 2.3.3).
            let (x, y) = key.strip_prefix(&[4])?.split_at_checked(32)?;
            Some(PublicKey::Es256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
        }
        ED25519 if info.algorithm.parameters.is_none() => Some(PublicKey::Ed25519 { x: key.try_into().ok()? }),
        _ => None,
    }
}
