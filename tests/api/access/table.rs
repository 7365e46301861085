//! Every route with what it needs, and one request to it that succeeds.

use serde_json::{Value, json};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Anybody, without a key.
    Nothing,
    /// What stands in its body: a key adds nothing, and the body of its row proves nothing.
    Body,
    /// Any API key, and whoever is signed in to the dashboard.
    Key,
    /// An API key with this scope.
    Scope(&'static str),
    /// An embedded session.
    Session,
    /// The embedded session of the customer whose the object is, or is to be.
    Own,
    /// The embedded session of the organization's own designer.
    Builder,
    /// A session of the dashboard.
    Dashboard,
}

/// What an API key with the scope, but for another environment, is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// The same: the route concerns the whole deployment.
    Same,
    /// As if the object were not there.
    Hidden,
    /// That it may not use the environment.
    Refused,
    /// That it would grant what it lacks.
    Exceeds,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) need: Need,
    pub(crate) elsewhere: Elsewhere,
    /// What a request that succeeds adds to the path: its query.
    pub(crate) query: &'static str,
    /// Its body.
    pub(crate) body: Value,
    /// The status of its answer.
    pub(crate) status: u16,
    /// What it writes into the audit log, in its order; nothing, where empty.
    pub(crate) audited: &'static str,
}

impl Row {
    /// Whether its request carries `If-Match`.
    pub(crate) fn needs_version(&self) -> bool {
        let is_connection = ["/v1/connections/{id}", "/v1/embedded/connections/{id}"].contains(&self.path);
        is_connection && matches!(self.method, "PATCH" | "DELETE")
            || self.path.ends_with("/restore")
            || self.path.ends_with("/test-credentials")
    }

    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    fn body(self, body: Value) -> Self {
        Self { body, ..self }
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn audited(self, audited: &'static str) -> Self {
        Self { audited, ..self }
    }
}

/// A route from `METHOD path`, which answers 200 and leaves no trace.
fn row(route: &'static str, need: Need, elsewhere: Elsewhere) -> Row {
    let (method, path) = route.split_once(' ').unwrap();
    Row { method, path, need, elsewhere, query: "", body: Value::Null, status: 200, audited: "" }
}

/// Every route of the router.
pub(crate) fn table() -> Vec<Row> {
    let groups = [
        open(),
        connections(),
        credentials(),
        usages(),
        customers(),
        transfer(),
        keys(),
        people(),
        master_keys(),
        embedded(),
        webhooks(),
        audit(),
    ];
    groups.into_iter().flatten().collect()
}

fn open() -> Vec<Row> {
    vec![
        row("GET /healthz", Need::Nothing, Elsewhere::Same),
        row("GET /embed/", Need::Nothing, Elsewhere::Same),
        row("OPTIONS /v1/embedded/session", Need::Nothing, Elsewhere::Same).status(204),
        row("GET /oauth/start/{ticket}", Need::Nothing, Elsewhere::Same).status(410),
        row("GET /oauth/callback", Need::Nothing, Elsewhere::Same).status(410),
        row("OPTIONS /v1/embedded/connections/{id}/authorizations", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/connections/{id}/authorizations/{authorization}", Need::Nothing, Elsewhere::Same)
            .status(204),
        row("OPTIONS /v1/embedded/providers", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/providers/{provider}", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/connections", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/connections/{id}", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/connections/{id}/tests", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/connections/{id}/test-credentials", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/connections/{id}/replace", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/tests", Need::Nothing, Elsewhere::Same).status(204),
        row("OPTIONS /v1/embedded/sessions/exchange", Need::Nothing, Elsewhere::Same).status(204),
        row("POST /v1/embedded/sessions/exchange", Need::Body, Elsewhere::Same)
            .body(json!({ "jwt": "a.b.c" }))
            .status(401),
        row("POST /v1/embedded/connect-links/redemptions", Need::Body, Elsewhere::Same)
            .body(json!({ "token": "kl_" }))
            .status(401),
        row("GET /v1/providers", Need::Key, Elsewhere::Same),
        row("GET /v1/providers/{provider}", Need::Key, Elsewhere::Same),
    ]
}

fn connections() -> Vec<Row> {
    use Elsewhere::{Hidden, Refused};
    const READ: Need = Need::Scope("connections:read");
    const WRITE: Need = Need::Scope("connections:write");
    const TEST: Need = Need::Scope("connections:test");
    let create = json!({
        "environment": "development", "provider": "http", "connection_type": "none", "name": "Another",
        "settings": { "base_url": "https://api.other.dev" },
    });
    let draft = json!({
        "environment": "development", "provider": "http", "connection_type": "none",
        "settings": { "base_url": "https://api.other.dev" },
    });
    vec![
        row("GET /v1/connections", READ, Refused).query("?environment=development"),
        row("POST /v1/connections/plan", READ, Refused).body(json!({
            "environment": "development", "provider": "http", "connection_type": "none",
        })),
        row("POST /v1/connections/bulk", WRITE, Refused)
            .body(json!({
                "environment": "development", "filter": { "stable_key": "acme" }, "action": "disable", "dry_run": false,
            }))
            .audited("connection.updated"),
        row("PATCH /v1/connections/{id}/test-credentials", WRITE, Hidden)
            .body(json!({ "secrets": { "token": "planted-test" } }))
            .audited("connection.updated"),
        row("DELETE /v1/connections/{id}/test-credentials", WRITE, Hidden),
        row("POST /v1/connections", WRITE, Refused).body(create).status(201).audited("connection.created"),
        row("GET /v1/connections/facets", READ, Refused).query("?environment=development"),
        row("GET /v1/connections/{id}", READ, Hidden),
        row("PATCH /v1/connections/{id}", WRITE, Hidden).body(json!({ "name": "New" })).audited("connection.updated"),
        row("DELETE /v1/connections/{id}", Need::Scope("connections:delete"), Hidden)
            .status(204)
            .audited("connection.deleted"),
        row("POST /v1/connections/{id}/authorizations", WRITE, Hidden)
            .body(json!({}))
            .status(201)
            .audited("connection.authorization_started"),
        row("GET /v1/connections/{id}/authorizations/{authorization}", READ, Hidden),
        row("POST /v1/tests", TEST, Refused).body(draft),
        row("GET /v1/connections/{id}/tests", READ, Hidden),
        row("POST /v1/connections/{id}/tests", TEST, Hidden).body(json!({})).status(201),
        row("GET /v1/connections/{id}/revisions", READ, Hidden),
        row("GET /v1/connections/{id}/revisions/{number}", READ, Hidden),
        row("POST /v1/connections/{id}/revisions/{number}/restore", WRITE, Hidden)
            .body(json!({}))
            .audited("connection.restored"),
        row("GET /v1/connections/{id}/events", READ, Hidden),
    ]
}

fn credentials() -> Vec<Row> {
    const USE: Need = Need::Scope("credentials:use");
    let reveal = json!({ "fields": ["token"], "reason": "It moves to another vault." });
    vec![
        row("POST /v1/connections/{id}/reveal", Need::Scope("credentials:reveal"), Elsewhere::Hidden)
            .body(reveal)
            .audited("connection.secrets_revealed"),
        row("GET /v1/connections/{id}/credentials", USE, Elsewhere::Hidden),
        row("GET /v1/credentials", USE, Elsewhere::Refused).query("?environment=development&stable_key=acme"),
        row("POST /v1/connections/{id}/reports", USE, Elsewhere::Hidden).body(json!({ "revision": 1 })),
    ]
}

fn usages() -> Vec<Row> {
    use Elsewhere::{Hidden, Refused};
    const READ: Need = Need::Scope("connections:read");
    const WRITE: Need = Need::Scope("usages:write");
    vec![
        row("GET /v1/usages", READ, Refused).query("?environment=development"),
        row("GET /v1/connections/{id}/usages", READ, Hidden),
        row("PUT /v1/connections/{id}/usages/{workflow}/{step}", WRITE, Hidden).status(201).audited("usage.registered"),
        row("DELETE /v1/connections/{id}/usages/{workflow}/{step}", WRITE, Hidden).status(204).audited("usage.removed"),
        row("POST /v1/connections/{id}/replace", WRITE, Hidden)
            .body(json!({ "replacement": "{connection}" }))
            .audited("usage.replaced"),
    ]
}

fn customers() -> Vec<Row> {
    use Elsewhere::Refused;
    const READ: Need = Need::Scope("connections:read");
    vec![
        row("GET /v1/customers", READ, Refused).query("?environment=development"),
        row("GET /v1/customers/{customer}", READ, Refused).query("?environment=development"),
        row("DELETE /v1/customers/{customer}", Need::Scope("customers:manage"), Refused)
            .query("?environment=development")
            .status(204)
            .audited("customer.deleted"),
    ]
}

fn transfer() -> Vec<Row> {
    use Elsewhere::{Hidden, Refused};
    const TRANSFER: Need = Need::Scope("transfer");
    let definition = json!({
        "stable_key": "imported", "provider": "http", "connection_type": "none", "name": "Imported",
        "settings": { "base_url": "https://api.other.dev" },
    });
    vec![
        row("GET /v1/export", TRANSFER, Refused).query("?environment=development"),
        row("POST /v1/import", TRANSFER, Refused)
            .query("?environment=development&dry_run=false")
            .body(json!({ "format": "keyfob/definitions/1", "connections": [definition] }))
            .audited("definitions.imported connection.created"),
        row("POST /v1/connections/{id}/copy", Need::Scope("connections:write"), Hidden)
            .body(json!({ "environment": "development", "stable_key": "copied" }))
            .status(201)
            .audited("connection.created"),
    ]
}

fn keys() -> Vec<Row> {
    const KEYS: Need = Need::Scope("api-keys:manage");
    let create = json!({ "name": "Child", "scopes": ["api-keys:manage"], "environments": ["development"] });
    vec![
        row("GET /v1/api-keys", KEYS, Elsewhere::Same),
        row("POST /v1/api-keys", KEYS, Elsewhere::Exceeds).body(create).status(201).audited("api_key.created"),
        row("DELETE /v1/api-keys/{id}", KEYS, Elsewhere::Hidden).status(204).audited("api_key.revoked"),
    ]
}

fn master_keys() -> Vec<Row> {
    const MANAGE: Need = Need::Scope("master-keys:manage");
    vec![row("GET /v1/keys", MANAGE, Elsewhere::Same), row("POST /v1/keys/rewrap", MANAGE, Elsewhere::Same)]
}

fn people() -> Vec<Row> {
    vec![
        row("GET /v1/session", Need::Key, Elsewhere::Same),
        row("POST /v1/session", Need::Key, Elsewhere::Same).status(201).audited("session.created"),
        row("DELETE /v1/session", Need::Dashboard, Elsewhere::Same).status(204).audited("session.ended"),
    ]
}

#[expect(clippy::too_many_lines, reason = "one table: a line or two a route")]
fn embedded() -> Vec<Row> {
    use Elsewhere::{Hidden, Refused, Same};
    const EMBEDDED: Need = Need::Scope("embedded:manage");
    vec![
        row("POST /v1/embedded/sessions", EMBEDDED, Refused)
            .body(json!({ "environment": "development", "customer": "c1" }))
            .status(201)
            .audited("embedded_session.created"),
        row("DELETE /v1/embedded/sessions", EMBEDDED, Refused)
            .query("?environment=development&customer=c1")
            .status(204)
            .audited("embedded_session.revoked"),
        row("GET /v1/embedded/origins", EMBEDDED, Same),
        row("POST /v1/embedded/origins", EMBEDDED, Same)
            .body(json!({ "origin": "https://new.example.com" }))
            .status(201)
            .audited("embedded_origin.created"),
        row("DELETE /v1/embedded/origins/{id}", EMBEDDED, Same).status(204).audited("embedded_origin.deleted"),
        row("GET /v1/signing-keys", EMBEDDED, Refused).query("?environment=development"),
        row("POST /v1/signing-keys", EMBEDDED, Refused).body(signing_key()).status(201).audited("signing_key.created"),
        row("DELETE /v1/signing-keys/{id}", EMBEDDED, Hidden).status(204).audited("signing_key.deleted"),
        row("GET /v1/connect-links", EMBEDDED, Refused).query("?environment=development"),
        row("POST /v1/connect-links", EMBEDDED, Refused)
            .body(json!({
                "environment": "development", "customer": "c1", "provider": "http", "connection_type": "bearer",
            }))
            .status(201)
            .audited("connect_link.created"),
        row("DELETE /v1/connect-links/{id}", EMBEDDED, Hidden).status(204).audited("connect_link.deleted"),
        row("GET /v1/embedded/session", Need::Session, Same),
        row("GET /v1/embedded/providers", Need::Session, Same),
        row("GET /v1/embedded/providers/{provider}", Need::Session, Same),
        row("GET /v1/embedded/connections", Need::Session, Same),
        row("POST /v1/embedded/connections", Need::Own, Same)
            .body(json!({
                "provider": "http", "connection_type": "none", "name": "Another",
                "settings": { "base_url": "https://api.other.dev" },
            }))
            .status(201)
            .audited("connection.created"),
        row("GET /v1/embedded/connections/{id}", Need::Own, Same),
        row("PATCH /v1/embedded/connections/{id}", Need::Own, Same)
            .body(json!({ "name": "New" }))
            .audited("connection.updated"),
        row("DELETE /v1/embedded/connections/{id}", Need::Own, Same).status(204).audited("connection.deleted"),
        row("POST /v1/embedded/connections/{id}/tests", Need::Own, Same).body(json!({})).status(201),
        row("POST /v1/embedded/tests", Need::Own, Same).body(json!({
            "provider": "http", "connection_type": "none", "settings": { "base_url": "https://api.other.dev" },
        })),
        row("PATCH /v1/embedded/connections/{id}/test-credentials", Need::Builder, Same)
            .body(json!({ "secrets": { "token": "planted-test" } }))
            .audited("connection.updated"),
        row("DELETE /v1/embedded/connections/{id}/test-credentials", Need::Builder, Same),
        row("POST /v1/embedded/connections/{id}/replace", Need::Builder, Same)
            .body(json!({ "replacement": "{connection}" }))
            .audited("usage.replaced"),
        row("POST /v1/embedded/connections/{id}/authorizations", Need::Own, Same)
            .body(json!({}))
            .status(201)
            .audited("connection.authorization_started"),
        row("GET /v1/embedded/connections/{id}/authorizations/{authorization}", Need::Own, Same),
    ]
}

fn webhooks() -> Vec<Row> {
    use Elsewhere::{Hidden, Refused};
    const WEBHOOKS: Need = Need::Scope("webhooks:manage");
    let create = json!({
        "environment": "development", "url": "https://hooks.acme.dev/keyfob", "event_types": ["connection.expiring"],
    });
    vec![
        row("GET /v1/webhooks", WEBHOOKS, Refused).query("?environment=development"),
        row("POST /v1/webhooks", WEBHOOKS, Refused).body(create).status(201).audited("webhook.created"),
        row("DELETE /v1/webhooks/{id}", WEBHOOKS, Hidden).status(204).audited("webhook.deleted"),
        row("GET /v1/webhooks/{id}/deliveries", WEBHOOKS, Hidden),
    ]
}

fn audit() -> Vec<Row> {
    const AUDIT: Need = Need::Scope("audit:read");
    vec![
        row("GET /v1/audit-events", AUDIT, Elsewhere::Refused).query("?environment=development"),
        row("GET /v1/audit-events/verification", AUDIT, Elsewhere::Same),
    ]
}

/// A public key to register.
pub(crate) fn signing_key() -> Value {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    json!({ "environment": "development", "name": "Backend", "public_key": jwk })
}
