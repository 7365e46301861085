//! What the vault made: blobs, wrapped keys, references, tags, key rings.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use keyfob::domain::environment::Environment;
use keyfob::domain::origin::Origin;
use keyfob::domain::time::Timestamp;
use keyfob::domain::values::{Secret, Secrets};
use keyfob::ports::Random;
use keyfob::vault::{Context, Entry, KeyRing, MacPurpose, Purpose, Sealed, Tag, VaultRef, open, rewrap, seal};
use proptest::prelude::*;

use crate::{Damage, cases};

/// Randomness that is the same every time: nothing here hangs on it.
struct Fixed;

impl Random for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0x5a);
    }
}

const RING: &str = r#"{"primary":2,"keys":{"1":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","2":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="}}"#;

fn ring() -> KeyRing {
    KeyRing::parse(RING).unwrap()
}

fn context() -> Context {
    let destinations = BTreeSet::from([Origin::try_from("https://a.example.com".to_owned()).unwrap()]);
    Context {
        environment: Environment::Staging,
        owner_id: "con_1".to_owned(),
        purpose: Purpose::Values,
        number: 3,
        destinations,
    }
}

fn secrets_of(texts: &[(String, String)]) -> Secrets {
    texts.iter().map(|(key, text)| (key.clone(), Secret::new(text.clone()))).collect()
}

/// One entry, which each claim damages in its own way.
static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let secrets = secrets_of(&[
        ("key".to_owned(), "-----BEGIN\nplanted\n".to_owned()),
        ("token".to_owned(), "s3cret".to_owned()),
    ]);
    seal(&ring(), &Fixed, context(), &secrets).unwrap()
});

fn entry() -> Entry {
    entry_of(&SEALED)
}

fn entry_of(sealed: &Sealed) -> Entry {
    Entry {
        context: sealed.context.clone(),
        vault_ref: sealed.vault_ref,
        wrapped_key: sealed.wrapped_key.clone(),
        key_id: sealed.key_id,
        created_at: Timestamp::from_millis(0),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_was_sealed_is_opened(texts in prop::collection::btree_map("[a-z_]{1,10}", any::<String>(), 0..4)) {
        let texts: Vec<(String, String)> = texts.into_iter().collect();
        let sealed = seal(&ring(), &Fixed, context(), &secrets_of(&texts)).unwrap();
        let opened = open(&ring(), &entry_of(&sealed), &sealed.blob).unwrap();
        let read: Vec<_> = opened.secrets.0.iter().map(|(key, secret)| (key.clone(), secret.expose_secret().to_owned())).collect();
        prop_assert_eq!(read, texts);
    }

    #[test]
    fn a_damaged_blob_does_not_open_whatever_its_reference_says(damage in Damage::any()) {
        let blob = damage.apply(&SEALED.blob);
        prop_assume!(blob != SEALED.blob);
        prop_assert!(open(&ring(), &entry(), &blob).is_err());
        let agreeing = Entry { vault_ref: VaultRef::of(&blob), ..entry() };
        prop_assert!(open(&ring(), &agreeing, &blob).is_err());
    }

    #[test]
    fn any_bytes_are_no_blob(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let agreeing = Entry { vault_ref: VaultRef::of(&bytes), ..entry() };
        prop_assert!(open(&ring(), &agreeing, &bytes).is_err());
    }

    #[test]
    fn a_damaged_wrapped_key_does_not_open(damage in Damage::any(), text in any::<String>(), key_id in 0..4_u32) {
        let damaged = String::from_utf8_lossy(&damage.apply(SEALED.wrapped_key.as_bytes())).into_owned();
        for wrapped_key in [damaged, text] {
            if wrapped_key != SEALED.wrapped_key {
                for key_id in [SEALED.key_id, key_id] {
                    let entry = Entry { wrapped_key: wrapped_key.clone(), key_id, ..entry() };
                    prop_assert!(open(&ring(), &entry, &SEALED.blob).is_err());
                    prop_assert!(rewrap(&ring(), &Fixed, &entry).is_err());
                }
            }
        }
    }

    #[test]
    fn another_context_does_not_open(owner_id in "\\PC{0,12}", number in any::<u64>(), host in "[a-z]{1,8}") {
        let origin = Origin::try_from(format!("https://{host}.example.com")).unwrap();
        for other in [
            Context { owner_id, ..context() },
            Context { number, ..context() },
            Context { destinations: BTreeSet::from([origin.clone()]), ..context() },
            Context { destinations: context().destinations.into_iter().chain([origin]).collect(), ..context() },
        ] {
            let is_other = other != context();
            prop_assert_eq!(open(&ring(), &Entry { context: other, ..entry() }, &SEALED.blob).is_err(), is_other);
        }
    }

    #[test]
    fn a_rewrapped_entry_opens_and_its_old_wrapping_still_does(primary in 1..=2_u32) {
        let ring = KeyRing::parse(&RING.replacen('2', &primary.to_string(), 1)).unwrap();
        let (wrapped_key, key_id) = rewrap(&ring, &Fixed, &entry()).unwrap();
        prop_assert_eq!(key_id, primary);
        let rewrapped = Entry { wrapped_key, key_id, ..entry() };
        prop_assert!(open(&ring, &rewrapped, &SEALED.blob).is_ok());
        prop_assert!(open(&ring, &entry(), &SEALED.blob).is_ok());
    }

    #[test]
    fn a_reference_has_one_spelling(text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{42,44}"], blob in any::<Vec<u8>>()) {
        if let Ok(read) = VaultRef::try_from(text.clone()) {
            prop_assert_eq!(read.to_string(), text);
        }
        let reference = VaultRef::of(&blob);
        prop_assert_eq!(VaultRef::try_from(reference.to_string()), Ok(reference));
    }

    #[test]
    fn a_tag_holds_for_what_it_was_made_for_and_for_nothing_else(
        parts in prop::collection::vec(any::<Vec<u8>>(), 1..4),
        others in prop::collection::vec(any::<Vec<u8>>(), 0..4),
        damage in Damage::any(),
        text in prop_oneof![any::<String>(), "[0-9]{1,12}\\.[A-Za-z0-9_-]{42,44}"],
    ) {
        let ring = ring();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let others: Vec<&[u8]> = others.iter().map(Vec::as_slice).collect();
        let tag = Tag::make(&ring, MacPurpose::Audit, &parts).unwrap();
        let shown = tag.to_string();
        prop_assert_eq!(Tag::try_from(shown.clone()).unwrap().to_string(), shown.clone());
        prop_assert!(tag.verify(&ring, MacPurpose::Audit, &parts).unwrap());
        prop_assert!(!tag.verify(&ring, MacPurpose::Event, &parts).unwrap());
        prop_assert_eq!(tag.verify(&ring, MacPurpose::Audit, &others).unwrap(), parts == others);
        let damaged = String::from_utf8_lossy(&damage.apply(shown.as_bytes())).into_owned();
        for text in [damaged, text] {
            if let Ok(read) = Tag::try_from(text.clone()) {
                prop_assert_eq!(read.to_string(), text.clone());
                let holds = read.verify(&ring, MacPurpose::Audit, &parts).unwrap_or(false);
                prop_assert_eq!(holds, text == shown);
            }
        }
    }

    #[test]
    fn a_damaged_key_ring_is_refused_or_has_other_keys_and_its_error_shows_nothing(damage in Damage::any(), text in any::<String>()) {
        let damaged = String::from_utf8_lossy(&damage.apply(RING.as_bytes())).into_owned();
        for text in [damaged, text] {
            match KeyRing::parse(&text) {
                Ok(read) => prop_assert!(!read.ids().collect::<Vec<_>>().is_empty()),
                Err(error) => {
                    let said = format!("{error} {error:?}");
                    prop_assert!(!said.contains("AQEB") && !said.contains("AgIC"), "{}", said);
                }
            }
        }
    }
}
