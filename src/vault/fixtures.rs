//! What the tests of the vault seal: a ring, a context, every context beside it, and repeatable randomness.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::{Context, Entry, KeyRing, Purpose, Sealed, seal};
use crate::domain::environment::Environment;
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::domain::values::{Secret, Secrets};
use crate::ports::Random;

/// Base64 of 32 bytes 0x01.
pub(super) const KEY_1: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// Base64 of 32 bytes 0x02.
pub(super) const KEY_2: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// A stream of bytes without repetition: SHA-256 of a counter.
#[derive(Default)]
pub(super) struct Stream(AtomicU64);

impl Random for Stream {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// Keys 1 and 2, one of them primary.
pub(super) fn ring(primary: u32) -> KeyRing {
    KeyRing::parse(&format!(r#"{{"primary":{primary},"keys":{{"1":"{KEY_1}","2":"{KEY_2}"}}}}"#)).unwrap()
}

/// The values of a connection with two destinations.
pub(super) fn context() -> Context {
    Context {
        environment: Environment::Production,
        owner_id: "con_1".to_owned(),
        purpose: Purpose::Values,
        number: 7,
        destinations: origins(&["https://a.example", "https://b.example:8443"]),
    }
}

/// Contexts that differ from [`context`] in one thing each.
pub(super) fn other_contexts() -> Vec<Context> {
    let purposes = [Purpose::Tokens, Purpose::Verifier, Purpose::Webhook, Purpose::Draft];
    let destinations: [&[&str]; 5] = [
        &[],
        &["https://a.example"],
        &["https://b.example:8443"],
        &["https://a.example", "https://b.example"],
        &["https://a.example", "https://b.example:8443", "https://c.example"],
    ];
    let mut others = vec![
        Context { environment: Environment::Development, ..context() },
        Context { environment: Environment::Staging, ..context() },
        Context { owner_id: "con_2".to_owned(), ..context() },
        Context { owner_id: String::new(), ..context() },
        Context { number: 6, ..context() },
        Context { number: 8, ..context() },
        Context { number: u64::MAX, ..context() },
    ];
    others.extend(purposes.map(|purpose| Context { purpose, ..context() }));
    others.extend(destinations.map(|texts| Context { destinations: origins(texts), ..context() }));
    others
}

/// Two secrets, one of them with characters of several bytes.
pub(super) fn secrets() -> Secrets {
    secrets_of(&[("password", "päss\n\"wörd\""), ("token", "xoxb-secret")])
}

/// Secrets with these texts.
pub(super) fn secrets_of(texts: &[(&str, &str)]) -> Secrets {
    texts.iter().map(|(key, text)| ((*key).to_owned(), Secret::new((*text).to_owned()))).collect()
}

/// The secrets as plain texts, for comparison.
pub(super) fn texts_of(secrets: &Secrets) -> Vec<(String, String)> {
    secrets.0.iter().map(|(key, secret)| (key.clone(), secret.expose_secret().to_owned())).collect()
}

/// The secrets sealed under key 1.
pub(super) fn sealed() -> Sealed {
    seal(&ring(1), &Stream::default(), context(), &secrets()).unwrap()
}

/// The row of what was sealed.
pub(super) fn entry_of(sealed: &Sealed) -> Entry {
    Entry {
        context: sealed.context.clone(),
        vault_ref: sealed.vault_ref,
        wrapped_key: sealed.wrapped_key.clone(),
        key_id: sealed.key_id,
        created_at: Timestamp::from_millis(0),
    }
}

fn origins(texts: &[&str]) -> BTreeSet<Origin> {
    texts.iter().map(|text| Origin::try_from((*text).to_owned()).unwrap()).collect()
}
