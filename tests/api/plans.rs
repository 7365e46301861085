//! How the database finds its rows: the plan of every statement that a run of all operations executed.

use keyfob::store::checkpoints::keys_in_use;
use serde_json::{Value, json};

use crate::oauth;
use crate::support::counterpart::answer;
use crate::support::signing::Signer;
use crate::support::{Keyfob, ROOT, bearer, path_of, people};

const LIST: &str = "/v1/connections?environment=development";
const SORTS: [&str; 10] = [
    "name",
    "-name",
    "created_at",
    "-created_at",
    "modified_at",
    "-modified_at",
    "due_at",
    "-due_at",
    "last_used_at",
    "-last_used_at",
];
/// One filter each; every one of them has a walk of its own.
pub(crate) const FILTERS: [&str; 16] = [
    "",
    "&provider=http",
    "&connection_type=bearer",
    "&tag=a",
    "&status=active",
    "&verdict=valid",
    "&embedded=true",
    "&kind=organization",
    "&kind=template",
    "&kind=customer",
    "&customer=c1",
    "&customer=c1&kind=customer",
    "&template=con_01234567890123456789012345",
    "&stable_key=acme",
    "&due_before=2027-01-01T00:00:00Z",
    "&unused_for=30",
];
/// Filters that are checked row by row, combinations, and searches.
pub(crate) const OTHERS: [&str; 15] = [
    "&reason=rejected",
    "&enabled=true",
    "&expires_before=2027-01-01T00:00:00Z",
    "&unused_for=30&provider=http",
    "&unused_for=30&kind=customer",
    "&provider=http&provider=slack",
    "&provider=http&tag=a&status=active",
    "&tag=a&tag=b",
    "&kind=customer&provider=http",
    "&kind=customer&stable_key=acme",
    "&search=acme",
    "&search=ac",
    "&search=acme%20ap",
    "&search=acme&tag=a&customer=c1",
    "&template=con_01234567890123456789012345&customer=c1&status=active",
];

/// Does everything that the API can do, once.
pub(crate) async fn run_everything(keyfob: &Keyfob) {
    let mut body = bearer("Acme");
    body["tags"] = json!(["a", "b"]);
    let headers = [("idempotency-key", "k1")];
    let created = keyfob.request("POST", "/v1/connections", ROOT, &headers, &body).await.expect(201).json();
    keyfob.request("POST", "/v1/connections", ROOT, &headers, &body).await.expect(201);
    let path = path_of(&created);
    let restore = format!("{path}/revisions/1/restore");
    for (method, path, version, body) in [
        ("PATCH", &path, 1, json!({ "name": "New", "tags": ["b", "c"], "enabled": false })),
        ("PATCH", &path, 2, json!({ "secrets": { "token": "planted-secret-2" }, "enabled": true })),
        ("POST", &restore, 3, json!({})),
        ("POST", &format!("{path}/tests"), 4, json!({})),
        ("POST", &format!("{path}/tests"), 4, json!({ "settings": {} })),
        ("POST", &format!("{path}/reveal"), 4, json!({ "fields": ["token"], "reason": "why" })),
        ("POST", &format!("{path}/reports"), 4, json!({ "revision": 3 })),
        ("GET", &path, 4, Value::Null),
        ("GET", &format!("{path}/tests"), 4, Value::Null),
        ("GET", &format!("{path}/events"), 4, Value::Null),
        ("GET", &format!("{path}/revisions"), 4, Value::Null),
        ("GET", &format!("{path}/revisions/1"), 4, Value::Null),
        ("GET", &format!("{path}/credentials"), 4, Value::Null),
        ("GET", &"/v1/credentials?environment=development&stable_key=acme".to_owned(), 4, Value::Null),
    ] {
        let headers = [("if-match", &*format!("\"{version}\""))];
        let answer = keyfob.request(method, path, ROOT, &headers, &body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
    }
    run_bulk(keyfob).await;
    run_usages(keyfob, &path).await;
    run_kinds(keyfob).await;
    run_oauth(keyfob).await;
    run_transfer(keyfob, &path).await;
    run_moving_in(keyfob).await;
    run_access(keyfob).await;
    run_keys(keyfob).await;
    run_webhooks(keyfob, &path).await;
    keyfob.delete(&path, 6).await.expect(204);
    keyfob.advance(std::time::Duration::from_hours(24 * 31));
    keyfob.tick().await;
}

/// Changes what a filter finds, and deletes it.
async fn run_bulk(keyfob: &Keyfob) {
    let mut template = bearer("Bulk");
    (template["kind"], template["secrets"]) = ("template".into(), json!({}));
    keyfob.create(&template).await;
    for (action, is_plan) in [("disable", true), ("disable", false), ("delete", false)] {
        let filter = json!({ "stable_key": "bulk" });
        let body = json!({ "environment": "development", "filter": filter, "action": action, "dry_run": is_plan });
        keyfob.post("/v1/connections/bulk", &body).await.expect(200);
    }
    let body = json!({
        "environment": "development", "ids": ["con_00000000000000000000000000"], "action": "enable", "dry_run": false,
    });
    keyfob.post("/v1/connections/bulk", &body).await.expect(200);
}

/// Tells an endpoint that is gone, and one that is not.
async fn run_webhooks(keyfob: &Keyfob, path: &str) {
    let mut body = json!({
        "environment": "development", "url": "https://hooks.acme.dev/",
        "event_types": ["connection.status_changed", "connection.expiring", "connection.rotation_due"],
    });
    let webhook = keyfob.post("/v1/webhooks", &body).await.expect(201).json();
    body["url"] = "https://gone.acme.dev/".into();
    keyfob.post("/v1/webhooks", &body).await.expect(201);
    keyfob.patch(path, 4, &json!({ "enabled": false, "rotate_by": "2026-11-25T00:00:00Z" })).await.expect(200);
    keyfob.patch(path, 5, &json!({ "enabled": true })).await.expect(200);
    keyfob.tick().await;
    keyfob.get("/v1/webhooks?environment=development").await.expect(200);
    let webhook = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    keyfob.get(&format!("{webhook}/deliveries")).await.expect(200);
    keyfob.request("DELETE", &webhook, ROOT, &[], &Value::Null).await.expect(204);
}

async fn run_access(keyfob: &Keyfob) {
    let key = keyfob.key(&["connections:read", "embedded:manage"], &["development"]).await;
    keyfob.request("GET", LIST, &key, &[("origin", "https://app.acme.dev")], &Value::Null).await.expect(200);
    let keys = keyfob.get("/v1/api-keys?limit=1").await.expect(200).json();
    let id = keys["data"][0]["id"].as_str().unwrap();
    let session = json!({ "environment": "development", "customer": "c1" });
    let session = keyfob.post("/v1/embedded/sessions", &session).await.expect(201).json();
    let token = session["token"].as_str().unwrap();
    for path in [
        "/v1/embedded/session",
        "/v1/embedded/providers/http",
        "/v1/embedded/connections",
        "/v1/embedded/connections?provider=http",
    ] {
        keyfob.request("GET", path, token, &[], &Value::Null).await.expect(200);
    }
    let builder =
        keyfob.post("/v1/embedded/sessions", &json!({ "environment": "development" })).await.expect(201).json();
    let builder = builder["token"].as_str().unwrap();
    keyfob.request("GET", "/v1/embedded/connections", builder, &[], &Value::Null).await.expect(200);
    let [one, other] = ["One", "Another"].map(bearer);
    let [one, other] = [keyfob.create(&one).await, keyfob.create(&other).await];
    let replace = format!("/v1/embedded/connections/{}/replace", one["id"].as_str().unwrap());
    keyfob.request("POST", &replace, builder, &[], &json!({ "replacement": other["id"] })).await.expect(200);
    run_signing_keys(keyfob).await;
    run_connect_links(keyfob).await;
    let browser = people::root(keyfob).await;
    browser.get(keyfob, "/v1/session").await.expect(200);
    browser.send(keyfob, "DELETE", "/v1/session", &Value::Null).await.expect(204);
    let end = "/v1/embedded/sessions?environment=development&customer=c1";
    assert!(keyfob.request("DELETE", end, ROOT, &[], &Value::Null).await.status.is_success());
    let origin = keyfob.post("/v1/embedded/origins", &json!({ "origin": "https://app.acme.dev" })).await.expect(201);
    keyfob.get("/v1/embedded/origins").await.expect(200);
    let origin = origin.json()["id"].as_str().unwrap().to_owned();
    for path in [format!("/v1/embedded/origins/{origin}"), format!("/v1/api-keys/{id}")] {
        keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    }
}

/// A template, a customer under it, what both resolve to, and their end.
async fn run_kinds(keyfob: &Keyfob) {
    let mut template = bearer("Template");
    (template["kind"], template["secrets"]) = ("template".into(), json!({}));
    let template = keyfob.create(&template).await;
    let of_customer = json!({
        "environment": "development", "kind": "customer", "template": template["id"], "customer": "c9",
        "secrets": { "token": "planted-customer" },
    });
    let of_customer = path_of(&keyfob.create(&of_customer).await);
    let path = path_of(&template);
    let put = |path: String| async move { keyfob.request("PUT", &path, ROOT, &[], &Value::Null).await.expect(201) };
    put(format!("{path}/usages/w/template")).await;
    let test = format!("{path}/test-credentials");
    let secret = json!({ "secrets": { "token": "planted-test" } });
    keyfob.patch(&test, 1, &secret).await.expect(200);
    let of_key = "/v1/credentials?environment=development&stable_key=template";
    let of_step = "/v1/credentials?environment=development&workflow=w&step=template";
    for path in [
        format!("{of_key}&customer=c9"),
        format!("{of_key}&purpose=test"),
        format!("{of_step}&customer=c9"),
        format!("{of_step}&purpose=test"),
        format!("{path}/credentials?customer=c9"),
        format!("{of_customer}/tests"),
        "/v1/customers?environment=development".to_owned(),
        "/v1/customers/c9?environment=development".to_owned(),
    ] {
        keyfob.get(&path).await.expect(200);
    }
    keyfob.patch(&path, 2, &json!({ "settings": { "test_path": "/you" } })).await.expect(200);
    let elsewhere = json!({ "settings": { "base_url": "https://api.other.dev" } });
    keyfob.patch(&format!("{path}?force=true"), 3, &elsewhere).await.expect(200);
    keyfob.patch(&test, 4, &secret).await.expect(200);
    keyfob.delete(&test, 5).await.expect(200);
    let customer = "/v1/customers/c9?environment=development";
    keyfob.request("DELETE", customer, ROOT, &[], &Value::Null).await.expect(204);
    keyfob.delete(&format!("{path}?force=true"), 6).await.expect(204);
}

/// A consent that is given, and what is made of its tokens.
async fn run_oauth(keyfob: &Keyfob) {
    let server = oauth::Server::default();
    let connection = keyfob.create(&oauth::code_connection("Consent")).await;
    // No counterpart that answers everything alike gives tokens: those of a world of their own have other statements.
    oauth::refused(keyfob, &server, &connection).await;
    keyfob.delete(&path_of(&connection), 1).await.expect(204);
}

/// A copy, an export, and imports that create and change, with and without secrets.
async fn run_transfer(keyfob: &Keyfob, path: &str) {
    keyfob.post(&format!("{path}/copy"), &json!({ "environment": "staging" })).await.expect(201);
    keyfob.get("/v1/export?environment=development").await.expect(200);
    for (name, host, token) in [("A", "a", None), ("B", "a", None), ("B", "b", Some("planted-secret-1"))] {
        let mut definition = json!({
            "stable_key": "imported", "provider": "http", "connection_type": "bearer", "name": name,
            "settings": { "base_url": format!("https://{host}.acme.dev") },
        });
        if let Some(token) = token {
            definition["secrets"] = json!({ "token": token });
        }
        let document = json!({ "format": "keyfob/definitions/1", "connections": [definition] });
        keyfob.post("/v1/import?environment=production&dry_run=false", &document).await.expect(200);
    }
}

/// A customer's connection that moves in under a template, and changes there.
async fn run_moving_in(keyfob: &Keyfob) {
    let template = json!({
        "stable_key": "moving", "kind": "template", "provider": "http", "connection_type": "bearer", "name": "Moving",
        "settings": { "base_url": "https://api.acme.dev" },
    });
    let under = |token: &str| {
        json!({
            "stable_key": "moving", "kind": "customer", "customer": "c1", "template": "moving", "provider": "http",
            "connection_type": "bearer", "name": "Moving", "secrets": { "token": token },
        })
    };
    for definition in [template, under("planted-1"), under("planted-2")] {
        let document = json!({ "format": "keyfob/definitions/1", "connections": [definition] });
        keyfob.post("/v1/import?environment=production&dry_run=false", &document).await.expect(200);
    }
}

/// A token that a server signed, exchanged.
async fn run_signing_keys(keyfob: &Keyfob) {
    let signer = Signer::ed();
    let key = json!({ "environment": "development", "name": "Backend", "public_key": signer.jwk("any") });
    let key = keyfob.post("/v1/signing-keys", &key).await.expect(201).json();
    keyfob.get("/v1/signing-keys?environment=development").await.expect(200);
    let seconds = keyfob.clock_now().millis() / 1000;
    let claims = json!({ "aud": people::OWN, "sub": "c1", "jti": "t1", "iat": seconds, "exp": seconds + 300 });
    let kid = key["id"].as_str().unwrap();
    let exchange = format!("{}/v1/embedded/sessions/exchange", people::OWN);
    let session = keyfob.post(&exchange, &json!({ "jwt": signer.token(kid, &claims) })).await.expect(201).json();
    let token = session["token"].as_str().unwrap();
    keyfob.request("GET", "/v1/embedded/connections", token, &[], &Value::Null).await.expect(200);
    keyfob.request("DELETE", &format!("/v1/signing-keys/{kid}"), ROOT, &[], &Value::Null).await.expect(204);
}

/// A link that is redeemed, listed, and revoked.
async fn run_connect_links(keyfob: &Keyfob) {
    let links = format!("{}/v1/connect-links", people::OWN);
    let body = json!({
        "environment": "development", "customer": "c1", "provider": "http", "connection_type": "bearer",
    });
    let link = keyfob.post(&links, &body).await.expect(201).json();
    let (_, token) = link["url"].as_str().unwrap().split_once('#').unwrap();
    let redeem = "/v1/embedded/connect-links/redemptions";
    keyfob.post(redeem, &json!({ "token": token })).await.expect(201);
    for customer in ["", "&customer=c1"] {
        keyfob.get(&format!("/v1/connect-links?environment=development{customer}")).await.expect(200);
    }
    let path = format!("/v1/connect-links/{}", link["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
}

/// Steps that come to use a connection, and another one.
async fn run_usages(keyfob: &Keyfob, path: &str) {
    let other = path_of(&keyfob.create(&bearer("Other")).await);
    for (method, path) in [("PUT", &*format!("{other}/usages/w/1")), ("PUT", &format!("{other}/usages/w/2"))] {
        keyfob.request(method, path, ROOT, &[], &Value::Null).await.expect(201);
    }
    keyfob.get("/v1/credentials?environment=development&workflow=w&step=1").await.expect(200);
    let all = "/v1/usages?environment=development";
    for list in [
        all,
        &format!("{all}&workflow=w"),
        &format!("{all}&state=orphaned"),
        &format!("{all}&workflow=w&state=registered"),
    ] {
        keyfob.get(list).await.expect(200);
    }
    keyfob.get(&format!("{other}/usages?limit=1")).await.expect(200);
    let replacement =
        json!({ "replacement": path.rsplit('/').next().unwrap(), "usages": [{ "workflow": "w", "step": "2" }] });
    keyfob.post(&format!("{other}/replace"), &replacement).await.expect(200);
    let with = format!("{other}?replace_with={}", path.rsplit('/').next().unwrap());
    keyfob.delete(&with, 1).await.expect(204);
    for step in ["1", "2"] {
        keyfob.request("DELETE", &format!("{path}/usages/w/{step}"), ROOT, &[], &Value::Null).await.expect(204);
    }
}

/// A rotation, in which an entry does not open.
async fn run_keys(keyfob: &Keyfob) {
    let keys = r#"{"primary":2,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","2":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
    let two = keyfob.restarted(&[("MASTER_KEYS", keys)]);
    keyfob.create(&bearer("Damaged")).await;
    keyfob.database.execute("update vault_entries set wrapped_key = 'damaged' where number = 1").unwrap();
    two.post("/v1/keys/rewrap", &Value::Null).await.expect(200);
    two.get("/v1/keys").await.expect(200);
}

/// Asks every list and every facet, the second page too.
pub(crate) async fn run_lists(keyfob: &Keyfob, filters: &[&str]) {
    for filter in filters {
        for sort in SORTS {
            let page = keyfob.get(&format!("{LIST}&sort={sort}&limit=1{filter}")).await.expect(200).json();
            if let Some(cursor) = page["next_cursor"].as_str() {
                keyfob.get(&format!("{LIST}&sort={sort}&cursor={cursor}{filter}")).await.expect(200);
            }
        }
        keyfob.get(&format!("/v1/connections/facets?environment=development{filter}")).await.expect(200);
    }
}

/// Asks the audit log by every filter alone and by several, the second page too, and verifies it.
async fn run_audit(keyfob: &Keyfob) {
    let narrow = ["environment=development", "action=connection.created", "actor_id=key_root", "resource_id=con_1"];
    let span = "from=2026-01-01T00:00:00Z&to=2028-01-01T00:00:00Z";
    let several = format!("{}&{span}", narrow.join("&"));
    for query in ["", span, &several].into_iter().chain(narrow) {
        let page = keyfob.get(&format!("/v1/audit-events?limit=1&{query}")).await.expect(200).json();
        if let Some(cursor) = page["next_cursor"].as_str() {
            keyfob.get(&format!("/v1/audit-events?{query}&cursor={cursor}")).await.expect(200);
        }
    }
    keyfob.get("/v1/audit-events/verification").await.expect(200);
    keys_in_use().run(&*keyfob.database).await.unwrap();
}

/// Enough connections for a second page of every list of the organization.
pub(crate) async fn populate(keyfob: &Keyfob) {
    for name in ["Acme", "Acme apart"] {
        let mut body = bearer(name);
        (body["tags"], body["embedded"]) = (json!(["a", "b"]), json!(true));
        keyfob.create(&body).await;
    }
}

/// Whether a step of a plan reads a whole table that grows.
fn reads_everything(sql: &str, step: &str) -> bool {
    // What a statement made for itself, and is bounded.
    const OWN: [&str; 7] =
        ["SCAN m", "SCAN s", "SCAN walked", "SCAN w", "SCAN stop", "SCAN CONSTANT ROW", "SCAN sqlite_sequence"];
    let is_own = OWN.contains(&step) || step.starts_with("SCAN (subquery");
    let is_index_walk = step.contains("INDEX") && sql.contains("limit");
    step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE") && !is_own && !is_index_walk
}

#[tokio::test]
async fn no_statement_reads_a_table_that_grows_from_end_to_end() {
    let keyfob = Keyfob::with(|request| {
        let is_gone = request.header("host") == Some("gone.acme.dev");
        answer(if is_gone { 410 } else { request.header("authorization").map_or(401, |_| 200) }, &[], "{}")
    })
    .await;
    run_everything(&keyfob).await;
    populate(&keyfob).await;
    run_lists(&keyfob, &FILTERS).await;
    run_lists(&keyfob, &OTHERS).await;
    run_audit(&keyfob).await;
    let mut plans = keyfob.database.plans();
    plans.extend(oauth::renewed().await.database.plans());
    assert!(plans.len() > 200, "{}", plans.len());
    for (sql, steps) in plans {
        let bad: Vec<&String> = steps.iter().filter(|step| reads_everything(&sql, step)).collect();
        assert!(bad.is_empty(), "{bad:?}\n{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn a_list_with_at_most_one_filter_is_read_in_its_order() {
    let keyfob = Keyfob::working().await;
    populate(&keyfob).await;
    let before = keyfob.database.plans().len();
    run_lists(&keyfob, &FILTERS).await;
    let plans = keyfob.database.plans();
    let lists: Vec<_> = plans.iter().filter(|(sql, _)| sql.contains("group_concat(item)")).collect();
    assert!(lists.len() > 60 && before > 0, "{}", lists.len());
    for (sql, steps) in lists {
        // One stable key is one connection: there is nothing to sort.
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE")) && !sql.contains("connections_stable_key");
        assert!(!sorts, "{sql}\n{steps:#?}");
    }
}
