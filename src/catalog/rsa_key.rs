//! An RSA private key as people paste it: PEM in PKCS#8, encrypted or not, or in PKCS#1. Parsed when it is entered, so that a
//! bad key is told at once, and when it signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs1::RsaPrivateKeyRef;
use pkcs8::der::asn1::{BitStringRef, Null, OctetStringRef};
use pkcs8::der::{Decode, Encode};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The fewest bits of a modulus that providers accept.
const MIN_BITS: usize = 2048;

/// The most bits: beyond it no provider signs, and signing takes seconds.
const MAX_BITS: usize = 8192;

/// The most rounds of PBKDF2: nobody shall hold an isolate for long with one key.
const MAX_ROUNDS: u32 = 100_000;

/// A private key that can sign.
pub struct RsaKey {
    /// It, in the DER of PKCS#8.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The SHA-256 of its public key, in the DER of `SubjectPublicKeyInfo`.
    pub fingerprint: [u8; 32],
}

/// What is wrong with a key, and with which of the two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProblem {
    /// The key.
    Key(&'static str),
    /// The passphrase.
    Passphrase(&'static str),
}

use KeyProblem::{Key, Passphrase};

const NO_KEY: KeyProblem = Key("must be a private key in PEM, from -----BEGIN to the end of the last line");
const DAMAGED: KeyProblem = Key("is damaged: copy it whole, from -----BEGIN to the end of the last line");
const NOT_RSA: KeyProblem = Key("is no RSA key: make one with openssl genrsa 2048");
const ENCRYPTION: KeyProblem =
    Key("is encrypted in a way that is not supported: encrypt it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc");

/// Reads a key.
///
/// # Errors
/// What is wrong, and what to do about it.
pub fn parse(pem: &str, passphrase: Option<&str>) -> Result<RsaKey, KeyProblem> {
    let (label, der) = unwrap(pem)?;
    if passphrase.is_some() && matches!(label, "PRIVATE KEY" | "RSA PRIVATE KEY") {
        return Err(Passphrase("is not needed: the key is not encrypted. Leave it out"));
    }
    match label {
        "PRIVATE KEY" => of_pkcs8(&der),
        "RSA PRIVATE KEY" => of_pkcs1(&der),
        "ENCRYPTED PRIVATE KEY" => of_pkcs8(&decrypt(&der, passphrase)?),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(Key("is the public key: paste the private key")),
        "CERTIFICATE" => Err(Key("is a certificate: paste the private key")),
        "OPENSSH PRIVATE KEY" => Err(Key("is in the format of OpenSSH: make one with openssl genrsa 2048")),
        "EC PRIVATE KEY" | "DSA PRIVATE KEY" => Err(NOT_RSA),
        _ => Err(NO_KEY),
    }
}

/// The label and the bytes between the lines of a PEM text, however its lines were broken.
fn unwrap(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>), KeyProblem> {
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or(NO_KEY)?;
    let (label, rest) = rest.split_once("-----").ok_or(NO_KEY)?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----")).ok_or(DAMAGED)?;
    if body.contains("Proc-Type:") {
        return Err(ENCRYPTION);
    }
    let mut text = Zeroizing::new(String::with_capacity(body.len()));
    text.extend(body.chars().filter(|c| !c.is_whitespace()));
    let der = STANDARD.decode(&*text).map_err(|_| DAMAGED)?;
    Ok((label, Zeroizing::new(der)))
}

fn decrypt(der: &[u8], passphrase: Option<&str>) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    let passphrase = passphrase.ok_or(Passphrase("is needed: the private key is encrypted"))?;
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| ENCRYPTION)?;
    // What takes long to decrypt is refused before it does.
    match &info.encryption_algorithm {
        EncryptionScheme::Pbes2(parameters) => match &parameters.kdf {
            Kdf::Pbkdf2(kdf) if kdf.iteration_count <= MAX_ROUNDS => {}
            _ => return Err(ENCRYPTION),
        },
        _ => return Err(ENCRYPTION),
    }
    let wrong = Passphrase("is not the one that the private key is encrypted with");
    let document = info.encryption_algorithm.decrypt(passphrase, info.encrypted_data.as_bytes()).map_err(|_| wrong)?;
    let document = Zeroizing::new(document);
    // A wrong passphrase may by chance leave good padding, but no key.
    PrivateKeyInfoRef::from_der(&document).map_err(|_| wrong)?;
    Ok(document)
}

fn of_pkcs8(der: &[u8]) -> Result<RsaKey, KeyProblem> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| DAMAGED)?;
    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
        return Err(NOT_RSA);
    }
    of_pkcs1(info.private_key.as_bytes())
}

fn of_pkcs1(der: &[u8]) -> Result<RsaKey, KeyProblem> {
    let key = RsaPrivateKeyRef::from_der(der).map_err(|_| DAMAGED)?;
    let bits = key.modulus.as_bytes().len() * 8;
    if bits < MIN_BITS {
        return Err(Key("is too short: providers accept 2048 bits and more"));
    }
    if bits > MAX_BITS {
        return Err(Key("is too long: at most 8192 bits are signed with"));
    }
    let algorithm = || AlgorithmIdentifier { oid: pkcs1::ALGORITHM_OID, parameters: Some(Null) };
    let whole = |octets| pkcs8::PrivateKeyInfo::<Null, _, BitStringRef<'_>>::new(algorithm(), octets).to_der();
    let pkcs8 = OctetStringRef::new(der).and_then(whole).map_err(|_| DAMAGED)?;
    let public = key.public_key().to_der().map_err(|_| DAMAGED)?;
    let subject_public_key = BitStringRef::from_bytes(&public).map_err(|_| DAMAGED)?;
    let spki = SubjectPublicKeyInfo { algorithm: algorithm(), subject_public_key };
    let fingerprint = Sha256::digest(spki.to_der().map_err(|_| DAMAGED)?).into();
    Ok(RsaKey { pkcs8: Zeroizing::new(pkcs8), fingerprint })
}
