//! Claims about key rings: what is refused, in which words, and what is derived.

use proptest::prelude::*;

use super::*;
use crate::vault::fixtures::{self, KEY_1, KEY_2};

fn refusal(json: &str) -> KeyRingError {
    KeyRing::parse(json).err().unwrap_or_else(|| panic!("accepted: {json}"))
}

fn of_keys(keys: &str) -> String {
    format!(r#"{{"primary":1,"keys":{{{keys}}}}}"#)
}

#[test]
fn what_is_not_json_is_refused() {
    assert_eq!(refusal(""), KeyRingError::NotJson { line: 1, column: 0 });
    for json in ["{", "nonsense", &format!("{} {{}}", of_keys(&format!(r#""1":"{KEY_1}""#)))] {
        assert!(matches!(refusal(json), KeyRingError::NotJson { .. }), "{json}");
    }
}

#[test]
fn another_shape_is_refused() {
    let keys = format!(r#""keys":{{"1":"{KEY_1}"}}"#);
    let refused = [
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"primary":1}"#.to_owned(),
        format!("{{{keys}}}"),
        format!(r#"{{"primary":1,{keys},"note":"x"}}"#),
        format!(r#"{{"primary":1,"primary":1,{keys}}}"#),
        format!(r#"{{"primary":1,{keys},{keys}}}"#),
        format!(r#"{{"primary":"1",{keys}}}"#),
        format!(r#"{{"primary":1.0,{keys}}}"#),
        format!(r#"{{"primary":-1,{keys}}}"#),
        format!(r#"{{"primary":4294967296,{keys}}}"#),
        format!(r#"{{"primary":1,"keys":["{KEY_1}"]}}"#),
        of_keys(r#""1":null"#),
        of_keys(r#""1":[1]"#),
        of_keys(&format!(r#""1":{{"key":"{KEY_1}"}}"#)),
    ];
    for json in refused {
        assert_eq!(refusal(&json), KeyRingError::Shape, "{json}");
    }
}

#[test]
fn a_ring_without_keys_is_refused() {
    assert_eq!(refusal(&of_keys("")), KeyRingError::Empty);
}

#[test]
fn an_id_in_another_spelling_is_refused() {
    for id in ["", "0", "01", "+1", "-1", " 1", "1 ", "1.0", "1e0", "4294967296", "١", "x"] {
        assert_eq!(refusal(&of_keys(&format!(r#""{id}":"{KEY_1}""#))), KeyRingError::KeyId, "{id}");
    }
}

#[test]
fn a_repeated_id_is_refused() {
    let json = of_keys(&format!(r#""1":"{KEY_1}","2":"{KEY_2}","1":"{KEY_1}""#));
    assert_eq!(refusal(&json), KeyRingError::RepeatedId(1));
    assert_eq!(refusal(&of_keys(&format!(r#""1":"{KEY_1}","\u0031":"{KEY_2}""#))), KeyRingError::RepeatedId(1));
}

#[test]
fn bad_base64_is_refused() {
    let spellings =
        ["x", "@@@@", &KEY_1[..43], &format!("{KEY_1}="), &format!(" {KEY_1}"), &KEY_1.replace("QE=", "QF="), "_-_-"];
    for key in spellings {
        assert_eq!(refusal(&of_keys(&format!(r#""1":"{key}""#))), KeyRingError::NotBase64(1), "{key}");
    }
}

#[test]
fn a_key_of_another_length_is_refused() {
    for length in [0, 1, 16, 31, 33, 64] {
        let key = STANDARD.encode(vec![7; length]);
        assert_eq!(refusal(&of_keys(&format!(r#""1":"{key}""#))), KeyRingError::Length { id: 1, length });
    }
}

#[test]
fn the_same_key_under_two_ids_is_refused() {
    assert_eq!(refusal(&of_keys(&format!(r#""1":"{KEY_1}","2":"{KEY_1}""#))), KeyRingError::SameKey(1, 2));
}

#[test]
fn a_primary_that_is_no_key_is_refused() {
    for primary in [0, 2] {
        let json = format!(r#"{{"primary":{primary},"keys":{{"1":"{KEY_1}"}}}}"#);
        assert_eq!(refusal(&json), KeyRingError::NoPrimary(primary));
    }
}

#[test]
fn no_error_shows_a_key() {
    let key = "c2VjcmV0LW1hc3Rlci1rZXktYnl0ZXMtMzItbG9uZyE=";
    let refused = [
        format!("{key}{{"),
        format!(r#""{key}""#),
        format!(r#"{{"{key}":1}}"#),
        format!(r#"{{"primary":"{key}","keys":{{}}}}"#),
        format!(r#"{{"primary":1,"keys":"{key}"}}"#),
        of_keys(&format!(r#""{key}":"1""#)),
        of_keys(&format!(r#""1":"{key}","1":"{key}""#)),
        of_keys(&format!(r#""1":"{key}","2":"{key}""#)),
        of_keys(&format!(r#""1":"{key}{key}""#)),
        of_keys(&format!(r#""1":"c2Vj{key}""#)),
        of_keys(&format!(r#""1":{{"{key}":0}}"#)),
        format!(r#"{{"primary":9,"keys":{{"1":"{key}"}}}}"#),
    ];
    for json in refused {
        let error = refusal(&json);
        for shown in [error.to_string(), format!("{error:?}")] {
            let parts = ["c2Vj", "secret", "115, 101", "7365"];
            assert!(!parts.iter().any(|part| shown.contains(part)), "{shown}");
        }
    }
}

#[test]
fn a_ring_knows_its_ids() {
    let ring = fixtures::ring(2);
    assert_eq!(ring.primary_id(), 2);
    assert_eq!(ring.ids().collect::<Vec<_>>(), [1, 2]);
    let escaped = of_keys(&format!(r#""1":"{}""#, STANDARD.encode([0xff; 32]).replace('/', r"\/")));
    assert!(KeyRing::parse(&escaped).is_ok(), "a slash may be escaped in JSON");
}

#[test]
fn a_check_value_tells_keys_apart() {
    let ring = fixtures::ring(1);
    assert_eq!(ring.check_value(3), None);
    assert_ne!(ring.check_value(1), ring.check_value(2));
    assert_eq!(ring.check_value(1), fixtures::ring(2).check_value(1));
}

#[test]
fn each_owner_has_a_key_of_its_own() {
    let ring = fixtures::ring(1);
    let key = |id, environment, owner| *ring.kek(id, environment, owner).unwrap().expose_secret();
    let keys = [
        key(1, Environment::Production, "con_1"),
        key(2, Environment::Production, "con_1"),
        key(1, Environment::Staging, "con_1"),
        key(1, Environment::Production, "con_2"),
    ];
    assert!((0..4).all(|one| (0..one).all(|other| keys[one] != keys[other])));
    assert!(matches!(ring.kek(3, Environment::Production, "con_1"), Err(VaultError::KeyUnavailable(3))));
}

proptest! {
    #[test]
    fn arbitrary_text_is_refused_without_panic(json in ".{0,200}") {
        prop_assert!(KeyRing::parse(&json).is_err());
    }

    #[test]
    fn arbitrary_members_never_panic(primary in any::<u32>(), id in "[0-9]{1,11}|.{0,5}", key in "[A-Za-z0-9+/=]{0,60}|.{0,50}") {
        let json = serde_json::json!({"primary": primary, "keys": {id.clone(): key}}).to_string();
        if let Ok(ring) = KeyRing::parse(&json) {
            prop_assert_eq!(ring.primary_id().to_string(), id);
        }
    }

    #[test]
    fn a_ring_of_any_keys_is_accepted(keys in prop::collection::btree_map(1u32.., any::<[u8; 32]>(), 1..6)) {
        let spelled: BTreeMap<String, String> = keys.iter().map(|(id, key)| (id.to_string(), STANDARD.encode(key))).collect();
        let primary = *keys.keys().next().unwrap();
        let ring = KeyRing::parse(&serde_json::json!({"primary": primary, "keys": spelled}).to_string()).ok().unwrap();
        prop_assert_eq!(ring.ids().collect::<Vec<_>>(), keys.into_keys().collect::<Vec<_>>());
    }
}
