//! `BigQuery`, as its documentation describes it:
//! - <https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/list>
//! - <https://cloud.google.com/bigquery/docs/error-messages>
//! - <https://cloud.google.com/bigquery/docs/listing-datasets>
//!
//! Read 2026-11-27.

use serde_json::json;

use super::google::{EMAIL, TOKEN, door, exchange, exchange_answers};
use super::*;
use crate::counterpart::Received;
use crate::keys::{google_file, known, other};
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    let call = stub::call(request);
    if call == "POST https://oauth2.googleapis.com/token" {
        return exchange(request, "https://www.googleapis.com/auth/bigquery");
    }
    let refuse = |status: u16, reason: &str| {
        let error = json!({ "code": status, "errors": [{ "reason": reason }], "status": "X", "message": "m" });
        stub::json(status, &json!({ "error": error }))
    };
    let Some(rest) = call.strip_prefix("GET https://bigquery.googleapis.com/bigquery/v2/projects/") else {
        return Effect::Unlisted;
    };
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    match rest {
        "planted-project/datasets?maxResults=1" => {
            stub::json(200, &json!({ "kind": "bigquery#datasetList", "etag": "x" }))
        }
        "other-project/datasets?maxResults=1" => refuse(403, "accessDenied"),
        "absent-project/datasets?maxResults=1" => refuse(404, "notFound"),
        _ => Effect::Unlisted,
    }
}

fn values(project: &str, key: &str) -> Values {
    (json!({ "project_id": project }), json!({ "credentials": google_file(EMAIL, key) }))
}

pub(super) fn described() -> Vec<Described> {
    let projects = [
        ("project_id", " Planted-Project ", Ok("planted-project")),
        ("project_id", "123456789012", Err("refused")),
        ("project_id", "a/b", Err("pattern")),
    ];
    vec![Described {
        provider: "bigquery",
        connection_type: "service_account",
        service,
        good: values("planted-project", &known()),
        told: json!({ "facts": {}, "granted_scopes": [], "expires_at": null }),
        wrong: values("planted-project", &other()),
        limited: Some(values("other-project", &known())),
        // Answers of the exchange; those of the API come after it, below.
        answers: exchange_answers(),
        door: door().into_iter().chain(projects).collect(),
    }]
}

claims!();

#[tokio::test]
async fn the_answers_of_the_api_have_their_meanings() {
    let of = described().pop().unwrap();
    for (status, body, expected) in [
        (200, r#"{"kind":"bigquery#datasetList"}"#, VALID),
        (200, "{}", ODD),
        (401, r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#, REJECTED),
        (403, r#"{"error":{"code":403,"errors":[{"reason":"accessDenied"}]}}"#, LIMITED),
        (403, r#"{"error":{"code":403,"errors":[{"reason":"billingNotEnabled"}]}}"#, LIMITED),
        (403, r#"{"error":{"code":403,"errors":[{"reason":"rateLimitExceeded"}]}}"#, PAUSE),
        (403, r#"{"error":{"code":403,"errors":[{"reason":"quotaExceeded"}]}}"#, PAUSE),
        (403, r#"{"error":{"code":403,"errors":[{"reason":"blocked"}]}}"#, PAUSE),
        (404, r#"{"error":{"code":404,"errors":[{"reason":"notFound"}]}}"#, GONE),
        (400, r#"{"error":{"code":400,"errors":[{"reason":"invalid"}]}}"#, GONE),
        (429, "{}", PAUSE),
        (503, "{}", DOWN),
    ] {
        let counterpart = Counterpart::start(move |request| {
            let token = r#"{"access_token":"ya29.x"}"#;
            if request.method == "POST" { answer(200, &[], token) } else { answer(status, &[], body) }
        });
        let network = Rerouted::to(counterpart.await.url("/"));
        assert_eq!(meaning(&test(&of, network, &of.good).await), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn without_a_project_that_of_the_key_file_is_taken() {
    let of = described().pop().unwrap();
    let file = google_file(EMAIL, &known());
    let kept = |file: String| {
        checked(&of, &(json!({}), json!({ "credentials": file }))).map(|checked| checked.settings["project_id"].clone())
    };
    assert_eq!(kept(file.clone()), Ok(json!("planted-project")));
    let stub = Stub::start(service).await;
    let values = (json!({}), json!({ "credentials": file.clone() }));
    assert_eq!(meaning(&test(&of, stub.network(), &values).await), VALID);
    // It is held to the same rules, and what is wrong with it is told of the field.
    let replaced = |project: &str| kept(file.replace("\"planted-project\"", project));
    assert_eq!(replaced("\"../x\""), Err(vec!["/settings/project_id pattern".to_owned()]));
    assert_eq!(replaced("\"123456789012\""), Err(vec!["/settings/project_id refused".to_owned()]));
    for none in ["null", "7", "\"  \""] {
        assert_eq!(replaced(none), Err(vec!["/settings/project_id missing".to_owned()]), "{none}");
    }
}

#[tokio::test]
async fn a_project_that_is_absent_is_not_found() {
    let of = described().pop().unwrap();
    let stub = Stub::start(service).await;
    assert_eq!(meaning(&test(&of, stub.network(), &values("absent-project", &known())).await), GONE);
}
