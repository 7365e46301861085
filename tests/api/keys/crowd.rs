//! Thousands of connections at once, each with a secret of its own that the API reads.

use keyfob::domain::environment::Environment;
use keyfob::domain::origin::Origin;
use keyfob::domain::values::{Secret, Secrets};
use keyfob::ports::Database;
use keyfob::store::vault_entries;
use keyfob::vault::{Context, KeyRing, Purpose, seal};
use serde_json::Value;

use super::create;
use crate::support::ports::SeededRandom;
use crate::support::{Keyfob, NOW};

/// The path of the connection with this number.
pub(super) fn path(number: usize) -> String {
    format!("/v1/connections/con_{number:026}")
}

/// The secret of the connection with this number.
pub(super) fn token(number: usize) -> String {
    format!("planted-secret-{number}")
}

/// Adds so many connections, sealed under key 1: the rows of one that the API created, with ids and secrets of their own.
pub(super) async fn add(keyfob: &Keyfob, count: usize) {
    let id = create(keyfob, "Model").await["id"].as_str().unwrap().to_owned();
    let names = "select json_group_array(name) from pragma_table_info('connections')";
    let names: Vec<String> = serde_json::from_str(&keyfob.database.value::<String>(names)).unwrap();
    let own = |name: &String| match name.as_str() {
        "rowid" => "null".to_owned(),
        "id" => "printf('con_%026d', i)".to_owned(),
        "stable_key" => "'model-' || i".to_owned(),
        _ => name.clone(),
    };
    let columns: Vec<String> = names.iter().map(own).collect();
    let insert = format!(
        "with recursive numbers(i) as (select 0 union all select i + 1 from numbers where i < {count} - 1) \
         insert into connections ({}) select {} from numbers cross join connections where id = '{id}'",
        names.join(", "),
        columns.join(", ")
    );
    keyfob.database.execute(&insert).unwrap();
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(1000) {
        let sealed = numbers.iter().map(|number| seal_one(keyfob, *number)).collect();
        keyfob.database.batch(sealed).await.unwrap();
    }
    keyfob.delete(&format!("/v1/connections/{id}"), 1).await.expect(204);
}

fn seal_one(keyfob: &Keyfob, number: usize) -> keyfob::ports::Statement {
    let ring = KeyRing::parse(&super::ring(1, &[1])).unwrap();
    let context = Context {
        environment: Environment::Development,
        owner_id: format!("con_{number:026}"),
        purpose: Purpose::Values,
        number: 1,
        destinations: [Origin::try_from("https://api.acme.dev".to_owned()).unwrap()].into(),
    };
    let secrets = Secrets([("token".to_owned(), Secret::new(token(number)))].into());
    // Randomness that differs from one to the next, and never repeats what the API drew.
    let sealed = seal(&ring, &Numbered(number), context, &secrets).unwrap();
    keyfob.blobs.stored.lock().unwrap().insert(sealed.vault_ref.to_string(), sealed.blob.clone());
    vault_entries::insert(&sealed, NOW)
}

struct Numbered(usize);

impl keyfob::ports::Random for Numbered {
    fn fill(&self, buffer: &mut [u8]) {
        SeededRandom::default().fill(buffer);
        for (byte, own) in buffer.iter_mut().zip(self.0.to_be_bytes()) {
            *byte ^= own;
        }
    }
}

/// Asserts that a connection resolves to its secret.
pub(super) async fn expect_token(keyfob: &Keyfob, path: &str, token: &str) {
    let credentials: Value = keyfob.get(&format!("{path}/credentials")).await.expect(200).json();
    assert_eq!(credentials["secrets"]["token"], token, "{path}");
}
