//! The contract: `docs/openapi.json` is what the types and handlers say, and says it of every route.

use std::collections::BTreeSet;

use keyfob::api::openapi::Document;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::support::routes::routes;

/// What any operation that asks for a key may answer.
const ANYWHERE: [&str; 5] = ["401", "403", "429", "500", "503"];

fn document() -> Value {
    serde_json::to_value(Document::openapi()).unwrap()
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, String, &Map<String, Value>)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'_ Value)| {
        let methods: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
        methods.into_iter().map(|method| (method, path.clone())).collect::<Vec<_>>()
    };
    let named = paths.iter().flat_map(of_path);
    named.map(|(method, path)| (method.to_uppercase(), path.clone(), operation(document, &method, &path))).collect()
}

fn operation<'a>(document: &'a Value, method: &str, path: &str) -> &'a Map<String, Value> {
    document["paths"][path][method].as_object().unwrap()
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let generated = Document::openapi().to_pretty_json().unwrap();
    let committed = std::fs::read_to_string("docs/openapi.json").unwrap();
    assert!(
        committed.trim_end() == generated.trim_end(),
        "docs/openapi.json is stale: run `make openapi` and commit it"
    );
}

#[test]
fn every_route_is_documented_and_nothing_else() {
    let document = document();
    // A preflight is a matter between a browser and the Worker: no caller sends one.
    let routed = routes().into_iter().filter(|(method, _)| method != "OPTIONS");
    let documented = operations(&document).into_iter().map(|(method, path, _)| (method, path));
    assert_eq!(documented.collect::<BTreeSet<_>>(), routed.collect::<BTreeSet<_>>());
}

#[test]
fn every_operation_that_needs_a_key_documents_what_may_happen_anywhere() {
    let document = document();
    let open = [
        "/healthz",
        "/embed/",
        "/oauth/start/{ticket}",
        "/oauth/callback",
        "/v1/embedded/sessions/exchange",
        "/v1/embedded/connect-links/redemptions",
    ];
    for (method, path, operation) in operations(&document) {
        if operation.get("security") == Some(&json!([{}])) {
            assert!(open.contains(&&*path), "{path} needs no key");
            continue;
        }
        for status in ANYWHERE {
            let answer = &operation["responses"][status];
            assert!(answer["content"]["application/problem+json"].is_object(), "{method} {path}: {status}");
        }
        let takes_body = operation.contains_key("requestBody");
        for status in ["413", "415", "422"] {
            let is_documented = operation["responses"].get(status).is_some();
            assert!(is_documented || !takes_body, "{method} {path} takes a body: {status}");
        }
    }
}

#[test]
fn every_problem_has_the_media_type_of_problems_and_every_operation_its_words() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for word in ["summary", "description"] {
            assert!(operation.contains_key(word), "{method} {path} has no {word}");
        }
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            // What a person's browser asks is answered with pages.
            let is_page = path.starts_with("/oauth/");
            let is_problem = (status.starts_with('4') || status.starts_with('5')) && !is_page;
            let media = &answer["content"]["application/problem+json"];
            assert_eq!(media.is_object(), is_problem, "{method} {path}: {status}");
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let document = document();
    let ids: Vec<&str> = operations(&document).iter().map(|(_, _, of)| of["operationId"].as_str().unwrap()).collect();
    let mut seen = BTreeSet::new();
    let twice: Vec<&&str> = ids.iter().filter(|id| !seen.insert(**id)).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
