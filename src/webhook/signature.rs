//! The signature of a message, and the secret that it is made with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::values::Secret;
use crate::ports::Random;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret: `whsec_` and 32 random bytes in base64.
#[must_use]
pub fn new_secret(random: &dyn Random) -> Secret {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(&mut *bytes);
    Secret::new(format!("{PREFIX}{}", &*Zeroizing::new(STANDARD.encode(*bytes))))
}

/// The signature over the parts, joined by full stops; none where the secret is none.
pub(super) fn sign(secret: &Secret, parts: &[&str; 3]) -> Option<String> {
    let encoded = secret.expose_secret().strip_prefix(PREFIX)?;
    // HMAC takes an empty key, which everybody has.
    let key = Zeroizing::new(STANDARD.decode(encoded).ok().filter(|key| !key.is_empty())?);
    let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(parts.join("."));
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_with(secret: &str, parts: [&str; 3]) -> Option<String> {
        sign(&Secret::new(secret.to_owned()), &parts)
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for secret in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
            assert_eq!(sign_with(secret, ["id", "1", "{}"]), None, "{secret}");
        }
    }

    /// The example of the specification's own libraries
    /// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries>, the test of the signature).
    #[test]
    fn the_example_of_the_specification_is_kept() {
        let parts = ["msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#];
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", parts).as_deref(), Some(expected));
    }
}
