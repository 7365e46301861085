//! What a filter finds, changed a page at a time, each page all or nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, bearer, path_of};

const BULK: &str = "/v1/connections/bulk";

fn body(action: &str, filter: &Value, more: &Value) -> Value {
    let mut body = json!({ "environment": "development", "filter": filter, "action": action, "dry_run": false });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn bulk(keyfob: &Keyfob, action: &str, filter: &Value, more: &Value) -> Answer {
    keyfob.post(BULK, &body(action, filter, more)).await
}

async fn bulk_of(keyfob: &Keyfob, action: &str, ids: &Value, more: &Value) -> Answer {
    let mut body = body(action, &Value::Null, more);
    body["ids"] = ids.clone();
    keyfob.post(BULK, &body).await
}

async fn use_by(keyfob: &Keyfob, connection: &Value, step: &str) {
    let path = format!("{}/usages/w/{step}", path_of(connection));
    keyfob.request("PUT", &path, ROOT, &[], &Value::Null).await.expect(201);
}

fn template(name: &str) -> Value {
    let mut body = bearer(name);
    (body["kind"], body["secrets"]) = ("template".into(), json!({}));
    body
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

/// The names that the API lists under a filter.
async fn listed(keyfob: &Keyfob, filter: &str) -> BTreeSet<String> {
    let list =
        keyfob.get(&format!("/v1/connections?environment=development&limit=100{filter}")).await.expect(200).json();
    names(&list["data"]).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_is_not_meant_for_the_action_or_out_of_bounds_is_refused_and_nothing_is_done() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    let before = keyfob.database.dump();
    for (action, filter, more, pointer) in [
        ("enable", json!({}), json!({ "tags": ["a"] }), "/tags"),
        ("enable", json!({}), json!({ "force": true }), "/force"),
        ("add_tags", json!({}), json!({}), "/tags"),
        ("add_tags", json!({}), json!({ "tags": [] }), "/tags"),
        ("remove_tags", json!({}), json!({ "tags": [] }), "/tags"),
        ("add_tags", json!({}), json!({ "tags": (0..21).map(|n| n.to_string()).collect::<Vec<_>>() }), "/tags"),
        ("rename", json!({}), json!({}), "/action"),
        ("enable", json!({ "unused_for": 0 }), json!({}), "/filter/unused_for"),
        ("enable", json!({ "search": "x".repeat(201) }), json!({}), "/filter/search"),
        ("enable", json!({ "environment": "staging" }), json!({}), "/filter/environment"),
        ("enable", json!({ "status": "green" }), json!({}), "/filter/status"),
        ("enable", json!({}), json!({ "dry_run": null }), "/dry_run"),
        ("enable", Value::Null, json!({}), "/filter"),
        ("enable", json!([]), json!({}), "/filter"),
    ] {
        let answer = bulk(&keyfob, action, &filter, &more).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{action} {filter} {more}");
        assert_eq!(answer.errors()[0].0, pointer, "{action} {filter} {more}");
    }
    let answer = bulk(&keyfob, "enable", &json!({}), &json!({ "cursor": "x" })).await;
    assert_eq!(answer.problem(), (400, "invalid_cursor".to_owned()));
    let id = "con_00000000000000000000000000";
    let many: Vec<String> = (0..101).map(|n| format!("con_{n:026}")).collect();
    for (ids, more, pointer) in [
        (json!([]), json!({}), "/ids"),
        (json!(many), json!({}), "/ids"),
        (json!(["x"]), json!({}), "/ids/0"),
        (json!([id]), json!({ "filter": {} }), "/ids"),
        (json!([id]), json!({ "cursor": "x" }), "/cursor"),
    ] {
        let answer = bulk_of(&keyfob, "enable", &ids, &more).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{ids} {more}");
        assert_eq!(answer.errors()[0].0, pointer, "{ids} {more}");
    }
    for missing in ["filter", "dry_run", "action", "environment"] {
        let mut body = body("enable", &json!({}), &json!({}));
        body.as_object_mut().unwrap().remove(missing);
        assert_eq!(keyfob.post(BULK, &body).await.errors(), [(format!("/{missing}"), "missing".to_owned())]);
    }
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn each_action_needs_its_own_scope() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    let writer = keyfob.key(&["connections:read", "connections:write"], &["development"]).await;
    let deleter = keyfob.key(&["connections:read", "connections:delete"], &["development"]).await;
    for (key, action, may) in
        [(&writer, "enable", true), (&writer, "delete", false), (&deleter, "enable", false), (&deleter, "delete", true)]
    {
        let body = body(action, &json!({}), &json!({ "dry_run": true }));
        let answer = keyfob.request("POST", BULK, key, &[], &body).await;
        if may {
            answer.expect(200);
        } else {
            assert_eq!(answer.problem(), (403, "missing_scope".to_owned()), "{action}");
        }
    }
}

#[tokio::test]
async fn a_plan_tells_how_many_and_which_and_does_nothing() {
    let keyfob = Keyfob::working().await;
    for name in ["A", "B"] {
        keyfob.create(&bearer(name)).await;
    }
    let used = keyfob.create(&bearer("Used")).await;
    use_by(&keyfob, &used, "1").await;
    let template = keyfob.create(&template("T")).await;
    let of_customer = json!({
        "environment": "development", "kind": "customer", "template": template["id"], "customer": "c1",
        "secrets": { "token": "planted-customer" },
    });
    keyfob.create(&of_customer).await;
    let before = keyfob.database.dump();
    let plan = bulk(&keyfob, "delete", &json!({}), &json!({ "dry_run": true })).await.expect(200).json();
    assert_eq!(keyfob.database.dump(), before);
    assert_eq!(plan["matching"], json!({ "count": 4, "exact": true }));
    assert_eq!(
        (names(&plan["connections"]), &plan["changed"], &plan["unchanged"]),
        (vec!["A", "B"], &json!(2), &json!(0))
    );
    let refused: Vec<Value> = plan["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| json!([refused["name"], refused["code"], refused["usage_count"]]))
        .collect();
    let expected = json!([["Used", "connection_in_use", 1], ["T", "template_in_use", null]]);
    assert_eq!((json!(refused), &plan["next_cursor"]), (expected, &Value::Null));
    let active = json!({ "dry_run": true });
    let plan = bulk(&keyfob, "disable", &json!({ "status": "active" }), &active).await.expect(200).json();
    assert_eq!((&plan["matching"]["count"], &plan["changed"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn what_may_be_deleted_is_gone_and_what_may_not_is_told_and_stays() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("A")).await;
    let used = keyfob.create(&bearer("Used")).await;
    use_by(&keyfob, &used, "1").await;
    let mut tested = template("T");
    tested["name"] = json!("Tested");
    let tested = keyfob.create(&tested).await;
    let test = format!("{}/test-credentials", path_of(&tested));
    keyfob.patch(&test, 1, &json!({ "secrets": { "token": "planted-test" } })).await.expect(200);
    let done = bulk(&keyfob, "delete", &json!({}), &json!({})).await.expect(200).json();
    assert_eq!((&done["changed"], names(&done["refused"])), (&json!(2), vec!["Used"]));
    assert_eq!(done["matching"], Value::Null);
    assert_eq!(listed(&keyfob, "").await, BTreeSet::from(["Used".to_owned()]));
    let owners: String = keyfob.database.value("select group_concat(owner_id) from vault_entries");
    assert_eq!(owners, used["id"].as_str().unwrap(), "secrets are unreadable at once, test credentials too");
    let events = keyfob.get(&format!("{}/events", path_of(&used))).await.expect(200).json();
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
    let forced = bulk(&keyfob, "delete", &json!({}), &json!({ "force": true })).await.expect(200).json();
    assert_eq!((&forced["changed"], &forced["refused"]), (&json!(1), &json!([])));
    let usages = keyfob.get("/v1/usages?environment=development&state=orphaned").await.expect(200).json();
    assert_eq!(usages["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn each_connection_changes_as_it_would_alone_with_its_event_and_its_audit_row() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Tagged");
    body["tags"] = json!(["a", "b"]);
    let tagged = keyfob.create(&body).await;
    let plain = keyfob.create(&bearer("Plain")).await;
    for (action, more, tags, counts) in [
        ("add_tags", json!({ "tags": ["b", "c"] }), json!([["a", "b", "c"], ["b", "c"]]), (2, 0)),
        ("add_tags", json!({ "tags": ["b"] }), json!([["a", "b", "c"], ["b", "c"]]), (0, 2)),
        ("remove_tags", json!({ "tags": ["a"] }), json!([["b", "c"], ["b", "c"]]), (1, 1)),
    ] {
        let done = bulk(&keyfob, action, &json!({}), &more).await.expect(200).json();
        assert_eq!((&done["changed"], &done["unchanged"]), (&json!(counts.0), &json!(counts.1)), "{action} {more}");
        let mut found = Vec::new();
        for connection in [&tagged, &plain] {
            found.push(keyfob.get(&path_of(connection)).await.expect(200).json()["tags"].clone());
        }
        assert_eq!(json!(found), tags);
    }
    for (action, field, value) in [
        ("disable", "enabled", false),
        ("enable", "enabled", true),
        ("embed", "embedded", true),
        ("unembed", "embedded", false),
    ] {
        let done = bulk(&keyfob, action, &json!({ "provider": ["http"] }), &json!({})).await.expect(200).json();
        assert_eq!(done["changed"], 2, "{action}");
        assert_eq!(keyfob.get(&path_of(&plain)).await.expect(200).json()[field], value, "{action}");
    }
    let shown = keyfob.get(&path_of(&tagged)).await.expect(200).json();
    assert_eq!((&shown["version"], &shown["revision"], &shown["status"]), (&json!(7), &json!(1), &json!("active")));
    let events = keyfob.get(&format!("{}/events", path_of(&tagged))).await.expect(200).json();
    assert_eq!(events["data"][4]["changes"]["tags"]["after"], json!(["b", "c"]));
    assert_eq!(events["data"][0]["changes"], json!({ "embedded": { "before": true, "after": false } }));
    let log = keyfob.get("/v1/audit-events?action=connection.updated").await.expect(200).json();
    assert_eq!(log["data"].as_array().unwrap().len(), 3 + 8);
    let verified = keyfob.get("/v1/audit-events/verification").await.expect(200).json();
    assert_eq!((&verified["broken"], &verified["rows_verified"]), (&Value::Null, &json!(26)));
    // A list by the new tag finds it: the rows of the lists follow.
    assert_eq!(listed(&keyfob, "&tag=c").await.len(), 2);
}

#[tokio::test]
async fn those_that_are_named_are_changed_and_no_others() {
    let keyfob = Keyfob::working().await;
    let [a, b, other] = [bearer("A"), bearer("B"), bearer("Other")];
    let (a, b, other) = (keyfob.create(&a).await, keyfob.create(&b).await, keyfob.create(&other).await);
    let mut elsewhere = bearer("Elsewhere");
    elsewhere["environment"] = "staging".into();
    let elsewhere = keyfob.create(&elsewhere).await;
    let gone = keyfob.create(&bearer("Gone")).await;
    keyfob.delete(&path_of(&gone), 1).await.expect(204);
    use_by(&keyfob, &b, "1").await;
    let ids = json!([a["id"], b["id"], elsewhere["id"], gone["id"]]);
    let before = keyfob.database.dump();
    let plan = bulk_of(&keyfob, "delete", &ids, &json!({ "dry_run": true })).await.expect(200).json();
    assert_eq!(keyfob.database.dump(), before);
    assert_eq!(plan["matching"], json!({ "count": 2, "exact": true }));
    assert_eq!((names(&plan["connections"]), names(&plan["refused"])), (vec!["A"], vec!["B"]));
    let mut missing = vec![elsewhere["id"].clone(), gone["id"].clone()];
    missing.sort_by_key(ToString::to_string);
    assert_eq!((&plan["missing"], &plan["next_cursor"]), (&json!(missing), &Value::Null));
    let done = bulk_of(&keyfob, "disable", &ids, &json!({})).await.expect(200).json();
    assert_eq!((names(&done["connections"]), &done["missing"]), (vec!["A", "B"], &json!(missing)));
    for (connection, enabled) in [(&a, false), (&b, false), (&other, true), (&elsewhere, true)] {
        assert_eq!(keyfob.get(&path_of(connection)).await.expect(200).json()["enabled"], enabled);
    }
    let done = bulk_of(&keyfob, "delete", &json!([a["id"], b["id"]]), &json!({})).await.expect(200).json();
    assert_eq!((&done["changed"], names(&done["refused"])), (&json!(1), vec!["B"]));
    assert_eq!(listed(&keyfob, "").await, BTreeSet::from(["B".to_owned(), "Other".to_owned()]));
}

#[tokio::test]
async fn what_one_connection_cannot_be_does_not_keep_the_others() {
    let keyfob = Keyfob::working().await;
    let mut full = bearer("Full");
    full["tags"] = json!((0..20).map(|n| format!("t{n}")).collect::<Vec<_>>());
    keyfob.create(&full).await;
    keyfob.create(&bearer("Plain")).await;
    let done = bulk(&keyfob, "add_tags", &json!({}), &json!({ "tags": ["new"] })).await.expect(200).json();
    assert_eq!((&done["changed"], names(&done["refused"])), (&json!(1), vec!["Full"]));
    let mut own = bearer("Own");
    (own["kind"], own["customer"]) = (json!("customer"), json!("c1"));
    keyfob.create(&own).await;
    let done = bulk(&keyfob, "embed", &json!({ "customer": "c1" }), &json!({})).await.expect(200).json();
    assert_eq!((&done["changed"], names(&done["refused"])), (&json!(0), vec!["Own"]));
}

#[tokio::test]
async fn pages_meet_each_connection_once_although_they_leave_the_filter() {
    let keyfob = Keyfob::working().await;
    let definitions: Vec<Value> = (0..230)
        .map(|n| {
            json!({
                "stable_key": format!("c-{n}"), "provider": "http", "connection_type": "none", "name": format!("C {n}"),
                "settings": { "base_url": "https://api.acme.dev" },
            })
        })
        .collect();
    let document = json!({ "format": "keyfob/definitions/1", "connections": definitions });
    keyfob.post("/v1/import?environment=development&dry_run=false", &document).await.expect(200);
    let (mut more, mut changed, mut pages) = (json!({}), Vec::new(), 0);
    loop {
        let done = bulk(&keyfob, "disable", &json!({ "enabled": true }), &more).await.expect(200).json();
        assert!(done["connections"].as_array().unwrap().len() <= 100);
        changed
            .extend(done["connections"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        pages += 1;
        if done["next_cursor"].is_null() {
            break;
        }
        more["cursor"] = done["next_cursor"].clone();
    }
    assert_eq!((pages, changed.len(), changed.iter().collect::<BTreeSet<_>>().len()), (3, 230, 230));
    assert_eq!(keyfob.database.value::<i64>("select count(*) from connections where enabled"), 0);
    let audited = "select count(*) from audit_events where action = 'connection.updated'";
    assert_eq!(keyfob.database.value::<i64>(audited), 230);
}

#[tokio::test]
async fn a_page_in_which_one_was_changed_meanwhile_is_not_done_at_all() {
    let keyfob = Keyfob::working().await;
    for name in ["A", "B"] {
        keyfob.create(&bearer(name)).await;
    }
    let other = "insert into events (connection_id, version, event_type, changes, actor, at, tag) \
                 select id, 2, 'updated', '{}', '{}', 0, '' from connections where name = 'B' and id = new.resource_id";
    let used = "insert into usages (environment, workflow, step, connection_id, registered_at, registered_by) \
                select 'development', 'w', 's', id, 0, '{}' from connections where name = 'B' and id = new.resource_id";
    for (action, meanwhile) in [("disable", other), ("delete", used)] {
        let trigger = format!("create trigger meanwhile after insert on audit_events begin {meanwhile}; end");
        keyfob.database.execute(&trigger).unwrap();
        let before = keyfob.database.dump();
        let answer = bulk(&keyfob, action, &json!({}), &json!({})).await;
        assert_eq!(answer.problem(), (409, "connections_changed".to_owned()), "{action}: {}", answer.text);
        assert_eq!(keyfob.database.dump(), before, "{action}");
        keyfob.database.execute("drop trigger meanwhile").unwrap();
        bulk(&keyfob, action, &json!({}), &json!({})).await.expect(200);
    }
}
