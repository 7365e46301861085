//! AWS Signature Version 4 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>), and
//! roles that are assumed with it.
//!
//! The crate `aws-sigv4` brings the runtime of the AWS SDK along: this is a hundred lines over the HMAC that is linked
//! already. AWS's own signing suite and that crate prove it in the tests.

use std::collections::BTreeMap;
use std::fmt::Write;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use ::http::{HeaderMap, Method};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::xml::element;
use crate::catalog::signing::{AwsKeys, AwsRole};
use crate::domain::time::Timestamp;
use crate::domain::values::Secret;
use crate::ports::Outbound;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Everything but the unreserved characters of RFC 3986 is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How long the credentials of a role live that a test assumes: the shortest that AWS grants.
const ROLE_SECONDS: &str = "900";

/// What a signature is for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The region.
    pub region: &'a str,
    /// The service.
    pub service: &'a str,
    /// When it is made: `20260131T120000Z`.
    pub time: &'a str,
    /// Whether the path is encoded once more, as every service but S3 wants it.
    pub encodes_path: bool,
}

/// Signs a request: adds `X-Amz-Date`, what the service wants, and `Authorization`. Its query is spelled as it is signed.
/// None where a value cannot stand in a header.
pub(super) fn sign(
    outbound: &mut Outbound,
    keys: &AwsKeys,
    (region, service): (&str, &str),
    now: Timestamp,
) -> Option<()> {
    let time = basic(now);
    let scope = Scope { region, service, time: &time, encodes_path: service != "s3" };
    let hash = hex(&Sha256::digest(&outbound.body));
    let mut add = |name: &'static str, value: &str| {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        outbound.headers.insert(HeaderName::from_static(name), value);
        Some(())
    };
    add("x-amz-date", &time)?;
    if service == "s3" {
        add("x-amz-content-sha256", &hash)?;
    }
    if let Some(token) = &keys.session_token {
        add("x-amz-security-token", token.expose_secret())?;
    }
    if outbound.url.query().is_some() {
        let query = canonical_query(&outbound.url);
        outbound.url.set_query(Some(&query));
    }
    let host = outbound.url.host_str()?;
    let host = outbound.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let own = |name: &HeaderName| *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-");
    let mut headers: Vec<(&str, &str)> = vec![("host", &host)];
    for (name, value) in outbound.headers.iter().filter(|(name, _)| own(name)) {
        headers.push((name.as_str(), value.to_str().ok()?));
    }
    let value = authorization(keys, scope, (&outbound.method, &outbound.url, &headers, &hash))?;
    add_authorization(&mut outbound.headers, &value)
}

fn add_authorization(headers: &mut HeaderMap, value: &str) -> Option<()> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Some(())
}

/// The value of `Authorization` for a request: method, URL, the headers to sign, and the hash of the body in hex.
#[must_use]
pub fn authorization(
    keys: &AwsKeys,
    scope: Scope<'_>,
    (method, url, headers, hash): (&Method, &Url, &[(&str, &str)], &str),
) -> Option<String> {
    let mut signed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        signed.entry(name.to_ascii_lowercase()).or_default().push(value);
    }
    let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let lines =
        signed.iter().fold(String::new(), |lines, (name, values)| lines + name + ":" + &values.join(",") + "\n");
    let (path, query) = (canonical_path(url, scope.encodes_path), canonical_query(url));
    let request = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
    let Scope { region, service, time, .. } = scope;
    let date = time.get(..8)?;
    let within = format!("{date}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{within}\n{}", hex(&Sha256::digest(request)));
    let secret = Zeroizing::new(format!("AWS4{}", keys.secret_access_key.expose_secret()));
    let key = [date, region, service, "aws4_request"]
        .iter()
        .try_fold(Zeroizing::new(secret.as_bytes().to_vec()), |key, part| hmac(&key, part))?;
    let signature = hex(&hmac(&key, &to_sign)?);
    let id = &keys.access_key_id;
    Some(format!("{ALGORITHM} Credential={id}/{within}, SignedHeaders={names}, Signature={signature}"))
}

fn hmac(key: &[u8], message: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update(message);
    Some(Zeroizing::new(mac.finalize().into_bytes().to_vec()))
}

/// The path, each segment encoded: once for S3, and for the others once more than it is sent.
fn canonical_path(url: &Url, again: bool) -> String {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let segment = |segment: &str| {
        if again { encode(segment) } else { encode(&percent_decode_str(segment).decode_utf8_lossy()) }
    };
    url.path().split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The parameters of the query, encoded and sorted.
fn canonical_query(url: &Url) -> String {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let mut pairs: Vec<_> = url.query_pairs().map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A moment as AWS writes it: `20260131T120000Z`.
fn basic(now: Timestamp) -> String {
    let digits: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{}Z", digits.split('.').next().unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The request that assumes a role at the endpoint of STS, not signed yet.
pub(super) fn assume_role(role: &AwsRole, endpoint: &Url) -> Outbound {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs([("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleSessionName", "keyfob-test")]);
    form.extend_pairs([("DurationSeconds", ROLE_SECONDS), ("RoleArn", &role.arn)]);
    form.extend_pairs(role.external_id.iter().map(|id| ("ExternalId", id)));
    let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    Outbound {
        method: Method::POST,
        url: endpoint.clone(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
        body: Bytes::from(form.finish()),
    }
}

/// The temporary keys that AWS gave for a role.
pub(super) fn role_keys(answer: &str) -> Option<AwsKeys> {
    Some(AwsKeys {
        access_key_id: element(answer, "AccessKeyId")?,
        secret_access_key: Secret::new(element(answer, "SecretAccessKey")?),
        session_token: Some(Secret::new(element(answer, "SessionToken")?)),
    })
}
