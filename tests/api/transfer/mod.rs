//! Definitions that move: copies, exports and imports, between environments and deployments.

mod copy;
mod customers;
mod export;
mod import;
mod moving_in;
mod templates;

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob};

const FORMAT: &str = "keyfob/definitions/1";

/// A document of definitions.
fn document(definitions: &[Value]) -> Value {
    json!({ "format": FORMAT, "connections": definitions })
}

/// The definition of a bearer connection of the generic HTTP provider.
fn definition(key: &str) -> Value {
    json!({
        "stable_key": key, "kind": "organization", "provider": "http", "connection_type": "bearer", "name": key,
        "description": "Of every environment", "tags": ["a", "b"],
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" }, "secret_fields": ["token"],
        "enabled": true, "embedded": true,
    })
}

/// The definition of a connection without any secret.
fn open_definition(key: &str) -> Value {
    let mut definition = definition(key);
    definition["connection_type"] = json!("none");
    definition["secret_fields"] = json!([]);
    definition
}

fn with(mut definition: Value, field: &str, value: Value) -> Value {
    definition[field] = value;
    definition
}

async fn import(keyfob: &Keyfob, query: &str, document: &Value) -> Answer {
    keyfob.post(&format!("/v1/import?environment=production&{query}"), document).await
}

/// Imports into production, whole.
async fn apply(keyfob: &Keyfob, document: &Value) -> Value {
    import(keyfob, "dry_run=false", document).await.expect(200).json()
}

/// What becomes of each connection: key, action, changes, secrets that are missing.
fn actions(imported: &Value) -> Value {
    let fields = ["stable_key", "action", "changes", "needs_secrets"];
    let connections = imported["connections"].as_array().unwrap().iter();
    connections.map(|one| fields.iter().map(|field| one[*field].clone()).collect::<Value>()).collect()
}

/// The connections of an environment, by name.
async fn listed(keyfob: &Keyfob, environment: &str) -> Vec<Value> {
    let page = keyfob.get(&format!("/v1/connections?environment={environment}&limit=100")).await.expect(200).json();
    page["data"].as_array().unwrap().clone()
}
