//! Moving in: customers' connections, alone and under templates that are there.

use serde_json::{Value, json};

use super::{apply, definition, document, import, with};
use crate::support::{Keyfob, bearer, path_of, shown};

fn of(customer: &str, key: &str, token: &str) -> Value {
    json!({
        "stable_key": key, "kind": "customer", "customer": customer, "provider": "http", "connection_type": "bearer",
        "name": key, "settings": { "base_url": "https://own.acme.dev", "test_path": "/me" }, "secrets": { "token": token },
    })
}

fn under(customer: &str, token: &str) -> Value {
    json!({
        "stable_key": "crm", "kind": "customer", "customer": customer, "template": "crm", "provider": "http",
        "connection_type": "bearer", "name": "CRM", "secrets": { "token": token },
    })
}

/// A template in production whose customers have the token.
async fn template(keyfob: &Keyfob) -> Value {
    let mut body = bearer("CRM");
    (body["environment"], body["kind"], body["secrets"]) = ("production".into(), "template".into(), json!({}));
    keyfob.create(&body).await
}

async fn resolved(keyfob: &Keyfob, key: &str, customer: &str) -> Value {
    let path = format!("/v1/credentials?environment=production&stable_key={key}&customer={customer}");
    keyfob.get(&path).await.expect(200).json()
}

/// Whose, which, and what becomes of it.
fn actions(imported: &Value) -> Value {
    let fields = ["customer", "stable_key", "action", "changes", "needs_secrets"];
    let connections = imported["connections"].as_array().unwrap().iter();
    connections.map(|one| fields.iter().map(|field| one[*field].clone()).collect::<Value>()).collect()
}

#[tokio::test]
async fn what_a_customers_connection_cannot_be_is_refused_at_its_place() {
    let keyfob = Keyfob::working().await;
    template(&keyfob).await;
    keyfob.create(&with(bearer("Plain"), "environment", json!("production"))).await;
    let mut nobody = under("c1", "planted");
    nobody.as_object_mut().unwrap().remove("customer");
    for (wrong, pointer, code) in [
        (nobody, "/connections/0/customer", "missing"),
        (with(definition("a"), "customer", json!("c1")), "/connections/0/customer", "not_of_this_kind"),
        (with(definition("a"), "template", json!("crm")), "/connections/0/template", "not_of_this_kind"),
        (with(under("c1", "planted"), "template", json!("nothing")), "/connections/0/template", "invalid"),
        (with(under("c1", "planted"), "template", json!("plain")), "/connections/0/template", "invalid"),
        (with(under("c1", "planted"), "provider", json!("slack")), "/connections/0/provider", "invalid"),
        (with(under("c1", "planted"), "embedded", json!(true)), "/connections/0/embedded", "invalid"),
        (
            with(under("c1", "planted"), "supplied_by", json!("customer")),
            "/connections/0/supplied_by",
            "not_of_this_kind",
        ),
        (
            with(under("c1", "planted"), "settings", json!({ "base_url": "https://evil.example" })),
            "/connections/0/settings/base_url",
            "global",
        ),
        (with(under("c1", "planted"), "secrets", json!({})), "/connections/0/secrets/token", "missing"),
        (with(of("c1", "a", "planted"), "settings", json!({})), "/connections/0/settings/base_url", "missing"),
    ] {
        let answer = import(&keyfob, "dry_run=false", &document(std::slice::from_ref(&wrong))).await;
        assert_eq!(answer.problem().0, 422, "{wrong}: {}", answer.text);
        assert_eq!(answer.errors()[0], (pointer.to_owned(), code.to_owned()), "{wrong}");
    }
    let mut without = with(under("c1", "planted"), "settings", json!({ "base_url": "https://evil.example" }));
    without.as_object_mut().unwrap().remove("secrets");
    let answer = import(&keyfob, "dry_run=false", &document(&[without])).await;
    assert_eq!(answer.errors()[0], ("/connections/0/settings/base_url".to_owned(), "global".to_owned()));
    let twice = [under("c1", "planted"), with(under("c1", "planted"), "stable_key", json!("other"))];
    let answer = import(&keyfob, "dry_run=false", &document(&twice)).await;
    assert_eq!(answer.errors(), [("/connections/1/customer".to_owned(), "duplicate".to_owned())]);
    let twice = [of("c1", "a", "planted"), of("c1", "a", "planted")];
    let answer = import(&keyfob, "dry_run=false", &document(&twice)).await;
    assert_eq!(answer.errors(), [("/connections/1/stable_key".to_owned(), "duplicate".to_owned())]);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from connections where customer <> ''"), 0);
    assert!(!keyfob.database.dump().contains("evil"));
}

#[tokio::test]
async fn customers_move_in_each_with_their_own_and_the_second_time_nothing_is_done() {
    let keyfob = Keyfob::working().await;
    let template = template(&keyfob).await;
    // The same key once for the organization, and once for each customer.
    let all = document(&[
        with(definition("own"), "secrets", json!({ "token": "planted-organization" })),
        of("c1", "own", "planted-c1"),
        of("c2", "own", "planted-c2"),
        under("c1", "planted-crm-1"),
        under("c2", "planted-crm-2"),
    ]);
    let plan = import(&keyfob, "dry_run=true", &all).await.expect(200);
    assert_eq!(plan.json()["counts"]["create"], 5);
    assert!(!plan.text.contains("planted"));
    let done = apply(&keyfob, &all).await;
    assert_eq!(actions(&done)[1], json!(["c1", "own", "create", [], []]));
    assert_eq!(resolved(&keyfob, "own", "c1").await["secrets"]["token"], "planted-c1");
    assert_eq!(resolved(&keyfob, "own", "c2").await["secrets"]["token"], "planted-c2");
    assert_eq!(resolved(&keyfob, "own", "c3").await["secrets"]["token"], "planted-organization");
    let merged = resolved(&keyfob, "crm", "c2").await;
    assert_eq!(merged["secrets"]["token"], "planted-crm-2");
    assert_eq!(merged["settings"]["base_url"], "https://api.acme.dev");
    assert_eq!(keyfob.get(&path_of(&template)).await.json()["customer_count"], 2);
    let listed =
        keyfob.get("/v1/connections?environment=production&customer=c1&kind=customer").await.expect(200).json();
    let crm = listed["data"].as_array().unwrap().iter().find(|one| one["stable_key"] == "crm").unwrap();
    assert_eq!(
        shown(crm, ["template", "customer", "supplied_by", "settings", "secret_fields"]),
        json!({
            "template": template["id"], "customer": "c1", "supplied_by": "customer", "settings": {},
            "secret_fields": ["token"],
        })
    );
    keyfob.post(&format!("{}/tests", path_of(crm)), &json!({})).await.expect(201);
    let audited = "select count(*) from audit_events where action = 'connection.created'";
    assert_eq!(keyfob.database.value::<i64>(audited), 6);
    let before = keyfob.database.dump();
    assert_eq!(apply(&keyfob, &all).await["counts"]["unchanged"], 5);
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn what_is_there_is_changed_and_what_is_missing_is_told() {
    let keyfob = Keyfob::working().await;
    template(&keyfob).await;
    let mut later = under("c1", "planted");
    later.as_object_mut().unwrap().remove("secrets");
    let done = apply(&keyfob, &document(std::slice::from_ref(&later))).await;
    assert_eq!(actions(&done), json!([["c1", "crm", "create", [], ["token"]]]));
    let path = "/v1/connections?environment=production&reason=missing&kind=customer";
    assert_eq!(keyfob.get(path).await.expect(200).json()["data"].as_array().unwrap().len(), 1);
    let done = apply(&keyfob, &document(&[with(under("c1", "planted-1"), "name", json!("Ours"))])).await;
    assert_eq!(actions(&done), json!([["c1", "crm", "change", ["name", "secrets"], []]]));
    assert_eq!(resolved(&keyfob, "crm", "c1").await["secrets"]["token"], "planted-1");
    // Without secrets they are kept.
    let done = apply(&keyfob, &document(&[later])).await;
    assert_eq!(actions(&done), json!([["c1", "crm", "change", ["name"], []]]));
    assert_eq!(resolved(&keyfob, "crm", "c1").await["secrets"]["token"], "planted-1");
}

#[tokio::test]
async fn a_customer_has_one_connection_under_a_template_and_it_goes_with_the_templates_values() {
    let keyfob = Keyfob::working().await;
    template(&keyfob).await;
    apply(&keyfob, &document(&[under("c1", "planted-1")])).await;
    let other = document(&[with(under("c1", "planted-2"), "stable_key", json!("other"))]);
    let plan = import(&keyfob, "dry_run=true", &other).await.expect(200).json();
    assert_eq!(plan["connections"][0]["conflict"]["code"], "customer_connected");
    let answer = import(&keyfob, "dry_run=false", &other).await;
    assert_eq!(answer.problem(), (409, "import_conflicts".to_owned()));
    let alone = document(&[of("c1", "crm", "planted-2")]);
    let plan = import(&keyfob, "dry_run=true", &alone).await.expect(200).json();
    assert_eq!(plan["connections"][0]["conflict"]["code"], "identity");
    // The template changes in the same part: the customer's values were checked with what it is no more.
    let changed = json!({
        "stable_key": "crm", "kind": "template", "provider": "http", "connection_type": "bearer", "name": "CRM",
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/you" },
    });
    let both = document(&[changed.clone(), under("c2", "planted-2")]);
    let answer = import(&keyfob, "dry_run=false", &both).await;
    assert_eq!(answer.problem(), (409, "import_conflicts".to_owned()));
    assert_eq!(answer.errors(), [("/connections/1/template".to_owned(), "template_changed".to_owned())]);
    apply(&keyfob, &document(&[changed])).await;
    assert_eq!(
        apply(&keyfob, &both).await["counts"],
        json!({
            "create": 1, "change": 0, "unchanged": 1, "conflict": 0, "needs_secrets": 0,
        })
    );
    // It was changed after it was read.
    let trigger = "create trigger meanwhile after insert on audit_events begin \
                   update connections set revision = revision + 1 where kind = 'template'; end";
    keyfob.database.execute(trigger).unwrap();
    let answer = import(&keyfob, "dry_run=false", &document(&[under("c3", "planted-3")])).await;
    assert_eq!(answer.problem(), (409, "template_changed".to_owned()));
    keyfob.database.execute("drop trigger meanwhile").unwrap();
    assert_eq!(keyfob.database.value::<i64>("select count(*) from connections where customer = 'c3'"), 0);
}

#[tokio::test]
async fn what_a_template_shows_to_some_customers_alone_is_left_out_for_the_others() {
    let keyfob = Keyfob::working().await;
    let body = json!({
        "environment": "production", "kind": "template", "provider": "http", "connection_type": "basic", "name": "Basic",
        "customer_fields": ["username"], "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" },
        "secrets": { "password": "planted-global" },
    });
    keyfob.create(&body).await;
    let own = json!({
        "stable_key": "basic", "kind": "customer", "customer": "c1", "template": "basic", "provider": "http",
        "connection_type": "basic", "name": "Basic", "settings": { "username": "acme" },
    });
    let done = apply(&keyfob, &document(&[own])).await;
    assert_eq!(actions(&done), json!([["c1", "basic", "create", [], []]]), "the password is the template's");
    let merged = resolved(&keyfob, "basic", "c1").await;
    assert_eq!(
        (&merged["settings"]["username"], &merged["secrets"]["password"]),
        (&json!("acme"), &json!("planted-global"))
    );
}

#[tokio::test]
async fn a_thousand_customers_move_in_from_one_file_in_parts() {
    let keyfob = Keyfob::start().await;
    let template = template(&keyfob).await;
    let all: Vec<Value> = (0..1_000).map(|n| under(&format!("customer-{n:04}"), &format!("planted-{n}"))).collect();
    let whole = document(&all);
    assert!(whole.to_string().len() < 1 << 20);
    keyfob.database.record();
    for part in [1, 2] {
        let answer = import(&keyfob, &format!("dry_run=false&part={part}"), &whole).await.expect(200).json();
        assert_eq!((&answer["parts"], &answer["counts"]["create"]), (&json!(2), &json!(500)));
    }
    assert!(keyfob.database.recorded().iter().all(|batch| batch.statements.len() <= 14));
    assert_eq!(keyfob.get(&path_of(&template)).await.json()["customer_count"], 1_000);
    assert_eq!(resolved(&keyfob, "crm", "customer-0777").await["secrets"]["token"], "planted-777");
    let audited = "select count(*) from audit_events where action = 'connection.created'";
    assert_eq!(keyfob.database.value::<i64>(audited), 1_001);
}
