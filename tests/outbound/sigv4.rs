//! Signature Version 4 against AWS's own signing suite, which the crate `aws-sigv4` ships, and against that crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign};
use aws_sigv4::sign::v4;
use http::Method;
use keyfob::catalog::signing::AwsKeys;
use keyfob::domain::values::Secret;
use keyfob::probe::aws_sigv4::{Scope, authorization};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::counterpart::Received;

/// Cases whose path no URL of ours has (the URL standard resolves dots, and empty segments are nowhere), and two that
/// come without keys and signature.
const LEFT_OUT: [&str; 9] = [
    "double-encode-path",
    "double-url-encode",
    "get-relative-relative-unnormalized",
    "get-relative-unnormalized",
    "get-slash-dot-slash-normalized",
    "get-slash-dot-slash-unnormalized",
    "get-slash-normalized",
    "get-slash-pointless-dot-unnormalized",
    "get-slashes-normalized",
];

fn hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn keys(id: &str, secret: &str) -> AwsKeys {
    AwsKeys { access_key_id: id.to_owned(), secret_access_key: Secret::new(secret.to_owned()), session_token: None }
}

/// The folder of the suite, among the sources of the crates that cargo has fetched.
fn suite() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|package| package["name"] == "aws-sigv4").unwrap();
    let manifest = Path::new(found["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("aws-signing-test-suite/v4")
}

/// Signs the request of a case, and returns the signature.
fn signed(case: &Path) -> String {
    let text = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let context: Value = serde_json::from_str(&text("context.json")).unwrap();
    let request = text("request.txt").replace("\r\n", "\n");
    let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
    let head = head.replace("\n ", " ");
    let mut lines = head.lines();
    let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
    let target = rest.rsplit_once(' ').unwrap().0;
    let url = Url::parse(&format!("https://example.amazonaws.com{target}")).unwrap();
    let time: String = context["timestamp"].as_str().unwrap().replace(['-', ':'], "");
    let mut headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    headers.push(("X-Amz-Date", &time));
    let credentials = &context["credentials"];
    let token = credentials["token"].as_str().filter(|_| context["omit_session_token"] != true);
    headers.extend(token.map(|token| ("X-Amz-Security-Token", token)));
    let hash = hash(body.as_bytes());
    if context["sign_body"] == true {
        headers.push(("x-amz-content-sha256", &hash));
    }
    let keys = keys(credentials["access_key_id"].as_str().unwrap(), credentials["secret_access_key"].as_str().unwrap());
    let scope = Scope {
        region: context["region"].as_str().unwrap(),
        service: context["service"].as_str().unwrap(),
        time: &time,
        encodes_path: false,
    };
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let value = authorization(&keys, scope, (&method, &url, &headers, &hash)).unwrap();
    value.rsplit_once("Signature=").unwrap().1.to_owned()
}

#[test]
fn every_signature_of_the_suite_of_aws_is_made() {
    let mut cases: Vec<_> = std::fs::read_dir(suite()).unwrap().map(|case| case.unwrap().path()).collect();
    cases.retain(|case| !LEFT_OUT.contains(&&*case.file_name().unwrap().to_string_lossy()));
    assert!(cases.len() >= 30, "{}", cases.len());
    for case in cases {
        let expected = std::fs::read_to_string(case.join("header-signature.txt")).unwrap();
        assert_eq!(signed(&case), expected.trim(), "{}", case.display());
    }
}

/// The signature that the crate of AWS makes.
fn by_the_crate(service: &str, request: (&str, &str, &[(&str, &str)], &[u8]), seconds: u64) -> String {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = aws_sigv4::http_request::PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let identity = aws_credential_types::Credentials::new("AKIDEXAMPLE", "s3cr3t", None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let (method, url, headers, body) = request;
    let request = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
    sign(request, &params).unwrap().into_parts().1
}

proptest! {
    #[test]
    fn the_crate_of_aws_signs_alike(
        path in "(/[A-Za-z0-9._~!$&'()*+,;=:@ é%-]{1,12}){1,3}",
        query in proptest::collection::vec(("[A-Za-z0-9 é/+*_~-]{1,8}", "[A-Za-z0-9 é&=/+*_~-]{0,8}"), 0..4),
        header in "[!-~]([ -~]{0,20}[!-~])?",
        body in proptest::collection::vec(any::<u8>(), 0..40),
        s3 in any::<bool>(),
        days in 0_u64..20_000,
    ) {
        let service = if s3 { "s3" } else { "sts" };
        let mut url = Url::parse("https://host.example").unwrap();
        // What is sent is spelled as it is signed.
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
            .replace('+', "%20").replace('*', "%2A").replace("%7E", "~");
        // For S3 the crate takes a path that is encoded already.
        url.set_path(&if s3 { path.split('/').map(encode).collect::<Vec<_>>().join("/") } else { path });
        let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        url.set_query(Some(&pairs.join("&")).filter(|query| !query.is_empty()).map(String::as_str));
        let days_of = keyfob::domain::time::Timestamp::from_millis(i64::try_from(days * 86_400_000).unwrap()).to_string();
        let time = format!("{}T000000Z", days_of[..10].replace('-', ""));
        let hash = hash(&body);
        let headers = [("host", "host.example"), ("x-amz-date", &*time), ("x-amz-meta-x", &*header)];
        let scope = Scope { region: "eu-central-1", service, time: &time, encodes_path: !s3 };
        let ours = authorization(&keys("AKIDEXAMPLE", "s3cr3t"), scope, (&Method::POST, &url, &headers, &hash)).unwrap();
        // The crate adds host and date itself.
        let theirs = by_the_crate(service, ("POST", url.as_str(), &[("x-amz-meta-x", &header)], &body), days * 86_400);
        prop_assert_eq!(ours.rsplit_once("Signature=").unwrap().1, theirs, "{}", url);
    }
}

/// Whether a request is signed with this secret, for the service and region that it was sent to, as the crate of AWS
/// computes it. `None` where it names another key.
pub(crate) fn verifies(
    request: &Received,
    (id, secret, token): (&str, &str, Option<&str>),
    service: &str,
) -> Option<bool> {
    let authorization = request.header("authorization")?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=")?;
    let (credential, rest) = rest.split_once(", SignedHeaders=")?;
    let (signed, signature) = rest.split_once(", Signature=")?;
    let [key, date, region, scoped, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return None;
    };
    let time = request.header("x-amz-date")?;
    assert!(time.starts_with(date) && scoped == service, "{credential} {time}");
    if key != id || request.header("x-amz-security-token") != token {
        return None;
    }
    let host = request.header("host")?;
    let expected = if service == "s3" { format!("s3.{region}.") } else { format!("sts.{region}.amazonaws.") };
    assert!(host.starts_with(&expected) || !host.contains("amazonaws"), "{host} is not of {region}");
    let seconds = keyfob::domain::time::Timestamp::parse(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        &time[..4],
        &time[4..6],
        &time[6..8],
        &time[9..11],
        &time[11..13],
        &time[13..15]
    ));
    let seconds = u64::try_from(seconds.unwrap().millis() / 1000).unwrap();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = aws_sigv4::http_request::PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = aws_sigv4::http_request::PayloadChecksumKind::XAmzSha256;
        assert_eq!(request.header("x-amz-content-sha256"), Some(&*hash(&request.body)));
    }
    let token = token.map(str::to_owned);
    let identity = aws_credential_types::Credentials::new(id, secret, token, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let url = crate::stub::address(request);
    let headers = request.header("content-type").map(|value| ("content-type", value));
    assert_eq!(signed.split(';').any(|name| name == "content-type"), headers.is_some(), "{signed}");
    let signable = SignableRequest::new(&request.method, url, headers.into_iter(), SignableBody::Bytes(&request.body));
    Some(sign(signable.unwrap(), &params).unwrap().into_parts().1 == signature)
}
