//! Every operation that changes something: one line each. The sweep lets each effect of each of them fail.

use serde_json::{Value, json};

use crate::support::people::OWN;
use crate::support::signing::Signer;
use crate::support::{NOW, bearer};
use crate::world::{Call, World};

/// An operation, and what it may leave half done.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) call: Call,
    /// Tables whose rows come in a commit of their own, after the one that counts.
    pub(crate) later: &'static [&'static str],
    /// Whether the same again is another one, or nothing, and never refused.
    pub(crate) repeats: bool,
    /// Whether its answer shows a secret: then it is given once.
    pub(crate) shows_secret: bool,
}

impl Operation {
    const fn new(name: &'static str, call: Call) -> Self {
        Self { name, call, later: &[], repeats: false, shows_secret: false }
    }

    pub(crate) fn is_idempotent(&self) -> bool {
        self.call.headers.iter().any(|(name, _)| *name == "idempotency-key")
    }
}

/// A ring with a second key that is the primary one: 32 bytes of 8.
const ROTATED: &str = r#"{"primary":2,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    "2":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;

/// What the operations work on.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) connection: String,
    /// Another one, which two steps use.
    used: String,
    /// A template with test credentials, under which a customer has a connection.
    template: String,
    /// That customer's connection, and a session of theirs.
    own: String,
    session: String,
    /// Two that wait for a person's consent: the organization's, and that customer's.
    waiting: [String; 2],
    api_key: String,
    origin: String,
    webhook: String,
    signing_key: String,
    signed: String,
    /// The id of a connect link, and the token of another one.
    link: String,
    link_token: String,
    /// A session of the organization's own designer.
    builder: String,
    cookie: String,
}

/// A world with a connection of three revisions and version 4, a key, an origin, and a session.
#[expect(clippy::too_many_lines, reason = "one of everything: a line or two each")]
pub(crate) fn stage() -> Stage {
    let world = World::new(0, 1, std::time::Duration::ZERO);
    let id = |answer: Value| answer["id"].as_str().unwrap().to_owned();
    let mut body = bearer("Acme");
    body["tags"] = json!(["a", "b"]);
    let connection = id(world.expect(201, &create(body)).json());
    let path = format!("/v1/connections/{connection}?test=false");
    let changes = [
        json!({ "secrets": { "token": "planted-secret-2" } }),
        json!({ "settings": { "test_path": "/user" } }),
        json!({ "name": "Acme Incorporated" }),
    ];
    for (version, change) in (1..).zip(changes) {
        world.expect(200, &Call::new("PATCH", &path, change).if_match(version));
    }
    let used = id(world.expect(201, &create(bearer("Used"))).json());
    for step in ["1", "2"] {
        world.expect(201, &Call::new("PUT", usage(&used, step), Value::Null));
    }
    let template = id(world.expect(201, &create(definition("T"))).json());
    let test = Call::new("PATCH", test_credentials(&template), json!({ "secrets": { "token": "planted-test-1" } }));
    world.expect(200, &test.if_match(1));
    let own = id(world.expect(201, &create(under(&template, "known"))).json());
    let waiting = [None, Some("known")].map(|customer| id(world.expect(201, &create(consent(customer))).json()));
    let minted = json!({ "environment": "development", "customer": "known" });
    let minted = world.expect(201, &Call::new("POST", "/v1/embedded/sessions", minted)).json();
    let api_key = json!({ "name": "Key", "scopes": ["audit:read"], "environments": ["staging"] });
    let api_key = id(world.expect(201, &Call::new("POST", "/v1/api-keys", api_key)).json());
    let origin = json!({ "origin": "https://app.acme.dev" });
    let origin = id(world.expect(201, &Call::new("POST", "/v1/embedded/origins", origin)).json());
    let webhook = id(world.expect(201, &Call::new("POST", "/v1/webhooks", webhook("one"))).json());
    let session = json!({ "environment": "development", "customer": "c1" });
    world.expect(201, &Call::new("POST", "/v1/embedded/sessions", session));
    let backend = Signer::ed();
    let signing_key = id(world.expect(201, &Call::new("POST", "/v1/signing-keys", public_key(&backend))).json());
    let seconds = NOW.millis() / 1000 + 300;
    let claims = json!({ "aud": OWN, "sub": "c3", "jti": "t1", "iat": seconds, "exp": seconds + 300 });
    let signed = backend.token(&signing_key, &claims);
    let builder = Call::new("POST", "/v1/embedded/sessions", json!({ "environment": "development" }));
    let builder = format!("Bearer {}", world.expect(201, &builder).json()["token"].as_str().unwrap());
    let [link, other] = ["c1", "c2"].map(|customer| world.expect(201, &connect_link(customer)).json());
    let (link, link_token) = (id(link), other["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned());
    let signed_in = world.expect(201, &Call::new("POST", "/v1/session", Value::Null));
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    // Whatever is limited to once a second or a minute may come again.
    world.clock.advance(std::time::Duration::from_mins(5));
    // From here on under another primary key: what is stored waits to be wrapped under it.
    let world = world.copy_under(ROTATED);
    let session = format!("Bearer {}", minted["token"].as_str().unwrap());
    Stage {
        world,
        connection,
        used,
        template,
        own,
        session,
        waiting,
        api_key,
        origin,
        webhook,
        signing_key,
        signed,
        link,
        link_token,
        builder,
        cookie,
    }
}

/// A connection that waits for a person's consent.
pub(crate) fn consent(customer: Option<&str>) -> Value {
    let kind = if customer.is_some() { "customer" } else { "organization" };
    json!({
        "environment": "development", "provider": "oauth2", "connection_type": "authorization_code", "kind": kind,
        "name": "Consent", "customer": customer, "secrets": { "client_secret": "planted-client-1" },
        "settings": {
            "base_url": "https://api.acme.dev", "authorize_url": "https://login.acme.dev/authorize",
            "token_url": "https://login.acme.dev/token", "client_id": "client-1",
        },
    })
}

fn usage(connection: &str, step: &str) -> String {
    format!("/v1/connections/{connection}/usages/w/{step}")
}

fn connect_link(customer: &str) -> Call {
    let body = json!({
        "environment": "development", "customer": customer, "provider": "http", "connection_type": "bearer",
    });
    Call::new("POST", "/v1/connect-links", body)
}

fn public_key(signer: &Signer) -> Value {
    json!({ "environment": "development", "name": "Backend", "public_key": signer.jwk("any") })
}

fn webhook(path: &str) -> Value {
    let url = format!("https://hooks.acme.dev/{path}");
    json!({ "environment": "development", "url": url, "event_types": ["connection.status_changed"] })
}

fn create(body: Value) -> Call {
    Call::new("POST", "/v1/connections?test=false", body)
}

/// All of them.
pub(crate) fn operations(stage: &Stage) -> Vec<Operation> {
    let mut operations = on_one(stage);
    operations.extend(on_usages(stage));
    operations.extend(on_templates(stage));
    operations.extend(on_signing_keys(stage));
    operations.extend(on_links(stage));
    operations.extend(in_the_designer(stage));
    operations.extend(on_own(stage));
    operations.extend(on_definitions(stage));
    operations.extend(on_consents(stage));
    operations
}

/// A template whose customers have the token.
fn definition(name: &str) -> Value {
    let mut body = bearer(name);
    body["kind"] = "template".into();
    body["secrets"] = json!({});
    body
}

/// The connection of a customer under a template.
fn under(template: &str, customer: &str) -> Value {
    json!({
        "environment": "development", "kind": "customer", "template": template, "customer": customer,
        "secrets": { "token": "planted-customer-1" },
    })
}

fn test_credentials(id: &str) -> String {
    format!("/v1/connections/{id}/test-credentials?test=false")
}

/// What changes a template, and what stands under it.
fn on_templates(stage: &Stage) -> Vec<Operation> {
    let id = &stage.template;
    let once = |name, body| {
        let call = Call::new("POST", "/v1/connections?test=false", body).with("idempotency-key", "once");
        Operation::new(name, call)
    };
    let change = |name, query: &str, body| {
        let path = format!("/v1/connections/{id}?test=false{query}");
        Operation::new(name, Call::new("PATCH", path, body).if_match(2))
    };
    let test = json!({ "secrets": { "token": "planted-test-2" } });
    let customer = "/v1/customers/known?environment=development";
    vec![
        once("create a template", definition("Other")),
        once("connect a customer", under(id, "other")),
        change("change a global value", "", json!({ "settings": { "test_path": "/you" } })),
        change("send secrets elsewhere", "&force=true", json!({ "settings": { "base_url": "https://api.other.dev" } })),
        Operation::new("set test credentials", Call::new("PATCH", test_credentials(id), test).if_match(2)),
        Operation::new(
            "delete test credentials",
            Call::new("DELETE", format!("/v1/connections/{id}/test-credentials"), Value::Null).if_match(2),
        ),
        Operation { repeats: true, ..Operation::new("delete a customer", Call::new("DELETE", customer, Value::Null)) },
    ]
}

/// What a customer does with a connection of their own.
fn on_own(stage: &Stage) -> Vec<Operation> {
    let all = "/v1/embedded/connections";
    let path = format!("{all}/{}", stage.own);
    let call = |method, path: String, body| Call::new(method, path, body).with("authorization", &stage.session);
    let body = json!({
        "provider": "http", "connection_type": "bearer", "name": "Own", "secrets": { "token": "planted-own-1" },
        "settings": { "base_url": "https://api.acme.dev" },
    });
    let secret = json!({ "secrets": { "token": "planted-own-2" } });
    let test = call("POST", format!("{path}/tests"), json!({}));
    vec![
        Operation::new(
            "connect oneself",
            call("POST", format!("{all}?test=false"), body).with("idempotency-key", "once"),
        ),
        Operation::new("enter an own secret", call("PATCH", format!("{path}?test=false"), secret).if_match(1)),
        Operation { later: &["tests"], repeats: true, ..Operation::new("test an own one", test) },
        Operation::new("disconnect", call("DELETE", path, Value::Null).if_match(1)),
    ]
}

/// What moves definitions.
fn on_definitions(stage: &Stage) -> Vec<Operation> {
    let definition = |key: &str, name: &str| {
        json!({
            "stable_key": key, "provider": "http", "connection_type": "bearer", "name": name,
            "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" },
        })
    };
    let mut moving = definition("moved", "Moved");
    moving["secrets"] = json!({ "token": "planted-secret-1" });
    let import = |definitions: Value| {
        let document = json!({ "format": "keyfob/definitions/1", "connections": definitions });
        Call::new("POST", "/v1/import?environment=development&dry_run=false", document)
    };
    let repeats = |name, call| Operation { repeats: true, ..Operation::new(name, call) };
    let copy =
        Call::new("POST", format!("/v1/connections/{}/copy", stage.connection), json!({ "environment": "staging" }));
    vec![
        Operation::new("copy", copy.with("idempotency-key", "once")),
        repeats(
            "import",
            import(json!([definition("new", "New"), definition("used", "Renamed"), definition("more", "More")])),
        ),
        repeats("import with secrets", import(json!([moving, definition("acme", "Acme")]))),
    ]
}

/// What begins to ask a person for consent.
fn on_consents(stage: &Stage) -> Vec<Operation> {
    let [connection, own] = &stage.waiting;
    let begin = |path: String| Call::new("POST", path, json!({})).with("idempotency-key", "once");
    let path = format!("/v1/embedded/connections/{own}/authorizations");
    let shows_secret = |name, call| Operation { shows_secret: true, ..Operation::new(name, call) };
    vec![
        shows_secret("authorize", begin(format!("/v1/connections/{connection}/authorizations"))),
        shows_secret("authorize oneself", begin(path).with("authorization", &stage.session)),
    ]
}

/// What is signed for.
fn on_signing_keys(stage: &Stage) -> Vec<Operation> {
    let (keys, exchange) = ("/v1/signing-keys", "/v1/embedded/sessions/exchange");
    let key = Call::new("POST", keys, public_key(&Signer::ed())).with("idempotency-key", "once");
    vec![
        Operation::new("register a signing key", key),
        Operation::new(
            "delete a signing key",
            Call::new("DELETE", format!("{keys}/{}", stage.signing_key), Value::Null),
        ),
        Operation::new("exchange a token", Call::new("POST", exchange, json!({ "jwt": stage.signed }))),
    ]
}

/// What customers connect with, and nobody embeds.
fn on_links(stage: &Stage) -> Vec<Operation> {
    let redemption = json!({ "token": stage.link_token });
    vec![
        Operation {
            shows_secret: true,
            ..Operation::new("create a link", connect_link("c4").with("idempotency-key", "once"))
        },
        Operation::new("revoke a link", Call::new("DELETE", format!("/v1/connect-links/{}", stage.link), Value::Null)),
        Operation::new("redeem a link", Call::new("POST", "/v1/embedded/connect-links/redemptions", redemption)),
    ]
}

/// What the organization's own designer does beside creating.
fn in_the_designer(stage: &Stage) -> Vec<Operation> {
    let all = "/v1/embedded/connections";
    let test = format!("{all}/{}/test-credentials", stage.template);
    let call = |method, path: String, body| Call::new(method, path, body).with("authorization", &stage.builder);
    let secret = json!({ "secrets": { "token": "planted-test-3" } });
    let replacement = json!({ "replacement": stage.connection });
    let replace = call("POST", format!("{all}/{}/replace", stage.used), replacement);
    vec![
        Operation::new("design: set", call("PATCH", format!("{test}?test=false"), secret).if_match(2)),
        Operation::new("design: delete", call("DELETE", test, Value::Null).if_match(2)),
        Operation { repeats: true, ..Operation::new("design: replace", replace) },
    ]
}

/// What changes which step uses which connection.
fn on_usages(stage: &Stage) -> Vec<Operation> {
    let id = &stage.connection;
    let used = format!("/v1/connections/{}", stage.used);
    let put = |name, step| Operation {
        repeats: true,
        ..Operation::new(name, Call::new("PUT", usage(id, step), Value::Null))
    };
    let delete = |name, path| Operation::new(name, Call::new("DELETE", path, Value::Null).if_match(1));
    let replace = Call::new("POST", format!("{used}/replace"), json!({ "replacement": id }));
    vec![
        put("register a usage", "3"),
        put("move a usage", "1"),
        delete("remove a usage", usage(&stage.used, "1")),
        Operation { repeats: true, ..Operation::new("replace all usages", replace) },
        delete("delete by force", format!("{used}?force=true")),
        delete("delete and replace", format!("{used}?replace_with={id}")),
    ]
}

#[expect(clippy::too_many_lines, reason = "one table: a line or two an operation")]
fn on_one(stage: &Stage) -> Vec<Operation> {
    let id = &stage.connection;
    let path = format!("/v1/connections/{id}");
    let change =
        |name, query: &str, body| Operation::new(name, Call::new("PATCH", format!("{path}{query}"), body).if_match(4));
    let post = |name, path: &str, body| Operation::new(name, Call::new("POST", path, body));
    let once =
        |name, path: &str, body| Operation::new(name, Call::new("POST", path, body).with("idempotency-key", "once"));
    let delete = |name, path: String| Operation::new(name, Call::new("DELETE", path, Value::Null));
    let restore = |name, query: &str| {
        let path = format!("{path}/revisions/1/restore{query}");
        Operation::new(name, Call::new("POST", path, json!({})).if_match(4))
    };
    let bulk = |name, action: &str, more: Value| {
        let mut body = json!({ "environment": "development", "filter": {}, "action": action, "dry_run": false });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Operation { repeats: true, ..post(name, "/v1/connections/bulk", body) }
    };
    let token = json!({ "secrets": { "token": "planted-secret-3" } });
    let message = json!({ "fields": ["token"], "reason": "why" });
    let api_key = json!({ "name": "Other key", "scopes": ["audit:read"], "environments": ["staging"] });
    vec![
        once("create", "/v1/connections?test=false", bearer("Other")),
        once("create and test", "/v1/connections", bearer("Other")),
        change("change a secret", "?test=false", token.clone()),
        change("change a secret and test", "", token),
        change("change a setting", "?test=false", json!({ "settings": { "test_path": "/me" } })),
        change("clear every secret and setting", "?test=false", json!({ "settings": { "test_path": null } })),
        change("rename", "", json!({ "name": "Umbrella", "description": "New." })),
        change("tag", "", json!({ "tags": ["b", "c"] })),
        change("disable", "", json!({ "enabled": false })),
        change("expose", "", json!({ "embedded": true })),
        restore("restore", "?test=false"),
        restore("restore and test", ""),
        Operation::new("delete", Call::new("DELETE", &path, Value::Null).if_match(4)),
        bulk("tag all", "add_tags", json!({ "tags": ["c"] })),
        bulk("delete all", "delete", json!({ "force": true })),
        Operation { later: &["tests"], repeats: true, ..post("test", &format!("{path}/tests"), json!({})) },
        Operation {
            later: &["tests"],
            repeats: true,
            ..post("report", &format!("{path}/reports"), json!({ "revision": 3 }))
        },
        Operation { repeats: true, ..post("reveal", &format!("{path}/reveal"), message) },
        Operation { shows_secret: true, ..once("create an API key", "/v1/api-keys", api_key) },
        delete("revoke an API key", format!("/v1/api-keys/{}", stage.api_key)),
        once("register an origin", "/v1/embedded/origins", json!({ "origin": "https://other.acme.dev" })),
        delete("remove an origin", format!("/v1/embedded/origins/{}", stage.origin)),
        Operation { shows_secret: true, ..once("register a webhook", "/v1/webhooks", webhook("two")) },
        delete("delete a webhook", format!("/v1/webhooks/{}", stage.webhook)),
        Operation { repeats: true, ..post("rewrap", "/v1/keys/rewrap", Value::Null) },
        Operation {
            shows_secret: true,
            ..once("mint a session", "/v1/embedded/sessions", json!({ "environment": "development", "customer": "c2" }))
        },
        Operation { repeats: true, ..post("sign in", "/v1/session", Value::Null) },
        Operation::new(
            "sign out",
            Call::new("DELETE", "/v1/session", Value::Null).with("cookie", &stage.cookie).with("origin", OWN),
        ),
        Operation {
            repeats: true,
            ..delete("end sessions", "/v1/embedded/sessions?environment=development&customer=c1".to_owned())
        },
    ]
}
