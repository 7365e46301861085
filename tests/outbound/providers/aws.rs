//! AWS STS, as its documentation describes it:
//! - <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
//! - <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
//! - <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>
//! - the service model of STS in botocore, for statuses and hosts
//!
//! Read 2026-11-27. What none of them says stands in the provider file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::counterpart::{Received, Reply};
use crate::sigv4::verifies;
use crate::stub::{self, Effect};

const ID: &str = "AKIAPLANTED000000000";
const SECRET: &str = "plantedPLANTEDplantedPLANTED/planted+000";
const WRONG: &str = "wrongWRONGwrongWRONGwrongWRONG/wrong+000";
const TEMPORARY: &str = "ASIAPLANTED000000000";
const TOKEN: &str = "plantedTOKENplantedTOKENplantedTOKENplantedTOKENplantedTOKEN==";
const ROLE: &str = "arn:aws:iam::123456789012:role/workflows";
const ROLE_ID: &str = "ASIAROLE000000000000";
const ROLE_TOKEN: &str = "roleTOKENroleTOKENroleTOKENroleTOKENroleTOKENroleTOKEN==";
const FORBIDDEN: &str = "arn:aws:iam::123456789012:role/forbidden";

fn service(request: &Received) -> Effect {
    match stub::call(request).as_str() {
        "POST https://sts.us-east-1.amazonaws.com/"
        | "POST https://sts.cn-north-1.amazonaws.com.cn/"
        | "POST https://sts.us-gov-west-1.amazonaws.com/"
        | "POST https://sts.eusc-de-east-1.amazonaws.eu/" => {
            assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
            let form = url::form_urlencoded::parse(&request.body).into_owned().collect::<Vec<_>>();
            let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            assert_eq!(value("Version"), Some("2011-06-15"));
            answer_to(request, value("Action").unwrap_or_default(), value("RoleArn"), value("ExternalId"))
        }
        _ => Effect::Unlisted,
    }
}

fn xml(status: u16, body: &str) -> Effect {
    Effect::Harmless(answer(status, &[("Content-Type", "text/xml")], body))
}

fn error(status: u16, code: &str, message: &str) -> Effect {
    let namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    xml(status, &format!("<ErrorResponse xmlns=\"{namespace}\">{error}<RequestId>1</RequestId></ErrorResponse>"))
}

fn identity(arn: &str, id: &str) -> Effect {
    let result = format!("<Arn>{arn}</Arn><UserId>{id}</UserId><Account>123456789012</Account>");
    xml(
        200,
        &format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <GetCallerIdentityResult>\
             {result}</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        ),
    )
}

fn answer_to(request: &Received, action: &str, role: Option<&str>, external_id: Option<&str>) -> Effect {
    let known = [
        (ID, SECRET, None, "arn:aws:iam::123456789012:user/workflows", "AIDAPLANTED000000000"),
        (TEMPORARY, SECRET, Some(TOKEN), "arn:aws:iam::123456789012:user/workflows", "AIDAPLANTED000000000"),
        (
            ROLE_ID,
            SECRET,
            Some(ROLE_TOKEN),
            "arn:aws:sts::123456789012:assumed-role/workflows/keyfob-test",
            "AROA1:keyfob-test",
        ),
    ];
    let found = known.iter().find_map(|&(id, secret, token, arn, user)| {
        verifies(request, (id, secret, token), "sts").map(|good| (good, id, arn, user))
    });
    match (found, action, role) {
        (None, ..) => error(403, "InvalidClientTokenId", "The security token included in the request is invalid."),
        (Some((false, ..)), ..) => {
            error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        }
        (Some((_, _, arn, user)), "GetCallerIdentity", None) => identity(arn, user),
        (Some((_, ID, ..)), "AssumeRole", Some(ROLE)) if external_id == Some("acme/1") => {
            let keys = format!(
                "<Credentials><AccessKeyId>{ROLE_ID}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
                 <SessionToken>{ROLE_TOKEN}</SessionToken><Expiration>2026-11-21T12:00:00Z</Expiration></Credentials>"
            );
            xml(200, &format!("<AssumeRoleResponse><AssumeRoleResult>{keys}</AssumeRoleResult></AssumeRoleResponse>"))
        }
        (Some(_), "AssumeRole", Some(_)) => {
            error(403, "AccessDenied", "User is not authorized to perform: sts:AssumeRole")
        }
        _ => Effect::Unlisted,
    }
}

fn values(settings: Value, secret: &str) -> Values {
    let mut all = json!({ "access_key_id": ID });
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    all.as_object_mut().unwrap().extend(settings);
    (all, json!({ "secret_access_key": secret }))
}

fn answers() -> Vec<Documented> {
    let body = |code: &str| -> &'static str {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        )
        .leak()
    };
    let late = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20150830T123600Z is now earlier than 20150830T124500Z</Message></Error></ErrorResponse>";
    vec![
        says(
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
            VALID,
        ),
        says(200, "<html>a login page of a proxy</html>", ODD),
        says(403, body("InvalidClientTokenId"), REJECTED),
        says(403, body("SignatureDoesNotMatch"), REJECTED),
        says(403, late, ODD),
        says(403, body("ExpiredToken"), EXPIRED),
        says(403, body("ExpiredTokenException"), EXPIRED),
        says(400, body("RequestExpired"), ODD),
        says(400, body("IncompleteSignature"), REJECTED),
        says(400, body("Throttling"), PAUSE),
        says(400, body("ThrottlingException"), PAUSE),
        says(403, body("OptInRequired"), GONE),
        says(403, body("AccessDeniedException"), LIMITED),
        says(403, body("AccessDenied"), LIMITED),
        says(403, body("RegionDisabledException"), GONE),
        says(400, body("MalformedQueryString"), ODD),
    ]
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "aws",
        connection_type: "access_keys",
        service,
        good: values(json!({}), SECRET),
        told: json!({
            "facts": {
                "account": "123456789012", "arn": "arn:aws:iam::123456789012:user/workflows",
                "user_id": "AIDAPLANTED000000000",
            },
            "granted_scopes": [], "expires_at": null,
        }),
        wrong: values(json!({}), WRONG),
        limited: Some(values(json!({ "role_arn": FORBIDDEN }), SECRET)),
        answers: answers(),
        door: vec![
            ("access_key_id", " AKIAPLANTED000000000\n", Ok("AKIAPLANTED000000000")),
            ("access_key_id", "AIDAPLANTED000000000", Err("refused")),
            ("access_key_id", SECRET, Err("refused")),
            ("access_key_id", "akiaplanted000000000", Err("pattern")),
            ("secret_access_key", "AKIAPLANTED000000000", Err("refused")),
            ("secret_access_key", "short", Err("pattern")),
            ("secret_access_key", " plantedPLANTEDplantedPLANTED/planted+000\n", Ok(SECRET)),
            ("region", " EU-Central-1 ", Ok("eu-central-1")),
            ("region", "us-gov-west-1", Ok("us-gov-west-1")),
            ("region", "us-east-1a", Err("refused")),
            ("region", "us-iso-east-1", Err("refused")),
            ("region", "evil.example/", Err("pattern")),
            ("role_arn", ROLE, Ok(ROLE)),
            ("role_arn", "arn:aws:iam::123456789012:user/x", Err("refused")),
            ("role_arn", "workflows", Err("pattern")),
            ("session_token", TOKEN, Err("not_visible")),
            ("external_id", "acme", Err("not_visible")),
        ],
    }]
}

claims!();

fn only() -> Described {
    described().pop().unwrap()
}

async fn found(values: Values) -> Finding {
    let stub = Stub::start(service).await;
    test(&only(), stub.network(), &values).await
}

#[test]
fn temporary_keys_need_their_session_token() {
    let values = |secrets: Value| (json!({ "access_key_id": TEMPORARY }), secrets);
    let missing = checked(&only(), &values(json!({ "secret_access_key": SECRET }))).err();
    assert_eq!(missing, Some(vec!["/secrets/session_token missing".to_owned()]));
    assert!(checked(&only(), &values(json!({ "secret_access_key": SECRET, "session_token": TOKEN }))).is_ok());
}

#[tokio::test]
async fn a_wrong_session_token_is_rejected_and_the_right_one_valid() {
    let with = |token: &str| {
        (json!({ "access_key_id": TEMPORARY }), json!({ "secret_access_key": SECRET, "session_token": token }))
    };
    assert_eq!(meaning(&found(with(&TOKEN.replace('p', "q"))).await), REJECTED);
    assert_eq!(meaning(&found(with(TOKEN)).await), VALID);
}

#[tokio::test]
async fn a_role_is_assumed_and_says_who_it_is() {
    let wrong = json!({ "role_arn": ROLE, "external_id": "other" });
    assert_eq!(meaning(&found(values(wrong, SECRET)).await), LIMITED);
    let finding = found(values(json!({ "role_arn": ROLE, "external_id": "acme/1" }), SECRET)).await;
    assert_eq!(meaning(&finding), VALID);
    assert_eq!(finding.facts["arn"], "arn:aws:sts::123456789012:assumed-role/workflows/keyfob-test");
}

#[tokio::test]
async fn each_partition_is_asked_at_its_own_address() {
    for region in ["cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
        assert_eq!(meaning(&found(values(json!({ "region": region }), SECRET)).await), VALID, "{region}");
    }
}

/// STS may refuse a right secret for some seconds after a wrong one.
#[tokio::test]
async fn a_refused_signature_is_believed_the_second_time() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let counterpart = Counterpart::start(move |request| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let effect = if first { error(403, "SignatureDoesNotMatch", "m") } else { service(request) };
        match effect {
            Effect::Harmless(reply) => reply,
            _ => Reply::Reset,
        }
    });
    let network = Rerouted::to(counterpart.await.url("/"));
    assert_eq!(meaning(&test(&only(), network, &only().good).await), VALID);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
