//! What does not hold, each for its own reason.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use keyfob::domain::time::Timestamp;
use keyfob::jwt::{Claims, Expected, Jws, JwtError, KeySet, LEEWAY, MAX_TOKEN};
use serde_json::{Value, json};

use crate::signing::{Ring, Signer};

/// 2026-11-20T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);
const SECONDS: i64 = 1_795_168_800;
pub(crate) const EXPECTED: Expected<'_> =
    Expected { issuer: Some("https://acme.cloudflareaccess.com"), audience: "keyfob-audience" };

/// Claims that hold now.
pub(crate) fn claims() -> Value {
    json!({
        "iss": EXPECTED.issuer, "aud": ["another", EXPECTED.audience], "email": "ann@example.com",
        "iat": SECONDS, "nbf": SECONDS, "exp": SECONDS + 60, "type": "app",
    })
}

pub(crate) fn keys(of: &[(&str, &Signer)]) -> KeySet {
    let keys: Vec<Value> = of.iter().map(|(kid, signer)| signer.jwk(kid)).collect();
    KeySet::parse(json!({ "keys": keys, "public_cert": {} }).to_string().as_bytes()).unwrap()
}

/// Parses, looks the key up by the id that the token names, and verifies.
pub(crate) async fn check(token: &str, keys: &KeySet, now: Timestamp) -> Result<Claims, JwtError> {
    let jws = Jws::parse(token)?;
    let key = jws.kid().and_then(|kid| keys.find(kid)).ok_or(JwtError::UnknownKey)?;
    jws.verify(&Ring, key, &EXPECTED, now).await
}

#[tokio::test]
async fn a_token_of_each_algorithm_holds() {
    for signer in [Signer::rsa(), Signer::other_rsa(), Signer::ec(), Signer::ed()] {
        let keys = keys(&[("other", &Signer::ed()), ("key", &signer)]);
        let held = check(&signer.token("key", &claims()), &keys, NOW).await.unwrap();
        assert_eq!(held.expires_at, Timestamp::from_millis((SECONDS + 60) * 1000));
        assert_eq!(Value::Object(held.all), claims());
    }
}

#[tokio::test]
async fn the_header_never_chooses_the_algorithm() {
    let (rsa, ec) = (Signer::rsa(), Signer::ec());
    let keys = keys(&[("rsa", &rsa), ("ec", &ec)]);
    let claims = claims().to_string();
    for alg in ["none", "None", "", "HS256", "HS512", "RS512", "PS256", "rs256", "ES256", "EdDSA", "RS256 "] {
        let token = rsa.token_of(&json!({ "alg": alg, "kid": "rsa" }).to_string(), &claims);
        assert_eq!(check(&token, &keys, NOW).await, Err(JwtError::Algorithm), "{alg}");
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(check(&format!("{signed}."), &keys, NOW).await, Err(JwtError::Algorithm), "{alg}, unsigned");
    }
    let crossed = ec.token_of(r#"{"alg":"ES256","kid":"rsa"}"#, &claims);
    assert_eq!(check(&crossed, &keys, NOW).await, Err(JwtError::Algorithm));
    let crossed = ec.token_of(r#"{"alg":"RS256","kid":"rsa"}"#, &claims);
    assert_eq!(check(&crossed, &keys, NOW).await, Err(JwtError::Signature));
}

#[tokio::test]
async fn a_key_in_the_header_is_not_used() {
    let (own, foreign) = (Signer::rsa(), Signer::other_rsa());
    let jwk = foreign.jwk("key");
    let header = json!({ "alg": "RS256", "kid": "key", "jwk": jwk, "jku": "https://evil.example.net", "x5c": ["x"] });
    let token = foreign.token_of(&header.to_string(), &claims().to_string());
    assert_eq!(check(&token, &keys(&[("key", &own)]), NOW).await, Err(JwtError::Signature));
}

#[tokio::test]
async fn a_key_that_is_not_known_is_told_apart() {
    let signer = Signer::ed();
    let keys = keys(&[("key", &signer)]);
    for header in
        [json!({ "alg": "EdDSA", "kid": "other" }), json!({ "alg": "EdDSA" }), json!({ "alg": "EdDSA", "kid": "" })]
    {
        let token = signer.token_of(&header.to_string(), &claims().to_string());
        assert_eq!(check(&token, &keys, NOW).await, Err(JwtError::UnknownKey), "{header}");
    }
}

#[tokio::test]
async fn a_header_that_is_not_understood_is_refused() {
    let signer = Signer::ed();
    let keys = keys(&[("key", &signer)]);
    for header in [
        r#"{"alg":"EdDSA","kid":"key","crit":["exp"],"exp":1}"#,
        r#"{"alg":"EdDSA","kid":"key","crit":[]}"#,
        r#"{"alg":"EdDSA","kid":"key","crit":null}"#,
        r#"{"alg":"EdDSA","kid":"key","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"EdDSA","alg":"EdDSA","kid":"key"}"#,
        r#"{"alg":"none","alg":"EdDSA","kid":"key"}"#,
        r#"{"alg":"EdDSA","kid":"other","kid":"key"}"#,
        r#"{"alg":"EdDSA","kid":"key","x":{"y":[{"z":1,"z":1}]}}"#,
        r#"{"alg":"EdDSA","kid":"key","typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","kid":"key","typ":null}"#,
        r#"{"alg":"EdDSA","kid":1}"#,
        r#"{"alg":"EdDSA","kid":null}"#,
        r#"{"alg":["EdDSA"],"kid":"key"}"#,
        r#"{"kid":"key"}"#,
        r#"{"alg":"EdDSA","kid":"key"} x"#,
        r#"{"alg":"EdDSA","kid":"key""#,
        r#"["alg","EdDSA"]"#,
        "null",
        "",
    ] {
        let token = signer.token_of(header, &claims().to_string());
        assert_eq!(check(&token, &keys, NOW).await, Err(JwtError::Malformed), "{header}");
    }
    for typ in ["JWT", "jwt"] {
        let header = json!({ "alg": "EdDSA", "kid": "key", "typ": typ }).to_string();
        check(&signer.token_of(&header, &claims().to_string()), &keys, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_has_three_parts_of_one_spelling() {
    let signer = Signer::rsa();
    let keys = keys(&[("key", &signer)]);
    let token = signer.token("key", &claims());
    check(&token, &keys, NOW).await.unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("{token}") };
    let again = |part: &str, engine: &dyn Fn(Vec<u8>) -> String| engine(URL_SAFE_NO_PAD.decode(part).unwrap());
    let padded = |part: &str| again(part, &|bytes| URL_SAFE.encode(bytes));
    let standard = |part: &str| again(part, &|bytes| STANDARD_NO_PAD.encode(bytes));
    assert!(padded(signature).ends_with("==") && standard(signature) != signature, "256 bytes leave four bits over");
    // The last digit of 256 bytes carries four bits that mean nothing: sixteen spellings, of which one is accepted.
    let other = format!("{}{}", &signature[..signature.len() - 1], if signature.ends_with('A') { 'B' } else { 'Q' });
    let other = if other == signature { format!("{}w", &signature[..signature.len() - 1]) } else { other };
    for wrong in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!(".{token}"),
        format!("{header}..{payload}.{signature}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{header}.{payload}.{}", padded(signature)),
        format!("{header}.{payload}.{}", standard(signature)),
        format!("{header}.{payload}.{signature}\u{e9}"),
        format!("Bearer {token}"),
    ] {
        assert_eq!(check(&wrong, &keys, NOW).await, Err(JwtError::Malformed), "{wrong}");
    }
    for other in [other, format!("{signature}A"), format!("{signature}AA")] {
        assert!(check(&format!("{header}.{payload}.{other}"), &keys, NOW).await.is_err());
    }
    assert_eq!(check(&format!("{header}.{payload}."), &keys, NOW).await, Err(JwtError::Signature));
}

#[tokio::test]
async fn a_token_over_the_limit_is_not_looked_at() {
    let signer = Signer::ed();
    let keys = keys(&[("key", &signer)]);
    let mut claims = claims();
    let short = signer.token("key", &claims);
    // Three bytes of a claim are four digits of the token.
    claims["fill"] = "x".repeat((MAX_TOKEN - short.len()) / 4 * 3 - 12).into();
    let fits = signer.token("key", &claims);
    assert!(fits.len() <= MAX_TOKEN && fits.len() > MAX_TOKEN - 32, "{}", fits.len());
    check(&fits, &keys, NOW).await.unwrap();
    claims["fill"] = "x".repeat(MAX_TOKEN).into();
    assert_eq!(check(&signer.token("key", &claims), &keys, NOW).await, Err(JwtError::Malformed));
}

#[tokio::test]
async fn claims_of_another_issuer_audience_or_time_are_refused() {
    let signer = Signer::ed();
    let keys = keys(&[("key", &signer)]);
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap();
    for (name, value, error) in [
        ("iss", json!("https://evil.cloudflareaccess.com"), JwtError::Issuer),
        ("iss", json!("https://acme.cloudflareaccess.com/"), JwtError::Issuer),
        ("iss", json!([EXPECTED.issuer]), JwtError::Issuer),
        ("iss", Value::Null, JwtError::Issuer),
        ("aud", json!("other"), JwtError::Audience),
        ("aud", json!([]), JwtError::Audience),
        ("aud", json!([["keyfob-audience"]]), JwtError::Audience),
        ("aud", json!({ "keyfob-audience": 1 }), JwtError::Audience),
        ("aud", json!("keyfob-audience "), JwtError::Audience),
        ("exp", json!(SECONDS - leeway), JwtError::Expired),
        ("exp", json!(0), JwtError::Expired),
        ("exp", json!("1795168860"), JwtError::Malformed),
        ("exp", Value::Null, JwtError::Malformed),
        ("exp", json!(-1), JwtError::Malformed),
        ("exp", json!(1e300), JwtError::Malformed),
        ("nbf", json!(SECONDS + leeway + 1), JwtError::NotYet),
        ("nbf", json!("now"), JwtError::Malformed),
        ("iat", json!(SECONDS + leeway + 1), JwtError::NotYet),
        ("iat", json!(true), JwtError::Malformed),
    ] {
        let mut claims = claims();
        claims[name] = value;
        assert_eq!(check(&signer.token("key", &claims), &keys, NOW).await, Err(error), "{claims}");
    }
    for missing in ["iss", "aud", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(missing);
        assert!(check(&signer.token("key", &claims), &keys, NOW).await.is_err(), "{missing}");
    }
    for (name, value) in [
        ("aud", json!(EXPECTED.audience)),
        ("exp", json!(SECONDS - leeway + 1)),
        ("exp", json!(1_795_168_860.75)),
        ("nbf", json!(SECONDS + leeway)),
        ("iat", json!(SECONDS + leeway)),
    ] {
        let mut claims = claims();
        claims[name] = value;
        check(&signer.token("key", &claims), &keys, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn claims_that_are_no_object_or_name_something_twice_are_refused() {
    let signer = Signer::ed();
    let keys = keys(&[("key", &signer)]);
    let valid = claims().to_string();
    let twice = valid.replacen('{', r#"{"email":"eve@example.com","#, 1);
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    for claims in [twice.as_str(), "", "[]", "null", "\"text\"", "{", &deep, &valid.replacen('}', "", 1)] {
        let token = signer.token_of(r#"{"alg":"EdDSA","kid":"key"}"#, claims);
        assert_eq!(check(&token, &keys, NOW).await, Err(JwtError::Malformed), "{claims:.60}");
    }
}

#[test]
fn a_set_takes_only_keys_that_verify_signatures() {
    let parse = |key: Value| KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes());
    let change = |signer: &Signer, name: &str, value: Value| {
        let mut jwk = signer.jwk("key");
        jwk[name] = value;
        jwk
    };
    let (rsa, ec, ed) = (Signer::rsa(), Signer::ec(), Signer::ed());
    for key in [
        change(&rsa, "use", "enc".into()),
        change(&rsa, "key_ops", json!(["encrypt"])),
        change(&rsa, "alg", "PS256".into()),
        change(&rsa, "alg", "HS256".into()),
        change(&rsa, "kty", "oct".into()),
        change(&rsa, "kid", Value::Null),
        change(&rsa, "e", "".into()),
        change(&rsa, "e", "AAEAAQ".into()),
        change(&rsa, "e", "AQAB=".into()),
        change(&rsa, "n", Value::Null),
        change(&rsa, "n", URL_SAFE_NO_PAD.encode([0xff; 255]).into()),
        change(&rsa, "n", URL_SAFE_NO_PAD.encode([0x7f; 256]).into()),
        change(&rsa, "n", URL_SAFE_NO_PAD.encode([0xff; 1025]).into()),
        change(&ec, "crv", "P-384".into()),
        change(&ec, "x", URL_SAFE_NO_PAD.encode([1; 31]).into()),
        change(&ed, "crv", "X25519".into()),
        change(&ed, "x", URL_SAFE_NO_PAD.encode([1; 33]).into()),
        json!({ "kty": "oct", "kid": "key", "k": "c2VjcmV0", "alg": "HS256" }),
    ] {
        assert_eq!(parse(key.clone()), Err(JwtError::Malformed), "{key}");
    }
    for text in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":{}}"#, "<html>"] {
        assert_eq!(KeySet::parse(text.as_bytes()), Err(JwtError::Malformed), "{text}");
    }
}
