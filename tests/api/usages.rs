//! Usages: which step uses which connection; what that keeps from being deleted, and how steps are given another one.

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, bearer, path_of, shown};

const RANDOM: &str = "con_01kag3p3g0zzzzzzzzzzzzzzzz";

/// Two connections of one provider, by their paths.
async fn two(keyfob: &Keyfob) -> [String; 2] {
    [path_of(&keyfob.create(&bearer("One")).await), path_of(&keyfob.create(&bearer("Two")).await)]
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

async fn put(keyfob: &Keyfob, path: &str, step: &str) -> Answer {
    keyfob.request("PUT", &format!("{path}/usages/{step}"), ROOT, &[], &Value::Null).await
}

async fn remove(keyfob: &Keyfob, path: &str, step: &str) -> Answer {
    keyfob.request("DELETE", &format!("{path}/usages/{step}"), ROOT, &[], &Value::Null).await
}

/// The steps of a list, as `workflow/step`, and the state of the first.
async fn steps(keyfob: &Keyfob, path: &str) -> Vec<String> {
    let list = keyfob.get(path).await.expect(200).json();
    let text = |usage: &Value, field: &str| usage[field].as_str().unwrap().to_owned();
    let step = |usage: &Value| format!("{}/{}", text(usage, "workflow"), text(usage, "step"));
    list["data"].as_array().unwrap().iter().map(step).collect()
}

async fn count(keyfob: &Keyfob, path: &str) -> Value {
    keyfob.get(path).await.expect(200).json()["usage_count"].clone()
}

async fn newest_audit(keyfob: &Keyfob) -> Value {
    keyfob.get("/v1/audit-events?limit=1").await.expect(200).json()["data"][0].clone()
}

#[tokio::test]
async fn what_names_no_step_or_no_connection_is_refused() {
    let keyfob = Keyfob::working().await;
    let [one, _] = two(&keyfob).await;
    let long = "s".repeat(201);
    for step in ["w/%0A", "w/%E2%80%A8", "%20/s", &format!("w/{long}"), "w/%ff"] {
        assert_eq!(put(&keyfob, &one, step).await.problem(), (404, "not_found".to_owned()), "{step}");
    }
    assert_eq!(put(&keyfob, &format!("/v1/connections/{RANDOM}"), "w/s").await.problem().0, 404);
    assert_eq!(remove(&keyfob, &one, "w/s").await.problem().0, 404);
    assert_eq!(keyfob.get("/v1/usages").await.problem(), (400, "invalid_query".to_owned()));
    for query in ["state=gone", "workflow=", "limit=0", "cursor=x", "step=s"] {
        let answer = keyfob.get(&format!("/v1/usages?environment=development&{query}")).await;
        assert_eq!(answer.problem().0, 400, "{query}");
    }
    assert_eq!(keyfob.database.counts()["usages"], 0);
}

#[tokio::test]
async fn a_step_uses_one_connection_and_saying_so_again_changes_nothing() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    let registered = put(&keyfob, &one, "orders/send").await.expect(201).json();
    let expected = json!({
        "environment": "development", "workflow": "orders", "step": "send", "connection_id": id(&one),
        "state": "registered", "registered_at": "2026-11-20T10:00:00.000Z", "registered_by": registered["registered_by"],
    });
    assert_eq!(registered, expected);
    let entry = newest_audit(&keyfob).await;
    let detail = json!({ "workflow": "orders", "step": "send", "instead_of": null });
    assert_eq!(
        (&entry["action"], &entry["resource_id"], &entry["detail"]),
        (&json!("usage.registered"), &json!(id(&one)), &detail)
    );

    let before = keyfob.database.dump();
    assert_eq!(put(&keyfob, &one, "orders/send").await.expect(200).json(), registered);
    assert_eq!(keyfob.database.dump(), before);
    assert_eq!((count(&keyfob, &one).await, count(&keyfob, &two).await), (json!(1), json!(0)));

    let moved = put(&keyfob, &two, "orders/send").await.expect(200).json();
    assert_eq!(moved["connection_id"], id(&two));
    assert_eq!(newest_audit(&keyfob).await["detail"]["instead_of"], id(&one));
    assert_eq!((count(&keyfob, &one).await, count(&keyfob, &two).await), (json!(0), json!(1)));

    // It is no more the first one's to remove.
    assert_eq!(remove(&keyfob, &one, "orders/send").await.problem().0, 404);
    remove(&keyfob, &two, "orders/send").await.expect(204);
    assert_eq!(newest_audit(&keyfob).await["action"], "usage.removed");
    assert_eq!((count(&keyfob, &two).await, keyfob.database.counts()["usages"]), (json!(0), 0));
}

#[tokio::test]
async fn a_usage_changes_neither_version_nor_status() {
    let keyfob = Keyfob::working().await;
    let [one, _] = two(&keyfob).await;
    let before = keyfob.get(&one).await;
    put(&keyfob, &one, "orders/send").await.expect(201);
    let after = keyfob.get(&one).await;
    assert_eq!(after.header("etag"), before.header("etag"));
    let mut expected = before.json();
    expected["usage_count"] = 1.into();
    assert_eq!(after.json(), expected);
}

#[tokio::test]
async fn lists_are_in_the_order_of_workflow_and_step_and_page_to_their_end() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    for step in ["b/2", "a/9", "a/10", "ä%20%2F/x", "b/1"] {
        put(&keyfob, &one, step).await.expect(201);
    }
    put(&keyfob, &two, "a/5").await.expect(201);
    assert_eq!(steps(&keyfob, &format!("{one}/usages")).await, ["a/10", "a/9", "b/1", "b/2", "ä //x"]);
    let all = "/v1/usages?environment=development";
    assert_eq!(steps(&keyfob, all).await, ["a/10", "a/5", "a/9", "b/1", "b/2", "ä //x"]);
    assert_eq!(steps(&keyfob, &format!("{all}&workflow=b")).await, ["b/1", "b/2"]);
    assert_eq!(steps(&keyfob, &format!("{all}&workflow=b&state=registered")).await, ["b/1", "b/2"]);
    assert_eq!(steps(&keyfob, "/v1/usages?environment=staging").await, Vec::<String>::new());
    for list in [format!("{all}&limit=1"), format!("{one}/usages?limit=2"), format!("{all}&state=registered&limit=4")] {
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let page = format!("{list}{next}");
            found.extend(steps(&keyfob, &page).await);
            let cursor = keyfob.get(&page).await.json()["next_cursor"].clone();
            let Some(cursor) = cursor.as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        let whole = list.split(['?', '&']).next().unwrap();
        assert_eq!(found.len(), if whole.contains("/connections/") { 5 } else { 6 }, "{list}");
    }
}

#[tokio::test]
async fn a_step_resolves_what_it_uses_at_once() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    let path = "/v1/credentials?environment=development&workflow=orders&step=send";
    assert_eq!(keyfob.get(path).await.problem(), (404, "step_not_found".to_owned()));
    put(&keyfob, &one, "orders/send").await.expect(201);
    let resolved = keyfob.get(path).await.expect(200).json();
    assert_eq!(
        shown(&resolved, ["connection_id", "secrets"]),
        json!({
            "connection_id": id(&one), "secrets": { "token": "planted-secret-1" },
        })
    );
    put(&keyfob, &two, "orders/send").await.expect(200);
    assert_eq!(keyfob.get(path).await.expect(200).json()["connection_id"], id(&two));
    assert_eq!(keyfob.get(&path.replace("development", "staging")).await.problem().0, 404);
    for query in
        ["", "&workflow=orders", "&step=send", "&stable_key=one&workflow=orders&step=send", "&stable_key=one&step=send"]
    {
        let answer = keyfob.get(&format!("/v1/credentials?environment=development{query}")).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_connection_in_use_is_not_deleted_and_the_refusal_names_its_steps() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    for step in ["orders/send", "orders/receive"] {
        put(&keyfob, &one, step).await.expect(201);
    }
    let before = keyfob.database.dump();
    let refused = keyfob.delete(&one, 1).await;
    assert_eq!(refused.problem(), (409, "connection_in_use".to_owned()));
    let steps = json!([{ "workflow": "orders", "step": "receive" }, { "workflow": "orders", "step": "send" }]);
    assert_eq!(refused.json()["usages"], steps);
    for query in [
        format!("force=true&replace_with={}", id(&two)),
        format!("replace_with={}", id(&one)),
        format!("replace_with={RANDOM}"),
        "replace_with=x".to_owned(),
        "force=perhaps".to_owned(),
    ] {
        let answer = keyfob.delete(&format!("{one}?{query}"), 1).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{query}");
    }
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn a_forced_delete_leaves_orphans_that_are_listed_and_can_be_replaced() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    put(&keyfob, &one, "orders/send").await.expect(201);
    put(&keyfob, &one, "orders/receive").await.expect(201);
    keyfob.delete(&format!("{one}?force=true"), 1).await.expect(204);
    assert_eq!(keyfob.get(&one).await.problem().0, 404);
    assert_eq!(put(&keyfob, &one, "orders/other").await.problem().0, 404);
    let orphans = "/v1/usages?environment=development&state=orphaned";
    assert_eq!(steps(&keyfob, orphans).await, ["orders/receive", "orders/send"]);
    assert_eq!(keyfob.get(&format!("{one}/usages")).await.expect(200).json()["data"][0]["state"], "orphaned");
    let resolve = "/v1/credentials?environment=development&workflow=orders&step=send";
    assert_eq!(keyfob.get(resolve).await.problem().0, 404);

    remove(&keyfob, &one, "orders/receive").await.expect(204);
    let replaced = keyfob.post(&format!("{one}/replace"), &json!({ "replacement": id(&two) })).await.expect(200).json();
    assert_eq!(replaced, json!({ "moved": 1, "usages": [{ "workflow": "orders", "step": "send" }] }));
    assert_eq!(keyfob.get(resolve).await.expect(200).json()["connection_id"], id(&two));
    assert_eq!((steps(&keyfob, orphans).await.len(), count(&keyfob, &two).await), (0, json!(1)));
    // Nothing names it any more.
    assert_eq!(keyfob.get(&format!("{one}/usages")).await.problem().0, 404);
}

#[tokio::test]
async fn a_deleted_connection_hands_its_steps_over() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    put(&keyfob, &one, "orders/send").await.expect(201);
    let deletes = keyfob.key(&["connections:delete"], &["development"]).await;
    let path = format!("{one}?replace_with={}", id(&two));
    let refused = keyfob.request("DELETE", &path, &deletes, &[("if-match", "\"1\"")], &Value::Null).await;
    assert_eq!(refused.problem(), (403, "missing_scope".to_owned()));
    keyfob.delete(&path, 1).await.expect(204);
    assert_eq!(steps(&keyfob, &format!("{two}/usages")).await, ["orders/send"]);
    assert_eq!(count(&keyfob, &two).await, json!(1));
}

#[tokio::test]
async fn a_replacement_that_does_not_fit_is_refused_and_nothing_moves() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    let mut elsewhere = bearer("Elsewhere");
    elsewhere["environment"] = "staging".into();
    let elsewhere = path_of(&keyfob.create(&elsewhere).await);
    let slack = json!({
        "environment": "development", "provider": "slack", "connection_type": "token", "name": "Slack",
        "secrets": { "token": "xoxb-1-2-planted" },
    });
    let slack = path_of(&keyfob.post("/v1/connections?test=false", &slack).await.expect(201).json());
    for step in ["w/1", "w/2"] {
        put(&keyfob, &one, step).await.expect(201);
    }
    put(&keyfob, &two, "w/3").await.expect(201);
    let before = keyfob.database.dump();
    let place = |step: &str| json!({ "workflow": "w", "step": step });
    let many: Vec<Value> = (0..501).map(|step| place(&step.to_string())).collect();
    for (body, pointer) in [
        (json!({ "replacement": id(&one) }), "/replacement"),
        (json!({ "replacement": id(&elsewhere) }), "/replacement"),
        (json!({ "replacement": id(&slack) }), "/replacement"),
        (json!({ "replacement": RANDOM }), "/replacement"),
        (json!({}), "/replacement"),
        (json!({ "replacement": id(&two), "usages": [] }), "/usages"),
        (json!({ "replacement": id(&two), "usages": many }), "/usages"),
        (json!({ "replacement": id(&two), "usages": [{ "workflow": "w" }] }), "/usages/0/step"),
    ] {
        let answer = keyfob.post(&format!("{one}/replace"), &body).await;
        assert_eq!(answer.problem().0, 422, "{body}");
        assert_eq!(answer.errors()[0].0, pointer, "{body}");
    }
    // One of them is another's: none is moved.
    let body = json!({ "replacement": id(&two), "usages": [place("1"), place("3")] });
    let answer = keyfob.post(&format!("{one}/replace"), &body).await;
    assert_eq!(answer.problem(), (409, "usages_changed".to_owned()));
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn some_or_all_steps_are_given_another_connection() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    for step in ["w/1", "w/2", "w/3"] {
        put(&keyfob, &one, step).await.expect(201);
    }
    let place = |step: &str| json!({ "workflow": "w", "step": step });
    let body = json!({ "replacement": id(&two), "usages": [place("2"), place("2")] });
    let replaced = keyfob.post(&format!("{one}/replace"), &body).await.expect(200).json();
    assert_eq!(replaced, json!({ "moved": 1, "usages": [place("2")] }));
    assert_eq!(steps(&keyfob, &format!("{one}/usages")).await, ["w/1", "w/3"]);
    let entry = newest_audit(&keyfob).await;
    assert_eq!(entry["action"], "usage.replaced");
    assert_eq!(entry["detail"], json!({ "replacement": id(&two), "usages": 1 }));

    let all = json!({ "replacement": id(&two) });
    let replaced = keyfob.post(&format!("{one}/replace"), &all).await.expect(200).json();
    assert_eq!(replaced, json!({ "moved": 2, "usages": [place("1"), place("3")] }));
    assert_eq!((count(&keyfob, &one).await, count(&keyfob, &two).await), (json!(0), json!(3)));
    let before = keyfob.database.dump();
    let again = keyfob.post(&format!("{one}/replace"), &all).await.expect(200).json();
    assert_eq!((again, keyfob.database.dump() == before), (json!({ "moved": 0, "usages": [] }), true));
}

#[tokio::test]
async fn a_connection_takes_ten_thousand_usages_moves_them_at_once_and_takes_no_more() {
    let keyfob = Keyfob::working().await;
    let [one, two] = two(&keyfob).await;
    let rows = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000) \
         insert into usages (environment, workflow, step, connection_id, registered_at, registered_by) \
         select 'development', 'w' || i, 's', '{}', 1, '{{\"id\":\"key_root\",\"name\":\"Root\",\"claimed\":null}}' from n",
        id(&one)
    );
    keyfob.database.execute(&rows).unwrap();
    assert_eq!(put(&keyfob, &one, "w/s").await.problem(), (409, "too_many_usages".to_owned()));
    put(&keyfob, &two, "w/s").await.expect(201);
    let all = json!({ "replacement": id(&two) });
    let full = keyfob.post(&format!("{one}/replace"), &all).await;
    assert_eq!(full.problem(), (409, "too_many_usages".to_owned()));
    remove(&keyfob, &two, "w/s").await.expect(204);
    let replaced = keyfob.post(&format!("{one}/replace"), &all).await.expect(200).json();
    assert_eq!((&replaced["moved"], replaced["usages"].as_array().unwrap().len()), (&json!(10_000), 500));
    assert_eq!((count(&keyfob, &one).await, count(&keyfob, &two).await), (json!(0), json!(10_000)));
}
