//! Imports of definitions: a plan first, then all or nothing, and the second time nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::{actions, apply, definition, document, import, listed, open_definition, with};
use crate::support::database::Fault::{After, Before, Nothing};
use crate::support::{Keyfob, ROOT, bearer, path_of, shown};

#[tokio::test]
async fn what_is_no_document_of_definitions_is_refused_with_its_place() {
    let keyfob = Keyfob::start().await;
    let one = definition("acme");
    for (document, pointer, code) in [
        (json!({}), "/format", "missing"),
        (json!({ "format": "keyfob/definitions/2", "connections": [] }), "/format", "invalid"),
        (json!({ "format": "keyfob/definitions/1" }), "/connections", "missing"),
        (document(&[with(one.clone(), "extra", json!(1))]), "/connections/0/extra", "unknown_field"),
        (
            document(&[one.clone(), with(one.clone(), "stable_key", json!("A B"))]),
            "/connections/1/stable_key",
            "invalid",
        ),
        (document(&[with(one.clone(), "stable_key", json!(null))]), "/connections/0/stable_key", "invalid"),
        (document(&[one.clone(), one.clone()]), "/connections/1/stable_key", "duplicate"),
        (document(&[with(one.clone(), "kind", json!("other"))]), "/connections/0/kind", "invalid"),
        (document(&[with(one.clone(), "provider", json!("unknown"))]), "/connections/0/provider", "unknown"),
        (
            document(&[with(one.clone(), "connection_type", json!("oauth9"))]),
            "/connections/0/connection_type",
            "unknown",
        ),
        (document(&[with(one.clone(), "settings", json!({}))]), "/connections/0/settings/base_url", "missing"),
        (
            document(&[with(one.clone(), "settings", json!({ "base_url": "https://a.dev", "hush": 1 }))]),
            "/connections/0/settings/hush",
            "unknown_field",
        ),
        (
            document(&[with(one.clone(), "settings", json!({ "base_url": "https://a.dev", "token": "hush" }))]),
            "/connections/0/settings/token",
            "is_secret",
        ),
        (
            document(&[with(one.clone(), "settings", json!({ "base_url": "https://10.0.0.1" }))]),
            "/connections/0/settings/base_url",
            "destination",
        ),
        (
            document(&[with(one.clone(), "tags", (0..21).map(|tag| json!(tag.to_string())).collect())]),
            "/connections/0/tags",
            "invalid",
        ),
    ] {
        for dry_run in [true, false] {
            let answer = import(&keyfob, &format!("dry_run={dry_run}"), &document).await;
            assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{document}");
            assert_eq!(answer.errors()[0], (pointer.to_owned(), code.to_owned()), "{document}");
            assert!(!answer.text.contains("hush\\\""), "{}", answer.text);
        }
    }
    assert_eq!(keyfob.database.value::<i64>("select count(*) from connections"), 0);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from audit_events"), 0);
}

#[tokio::test]
async fn every_definition_that_is_wrong_is_told_at_once() {
    let keyfob = Keyfob::start().await;
    let wrong = [
        with(definition("a"), "provider", json!("unknown")),
        definition("b"),
        with(definition("c"), "settings", json!({ "base_url": "nowhere", "x": 1 })),
    ];
    let answer = import(&keyfob, "dry_run=true", &document(&wrong)).await.expect(422);
    let pointers: Vec<String> = answer.errors().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/connections/0/provider", "/connections/2/settings/base_url", "/connections/2/settings/x"]);
}

#[tokio::test]
async fn whether_it_is_a_dry_run_has_to_be_said_and_a_part_has_to_be_there() {
    let keyfob = Keyfob::start().await;
    for query in ["", "dry_run=maybe", "dry_run=true&part=0", "dry_run=true&part=2", "dry_run=true&x=1"] {
        let answer = import(&keyfob, query, &document(&[definition("acme")])).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{query}");
    }
    assert_eq!(actions(&import(&keyfob, "dry_run=true", &document(&[])).await.expect(200).json()), json!([]));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let keyfob = Keyfob::working().await;
    for (name, key) in [("Same", "same"), ("Changed", "changed"), ("Other type", "other")] {
        let mut body = bearer(name);
        (body["environment"], body["stable_key"]) = (json!("production"), json!(key));
        keyfob.create(&body).await;
    }
    let plain = |key: &str, name: &str| {
        let mut plain = with(definition(key), "name", json!(name));
        (plain["description"], plain["tags"]) = (json!(""), json!([]));
        plain
    };
    let definitions = document(&[
        definition("new"),
        open_definition("open"),
        plain("same", "Same"),
        with(plain("changed", "Renamed"), "tags", json!(["x"])),
        with(plain("other", "Other type"), "connection_type", json!("none")),
        with(plain("elsewhere", "Elsewhere"), "settings", json!({ "base_url": "https://other.dev" })),
    ]);
    let before = keyfob.database.dump();
    let answer = import(&keyfob, "dry_run=true", &definitions).await.expect(200).json();
    assert_eq!(
        actions(&answer),
        json!([
            ["new", "create", [], ["token"]],
            ["open", "create", [], []],
            ["same", "unchanged", [], []],
            ["changed", "change", ["name", "tags"], []],
            ["other", "conflict", [], []],
            ["elsewhere", "create", [], ["token"]],
        ])
    );
    assert_eq!(
        shown(&answer, ["environment", "dry_run", "part", "parts", "counts"]),
        json!({
            "environment": "production", "dry_run": true, "part": 1, "parts": 1,
            "counts": { "create": 3, "change": 1, "unchanged": 1, "conflict": 1, "needs_secrets": 2 },
        })
    );
    assert_eq!(answer["connections"][0]["connection_id"], json!(null));
    assert!(answer["connections"][2]["connection_id"].is_string());
    assert_eq!(shown(&answer["connections"][4]["conflict"], ["code"]), json!({ "code": "identity" }));
    assert_eq!(keyfob.database.dump(), before);

    let refused = import(&keyfob, "dry_run=false", &definitions).await;
    assert_eq!(refused.problem(), (409, "import_conflicts".to_owned()));
    assert_eq!(refused.errors(), [("/connections/4/stable_key".to_owned(), "identity".to_owned())]);
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn an_import_makes_connections_that_are_missing_their_secrets_and_the_second_time_nothing() {
    let keyfob = Keyfob::working().await;
    let definitions = document(&[definition("acme"), open_definition("open")]);
    let first = apply(&keyfob, &definitions).await;
    assert_eq!(actions(&first), json!([["acme", "create", [], ["token"]], ["open", "create", [], []]]));
    let all = listed(&keyfob, "production").await;
    assert_eq!(
        shown(&all[0], ["name", "description", "tags", "stable_key", "status", "embedded", "secret_fields", "version"]),
        json!({
            "name": "acme", "description": "Of every environment", "tags": ["a", "b"], "stable_key": "acme",
            "status": "not_active", "embedded": true, "secret_fields": [], "version": 1,
        })
    );
    assert_eq!(all[0]["health"]["reason"], "missing");
    assert_eq!(all[1]["health"]["reason"], "never_tested");
    assert_eq!(first["connections"][0]["connection_id"], all[0]["id"]);
    // What lists, facets and searches need is there, too.
    let found = keyfob.get("/v1/connections?environment=production&search=every&tag=a&provider=http").await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
    let facets = keyfob.get("/v1/connections/facets?environment=production").await.json();
    assert_eq!(facets["providers"], json!([{ "value": "http", "count": 2, "exact": true }]));

    let before = keyfob.database.dump();
    keyfob.advance(Duration::from_secs(1));
    let second = apply(&keyfob, &definitions).await;
    assert_eq!(actions(&second), json!([["acme", "unchanged", [], ["token"]], ["open", "unchanged", [], []]]));
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn an_import_changes_what_it_says_and_keeps_secrets_switches_and_what_it_does_not_say() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    (body["environment"], body["tags"], body["enabled"]) = (json!("production"), json!(["kept"]), json!(false));
    let acme = keyfob.create(&body).await;
    let changed = json!({
        "stable_key": "acme", "provider": "http", "connection_type": "bearer", "name": "Renamed", "enabled": true,
        "embedded": true, "settings": { "base_url": "https://api.acme.dev", "test_path": "/user" },
    });
    let answer = apply(&keyfob, &document(&[changed])).await;
    assert_eq!(actions(&answer), json!([["acme", "change", ["name", "settings"], []]]));
    let after = keyfob.get(&path_of(&acme)).await.expect(200).json();
    assert_eq!(
        shown(&after, ["id", "name", "tags", "enabled", "embedded", "version", "revision", "secret_fields"]),
        json!({
            "id": acme["id"], "name": "Renamed", "tags": ["kept"], "enabled": false, "embedded": false, "version": 2,
            "revision": 2, "secret_fields": ["token"],
        })
    );
    assert_eq!(after["health"]["reason"], "never_tested", "a new revision inherits nothing");
    let reveal = json!({ "fields": ["token"], "reason": "why" });
    let revealed = keyfob.post(&format!("{}/reveal", path_of(&acme)), &reveal).await.expect(200).json();
    assert_eq!(revealed, json!({ "revision": 2, "secrets": { "token": "planted-secret-1" } }));
    let revisions = keyfob.get(&format!("{}/revisions", path_of(&acme))).await.expect(200).json();
    assert_eq!(revisions["data"][0]["secret_changes"], json!({ "token": "unchanged" }));
    let events = keyfob.get(&format!("{}/events", path_of(&acme))).await.expect(200).json();
    assert_eq!(events["data"][0]["changes"], json!({ "name": { "before": "Acme", "after": "Renamed" } }));
}

#[tokio::test]
async fn an_import_that_only_renames_keeps_the_verdict() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["environment"] = json!("production");
    let acme = keyfob.create(&body).await;
    let renamed = json!({ "stable_key": "acme", "provider": "http", "connection_type": "bearer", "name": "Renamed" });
    apply(&keyfob, &document(&[renamed])).await;
    let after = keyfob.get(&path_of(&acme)).await.expect(200).json();
    assert_eq!(
        shown(&after, ["status", "revision", "version"]),
        json!({ "status": "active", "revision": 1, "version": 2 })
    );
}

#[tokio::test]
async fn no_import_sends_kept_secrets_elsewhere() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["environment"] = json!("production");
    keyfob.create(&body).await;
    let moved = with(definition("acme"), "settings", json!({ "base_url": "https://api.evil.dev" }));
    let before = keyfob.database.dump();
    let plan = import(&keyfob, "dry_run=true", &document(std::slice::from_ref(&moved))).await.expect(200).json();
    assert_eq!(plan["connections"][0]["conflict"]["code"], "reenter");
    let answer = import(&keyfob, "dry_run=false", &document(&[moved])).await;
    assert_eq!(answer.problem(), (409, "import_conflicts".to_owned()));
    assert_eq!(answer.errors(), [("/connections/0/settings".to_owned(), "reenter".to_owned())]);
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn every_connection_of_an_import_has_its_event_and_its_audit_row() {
    let keyfob = Keyfob::working().await;
    let answer = apply(&keyfob, &document(&[definition("a"), definition("b")])).await;
    let id = |index: usize| answer["connections"][index]["connection_id"].as_str().unwrap().to_owned();
    let entries = keyfob.get("/v1/audit-events").await.expect(200).json();
    let told: Value = entries["data"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|one| json!([one["action"], one["resource_id"]]))
        .collect();
    assert_eq!(
        told,
        json!([["definitions.imported", "production"], ["connection.created", id(0)], ["connection.created", id(1)],])
    );
    assert_eq!(entries["data"][2]["detail"], json!({ "part": 1, "created": 2, "changed": 0 }));
    keyfob.tick().await;
    let verified = keyfob.get("/v1/audit-events/verification").await.expect(200).json();
    assert_eq!(verified["break"], json!(null), "{verified}");
}

#[tokio::test]
async fn an_import_is_all_or_nothing_whatever_fails() {
    let definitions = document(&[definition("a"), definition("b"), open_definition("c")]);
    for (fault, is_done) in [(Before, false), (After, true)] {
        let keyfob = Keyfob::working().await;
        keyfob.database.fail_next(&[Nothing, fault]);
        let answer = import(&keyfob, "dry_run=false", &definitions).await;
        assert_eq!(answer.status.as_u16(), if is_done { 200 } else { 503 });
        assert_eq!(listed(&keyfob, "production").await.len(), if is_done { 3 } else { 0 });
        keyfob.database.forget_faults();
        apply(&keyfob, &definitions).await;
        assert_eq!(listed(&keyfob, "production").await.len(), 3);
    }
}

#[tokio::test]
async fn two_imports_at_once_make_each_connection_once() {
    let keyfob = Keyfob::working().await;
    let definitions = document(&[definition("a"), definition("b")]);
    let (first, second) =
        tokio::join!(import(&keyfob, "dry_run=false", &definitions), import(&keyfob, "dry_run=false", &definitions));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(listed(&keyfob, "production").await.len(), 2);
}

#[tokio::test]
async fn five_hundred_definitions_are_a_handful_of_statements_and_more_come_in_parts() {
    let keyfob = Keyfob::start().await;
    let all: Vec<Value> = (0..1_001).map(|number| open_definition(&format!("n-{number:04}"))).collect();
    let whole = document(&all);
    keyfob.database.record();
    for (part, count) in [(1, 500), (2, 500), (3, 1)] {
        let answer = import(&keyfob, &format!("dry_run=false&part={part}"), &whole).await.expect(200).json();
        assert_eq!(
            (&answer["part"], &answer["parts"], &answer["counts"]["create"]),
            (&json!(part), &json!(3), &json!(count))
        );
    }
    let batches = keyfob.database.recorded();
    let most = batches.iter().map(|batch| batch.statements.len()).max().unwrap();
    assert!(most <= 10, "{most}");
    for change in [&["name", "settings"][..], &["name"]] {
        let renamed: Vec<Value> = all[..500]
            .iter()
            .map(|one| {
                let one =
                    with(one.clone(), "name", json!(format!("{} {}", one["name"].as_str().unwrap(), change.len())));
                with(one, "settings", json!({ "base_url": "https://api.acme.dev", "test_path": "/other" }))
            })
            .collect();
        let answer = apply(&keyfob, &document(&renamed)).await;
        assert_eq!(answer["connections"][499]["changes"], json!(change));
        assert_eq!(answer["counts"]["change"], 500);
    }
    let rows = "select json_array(count(*), sum(version), sum(revision)) from connections where version > 1";
    assert_eq!(keyfob.database.value::<String>(rows), "[500,1500,1000]");
    assert_eq!(keyfob.database.value::<i64>("select count(*) from events"), 2_001);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from revisions"), 1_501);
}

#[tokio::test]
async fn an_import_needs_its_scope_in_its_environment() {
    let keyfob = Keyfob::start().await;
    let key = keyfob.key(&["transfer"], &["development"]).await;
    let path = "/v1/import?environment=production&dry_run=true";
    let answer = keyfob.request("POST", path, &key, &[], &document(&[definition("acme")])).await;
    assert_eq!(answer.problem(), (403, "environment_not_allowed".to_owned()));
    let answer = keyfob.request("GET", "/v1/export?environment=production", &key, &[], &Value::Null).await;
    assert_eq!(answer.problem(), (403, "environment_not_allowed".to_owned()));
    let writer = keyfob.key(&["connections:read", "connections:write"], &["production"]).await;
    let answer = keyfob.request("POST", path, &writer, &[], &document(&[definition("acme")])).await;
    assert_eq!(answer.problem(), (403, "missing_scope".to_owned()));
    assert_ne!(key, ROOT);
}
