//! A canary under each purpose of the vault, those included that no route writes yet: what rests tells nothing of it.

use std::collections::BTreeSet;

use keyfob::domain::environment::Environment;
use keyfob::domain::values::{Secret, Secrets};
use keyfob::ports::{BlobStore, Database};
use keyfob::store::vault_entries;
use keyfob::vault::{Context, KeyRing, Purpose, seal};

use super::Watched;
use crate::support::NOW;
use crate::support::ports::SeededRandom;

const RING: &str = r#"{"primary":1,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}}"#;

/// Secrets as each purpose holds them.
const PLANTED: [(Purpose, &str, &str); 5] = [
    (
        Purpose::Values,
        "private_key",
        "-----BEGIN PRIVATE KEY-----\nMIICanaryCanary+/0\nCanaryCanary==\n-----END PRIVATE KEY-----\n",
    ),
    (Purpose::Tokens, "refresh_token", "1//Canary-refresh_token~0123456789"),
    (Purpose::Verifier, "code_verifier", "Canary-dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    (Purpose::Webhook, "signing_secret", "whsec_Canary+/MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=="),
    (Purpose::Draft, "client_secret", r#"Canary"\/<&>'{}%41+=~?#ü💳"#),
];

#[tokio::test]
async fn a_secret_under_any_purpose_rests_unreadable() {
    let watched = Watched::start(200).await;
    let (ring, random) = (KeyRing::parse(RING).unwrap(), SeededRandom::default());
    for (purpose, field, secret) in PLANTED {
        let context = Context {
            environment: Environment::Production,
            owner_id: "con_01kag3p3g0zzzzzzzzzzzzzzzz".to_owned(),
            purpose,
            number: 1,
            destinations: BTreeSet::new(),
        };
        let secrets: Secrets = [(field.to_owned(), Secret::new(secret.to_owned()))].into_iter().collect();
        let sealed = seal(&ring, &random, context, &secrets).unwrap();
        watched.keyfob.blobs.put(&sealed.vault_ref.to_string(), sealed.blob.clone()).await.unwrap();
        watched.keyfob.database.batch(vec![vault_entries::insert(&sealed, NOW)]).await.unwrap();
    }
    watched.keyfob.get("/v1/connections?environment=production").await.expect(200);
    assert_eq!(watched.keyfob.database.value::<i64>("select count(distinct purpose) from vault_entries"), 5);
    for (_, field, secret) in PLANTED {
        watched.search(field, secret);
        for line in secret.lines().filter(|line| line.contains("Canary")) {
            watched.search(field, line);
        }
    }
}
