//! Tokens that are signed with the private key of a connection: what Google and Snowflake exchange or accept (RFC 7519).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::catalog::rsa_key::RsaKey;
use crate::catalog::signing::{GoogleServiceAccount, SnowflakeKeyPair};
use crate::domain::time::Timestamp;
use crate::ports::{Outbound, Sign};

/// Where Google exchanges tokens, whatever a pasted file says (<https://developers.google.com/identity/protocols/oauth2/service-account>).
pub(super) const GOOGLE_TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// How long a token is good, in seconds: for one test.
const LIFETIME: i64 = 300;

async fn token(sign: &dyn Sign, key: &RsaKey, header: &Value, claims: &Value) -> Option<String> {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = sign.sign_rs256(&key.pkcs8, signed.as_bytes()).await?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// An object with one member more, where there is a value.
fn with(mut object: Value, member: &str, value: Option<&str>) -> Value {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(member.to_owned(), value.into());
    }
    object
}

/// The request that exchanges a token of a service account for an access token; none where the key does not sign.
pub(super) async fn google_exchange(
    sign: &dyn Sign,
    scheme: &GoogleServiceAccount,
    now: Timestamp,
) -> Option<Outbound> {
    let account = &scheme.account;
    let header = with(json!({ "alg": "RS256", "typ": "JWT" }), "kid", account.key_id.as_deref());
    let iat = now.millis() / 1000;
    let claims = json!({
        "iss": account.email, "scope": scheme.scopes, "aud": GOOGLE_TOKEN_URL, "iat": iat, "exp": iat + LIFETIME,
    });
    let claims = with(claims, "sub", scheme.subject.as_deref());
    let assertion = token(sign, &account.key, &header, &claims).await?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer").append_pair("assertion", &assertion);
    let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    Some(Outbound {
        method: Method::POST,
        url: Url::parse(GOOGLE_TOKEN_URL).ok()?,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
        body: Bytes::from(form.finish()),
    })
}

/// The token with which Snowflake is asked; none where the key does not sign.
pub(super) async fn snowflake(sign: &dyn Sign, scheme: &SnowflakeKeyPair, now: Timestamp) -> Option<String> {
    let subject = format!("{}.{}", scheme.account, scheme.user);
    let iat = now.millis() / 1000;
    let issuer = format!("{subject}.SHA256:{}", STANDARD.encode(scheme.key.fingerprint));
    let claims = json!({ "iss": issuer, "sub": subject, "iat": iat, "exp": iat + LIFETIME });
    token(sign, &scheme.key, &json!({ "alg": "RS256", "typ": "JWT" }), &claims).await
}

/// Puts a token into `Authorization`; none where it cannot stand in a header.
pub(super) fn bear(outbound: &mut Outbound, token: &str) -> Option<()> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    outbound.headers.insert(AUTHORIZATION, value);
    Some(())
}
