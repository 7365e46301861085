//! Creating, finding, changing and deleting connections.

mod create;
mod delete;
mod faults;
mod idempotency;
mod update;
mod writers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, bearer, path_of, shown};

const LIST: &str = "/v1/connections?environment=development";

/// The working connection of [`bearer`] as the API shows it, right after it was created.
fn created(id: &Value, name: &str, stable_key: &str) -> Value {
    let root = json!({ "id": "key_root", "name": "Root key", "claimed": null });
    json!({
        "id": id, "environment": "development", "provider": "http", "connection_type": "bearer",
        "kind": "organization", "template": null, "customer": null, "supplied_by": null,
        "customer_fields": null, "customer_count": null, "must_reenter": false, "test_credentials": null,
        "name": name, "description": "", "stable_key": stable_key, "tags": [],
        "settings": {
            "base_url": "https://api.acme.dev", "test_path": "/me", "test_method": "GET", "test_expect": "200-299",
        },
        "secret_fields": ["token"], "enabled": true, "embedded": false, "status": "active",
        "health": {
            "verdict": "valid", "reason": null, "action": "none", "message": null,
            "checked_at": "2026-11-20T10:00:00.000Z", "source": "save", "stale": false,
        },
        "last_attempt": {
            "verdict": "valid", "reason": null, "action": "none", "message": null,
            "at": "2026-11-20T10:00:00.000Z", "source": "save",
        },
        "facts": {}, "granted_scopes": [], "missing_scopes": [], "expires_at": null, "rotate_by": null, "attention": [],
        "usage_count": 0, "last_used_at": null, "version": 1, "revision": 1,
        "created_at": "2026-11-20T10:00:00.000Z", "created_by": root,
        "modified_at": "2026-11-20T10:00:00.000Z", "modified_by": root,
    })
}

/// Every blob is named by an entry, or waits as garbage.
fn expect_no_stray_blob(keyfob: &Keyfob) {
    let named = "select json_group_array(vault_ref) from (select vault_ref from vault_entries union select vault_ref from garbage)";
    let named: BTreeSet<String> = serde_json::from_str(&keyfob.database.value::<String>(named)).unwrap();
    let stored: BTreeSet<String> = keyfob.blobs.stored.lock().unwrap().keys().cloned().collect();
    assert!(
        stored.is_subset(&named),
        "{} of {} blobs are named nowhere",
        stored.difference(&named).count(),
        stored.len()
    );
}
