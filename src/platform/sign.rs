//! Public-key signatures by the platform's WebCrypto. Keys go in as JWK.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{Array, JSON};
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::send::SendFuture;

use crate::ports::{PublicKey, Sign};

/// The platform's `crypto.subtle`.
pub(super) struct WebCrypto;

mod binding {
    use js_sys::{Array, Object, Promise};
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
        pub(super) fn import_key(
            format: &str,
            key: &Object,
            algorithm: &Object,
            extractable: bool,
            usages: &Array,
        ) -> Result<Promise, JsValue>;
        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
        pub(super) fn sign(algorithm: &Object, key: &JsValue, message: &[u8]) -> Result<Promise, JsValue>;
        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
        pub(super) fn verify(
            algorithm: &Object,
            key: &JsValue,
            signature: &[u8],
            message: &[u8],
        ) -> Result<Promise, JsValue>;
    }
}

#[async_trait]
impl Sign for WebCrypto {
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        // What the platform refuses to import or to verify proves nothing.
        SendFuture::new(verify(key, message, signature)).await.unwrap_or(false)
    }

    async fn sign_rs256(&self, pkcs8: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        SendFuture::new(sign(pkcs8, message)).await.ok()
    }
}

async fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
    let (algorithm, jwk) = describe(key);
    let (algorithm, jwk) = (object(&algorithm)?, object(&jwk)?);
    let usages = Array::of1(&JsValue::from_str("verify"));
    let key = JsFuture::from(binding::import_key("jwk", &jwk, &algorithm, false, &usages)?).await?;
    let outcome = JsFuture::from(binding::verify(&algorithm, &key, signature, message)?).await?;
    Ok(outcome.as_bool() == Some(true))
}

async fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, JsValue> {
    let algorithm = object(&json!({ "name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256" }))?;
    let usages = Array::of1(&JsValue::from_str("sign"));
    let key = js_sys::Uint8Array::from(pkcs8);
    let imported = JsFuture::from(binding::import_key("pkcs8", &key, &algorithm, false, &usages)?).await;
    key.fill(0, 0, key.length());
    let signature = JsFuture::from(binding::sign(&algorithm, &imported?, message)?).await?;
    Ok(js_sys::Uint8Array::new(&signature).to_vec())
}

/// The algorithm, named for importing and verifying at once, and the key as a JWK.
fn describe(key: &PublicKey) -> (Value, Value) {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match key {
        PublicKey::Rs256 { n, e } => (
            json!({ "name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256" }),
            json!({ "kty": "RSA", "n": text(n), "e": text(e) }),
        ),
        PublicKey::Es256 { x, y } => (
            json!({ "name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256" }),
            json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) }),
        ),
        PublicKey::Ed25519 { x } => {
            (json!({ "name": "Ed25519" }), json!({ "kty": "OKP", "crv": "Ed25519", "x": text(x) }))
        }
    }
}

fn object(value: &Value) -> Result<js_sys::Object, JsValue> {
    Ok(JSON::parse(&value.to_string())?.unchecked_into())
}
