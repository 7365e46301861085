//! Whatever is sent: nothing panics, and no change of a valid token holds.

use std::sync::LazyLock;

use keyfob::jwt::{Jws, KeySet};
use proptest::prelude::*;

use crate::refusals::{NOW, check, claims, keys};
use crate::signing::Signer;

static TOKENS: LazyLock<(KeySet, Vec<String>)> = LazyLock::new(|| {
    let signers = [Signer::rsa(), Signer::ec(), Signer::ed()];
    let tokens = signers.iter().map(|signer| signer.token(signer.algorithm(), &claims())).collect();
    let named: Vec<_> = signers.iter().map(|signer| (signer.algorithm(), signer)).collect();
    (keys(&named), tokens)
});

fn holds(token: &str) -> bool {
    futures_util::future::FutureExt::now_or_never(check(token, &TOKENS.0, NOW)).unwrap().is_ok()
}

#[test]
fn every_other_character_at_every_place_is_refused() {
    for token in &TOKENS.1 {
        assert!(holds(token));
        for at in 0..token.len() {
            for other in ["A", "B", "w", "_", ".", "=", "\u{e9}", ""] {
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert!(changed == *token || !holds(&changed), "{other} at {at}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics(text in "\\PC*", parts in proptest::collection::vec("[A-Za-z0-9_=-]{0,80}", 0..5)) {
        prop_assert!(!holds(&text));
        prop_assert!(!holds(&parts.join(".")));
    }

    #[test]
    fn no_header_or_claims_panic(header in any::<String>(), claims in any::<Vec<u8>>()) {
        let token = Signer::ed().token_of(&header, &String::from_utf8_lossy(&claims));
        prop_assert!(!holds(&token));
        let _ = Jws::parse(&token);
    }

    #[test]
    fn no_key_set_panics(text in any::<Vec<u8>>(), member in "[a-z]{1,3}", value in "[A-Za-z0-9_-]{0,400}") {
        let _ = KeySet::parse(&text);
        let mut jwk = Signer::ed().jwk("key");
        jwk[member] = value.into();
        let _ = KeySet::parse(serde_json::json!({ "keys": [jwk] }).to_string().as_bytes());
    }

    #[test]
    fn no_change_of_a_valid_token_holds(
        which in 0..3_usize, from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), text in "[A-Za-z0-9_.=-]{0,12}",
    ) {
        let token = &TOKENS.1[which];
        let (from, to) = (from.index(token.len()), to.index(token.len()));
        let changed = format!("{}{text}{}", &token[..from.min(to)], &token[from.max(to)..]);
        prop_assert!(changed == *token || !holds(&changed), "{changed}");
    }
}
