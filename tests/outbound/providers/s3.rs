//! Amazon S3, and services with its API, as their documentation describes them:
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
//! - <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
//! - <https://developers.cloudflare.com/r2/api/s3/api/>
//! - <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ErrorCodeBilling.html>
//! - <https://developers.cloudflare.com/r2/api/error-codes/>
//!
//! Read 2026-11-27. What none of them says stands in the provider file.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::sigv4::verifies;
use crate::stub::{self, Effect};

const ID: &str = "AKIAPLANTED000000000";
const SECRET: &str = "plantedPLANTEDplantedPLANTED/planted+000";
const WRONG: &str = "wrongWRONGwrongWRONGwrongWRONG/wrong+000";
const AWS: &str = "https://s3.eu-central-1.amazonaws.com";
const R2: &str = "https://0123456789abcdef.r2.cloudflarestorage.com";

fn service(request: &Received) -> Effect {
    let call = stub::call(request);
    let Some(target) = call.strip_prefix("GET ").and_then(|url| url.strip_prefix(AWS).or(url.strip_prefix(R2))) else {
        return Effect::Unlisted;
    };
    match (verifies(request, (ID, SECRET, None), "s3"), target) {
        (None, _) => error(403, "InvalidAccessKeyId"),
        (Some(false), _) => error(403, "SignatureDoesNotMatch"),
        (_, "/planted?list-type=2&max-keys=1") => xml(200, "<ListBucketResult><Name>planted</Name></ListBucketResult>"),
        (_, "/other?list-type=2&max-keys=1") => error(403, "AccessDenied"),
        (_, "/") => xml(200, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
        _ => Effect::Unlisted,
    }
}

fn xml(status: u16, body: &str) -> Effect {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    let headers = [("Content-Type", "application/xml"), ("x-amz-bucket-region", "eu-central-1")];
    Effect::Harmless(answer(status, &headers, body))
}

fn error(status: u16, code: &str) -> Effect {
    xml(status, &format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>1</RequestId></Error>"))
}

fn values(place: Value, bucket: Option<&str>, secret: &str) -> Values {
    let mut settings = json!({ "access_key_id": ID });
    let Value::Object(place) = place else { panic!("settings are an object") };
    settings.as_object_mut().unwrap().extend(place);
    if let Some(bucket) = bucket {
        settings["bucket"] = json!(bucket);
    }
    (settings, json!({ "secret_access_key": secret }))
}

fn of(
    connection_type: &'static str,
    place: Value,
    facts: &Value,
    door: Vec<(&'static str, &'static str, Result<&'static str, &'static str>)>,
) -> Described {
    let body =
        |code: &str| -> &'static str { format!("<Error><Code>{code}</Code><Message>m</Message></Error>").leak() };
    Described {
        provider: "s3",
        connection_type,
        service,
        good: values(place.clone(), Some("planted"), SECRET),
        told: json!({ "facts": facts, "granted_scopes": [], "expires_at": null }),
        wrong: values(place.clone(), Some("planted"), WRONG),
        limited: Some(values(place, Some("other"), SECRET)),
        answers: vec![
            says(200, "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></ListBucketResult>", VALID),
            says(200, "<html>a login page of a proxy</html>", ODD),
            says(403, body("InvalidAccessKeyId"), REJECTED),
            says(403, body("SignatureDoesNotMatch"), REJECTED),
            says(403, body("RequestTimeTooSkewed"), ODD),
            says(403, body("AccessDenied"), LIMITED),
            says(403, body("AllAccessDisabled"), LIMITED),
            says(403, body("AccountProblem"), LIMITED),
            says(403, body("NotEntitled"), LIMITED),
            says(403, body("InvalidSecurity"), REJECTED),
            says(401, body("Unauthorized"), REJECTED),
            says(400, body("TokenRefreshRequired"), REJECTED),
            says(400, body("ExpiredRequest"), ODD),
            says(307, body("TemporaryRedirect"), GONE),
            says(400, body("IllegalLocationConstraintException"), GONE),
            says(400, body("InvalidBucketName"), GONE),
            says(400, body("ExpiredToken"), EXPIRED),
            says(400, body("InvalidToken"), REJECTED),
            says(404, body("NoSuchBucket"), GONE),
            says(301, body("PermanentRedirect"), GONE),
            says(400, body("AuthorizationHeaderMalformed"), GONE),
            says(503, body("SlowDown"), DOWN),
        ],
        door,
    }
}

pub(super) fn described() -> Vec<Described> {
    let bucket = |more: Vec<_>| {
        let common = vec![
            ("bucket", " planted ", Ok("planted")),
            ("bucket", "s3://planted", Err("refused")),
            ("bucket", "planted/path", Err("refused")),
            ("bucket", "arn:aws:s3:::planted", Err("refused")),
            ("bucket", "..", Err("pattern")),
        ];
        [common, more].concat()
    };
    vec![
        of(
            "access_keys",
            json!({ "region": "eu-central-1" }),
            &json!({ "bucket_region": "eu-central-1" }),
            bucket(vec![
                ("region", "eu-central-1a", Err("refused")),
                ("access_key_id", "AIDA0000000000000000", Err("refused")),
            ]),
        ),
        of(
            "compatible",
            json!({ "endpoint": R2, "region": "auto" }),
            &json!({}),
            bucket(vec![
                ("endpoint", "https://minio.acme.dev:9000/", Ok("https://minio.acme.dev:9000")),
                ("endpoint", "https://minio.acme.dev/planted", Err("pattern")),
                ("endpoint", "http://minio.acme.dev", Err("insecure_url")),
                ("access_key_id", "a/b", Err("pattern")),
                ("region", "AUTO", Ok("auto")),
                ("session_token", "a b", Err("pattern")),
            ]),
        ),
    ]
}

claims!();

#[tokio::test]
async fn without_a_bucket_the_buckets_are_listed() {
    for (of, place) in
        described().iter().zip([json!({ "region": "eu-central-1" }), json!({ "endpoint": R2, "region": "auto" })])
    {
        let stub = Stub::start(service).await;
        assert_eq!(meaning(&test(of, stub.network(), &values(place, None, SECRET)).await), VALID);
    }
}
