//! Whose credentials: templates, customers' connections under them and alone, test credentials, customers.

mod attacks;
mod customers;
mod merged;
mod plan;
mod resolving;
mod templates;
mod test_credentials;

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, path_of};

/// A template whose customers have the token, and whose address is global.
fn template(name: &str) -> Value {
    json!({
        "environment": "development", "kind": "template", "provider": "http", "connection_type": "bearer", "name": name,
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" },
    })
}

/// A template whose customers have a user name, and whose password is the organization's.
fn shared_password(name: &str) -> Value {
    json!({
        "environment": "development", "kind": "template", "provider": "http", "connection_type": "basic", "name": name,
        "customer_fields": ["username"],
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" },
        "secrets": { "password": "planted-global-1" },
    })
}

/// What a customer enters under a template.
fn under(template: &Value, customer: &str) -> Value {
    json!({
        "environment": "development", "kind": "customer", "customer": customer, "template": template["id"],
        "secrets": { "token": format!("planted-{customer}") },
    })
}

/// A connection of a customer that stands alone.
fn alone(customer: &str, name: &str) -> Value {
    json!({
        "environment": "development", "kind": "customer", "customer": customer, "provider": "http",
        "connection_type": "bearer", "name": name, "settings": { "base_url": "https://own.acme.dev" },
        "secrets": { "token": format!("planted-own-{customer}") },
    })
}

async fn credentials(keyfob: &Keyfob, query: &str) -> Answer {
    keyfob.get(&format!("/v1/credentials?environment=development&{query}")).await
}

async fn credentials_of(keyfob: &Keyfob, connection: &Value, query: &str) -> Answer {
    keyfob.get(&format!("{}/credentials?{query}", path_of(connection))).await
}

async fn set_test(keyfob: &Keyfob, connection: &Value, version: u64, body: &Value) -> Answer {
    let path = format!("{}/test-credentials", path_of(connection));
    keyfob.request("PATCH", &path, ROOT, &[("if-match", &format!("\"{version}\""))], body).await
}

async fn shown_now(keyfob: &Keyfob, connection: &Value) -> Value {
    keyfob.get(&path_of(connection)).await.expect(200).json()
}
