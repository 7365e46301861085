//! Ids, tokens, origins, times and the texts that people give.

use keyfob::domain::id::{ApiKeyId, ConnectionId, OperationId, OriginId, RANDOM_BYTES, RequestId, SessionId, TestId};
use keyfob::domain::origin::Origin;
use keyfob::domain::text::{Customer, Description, Name, Note, StableKey, Tag};
use keyfob::domain::time::Timestamp;
use keyfob::ports::Random;
use keyfob::token::Token;
use proptest::prelude::*;

use crate::{Damage, cases};

/// Randomness that is given.
struct Given([u8; 32]);

impl Random for Given {
    fn fill(&self, buffer: &mut [u8]) {
        for (at, byte) in buffer.iter_mut().enumerate() {
            *byte = self.0[at % 32] % 248;
        }
    }
}

/// Claims of one type of id: what is made is read, and what is read is in the one spelling.
macro_rules! ids {
    ($($claim:ident $name:ident $prefix:literal;)+) => {$(
        proptest! {
            #![proptest_config(cases())]
            #[test]
            fn $claim(
                millis in 0..1_i64 << 48,
                random in any::<[u8; RANDOM_BYTES]>(),
                text in "\\PC{0,40}",
                near in concat!($prefix, "[0-9a-z]{24,28}"),
                damage in Damage::any(),
            ) {
                let id = $name::new(Timestamp::from_millis(millis), random);
                prop_assert_eq!(id.as_str().parse(), Ok(id.clone()));
                let damaged = String::from_utf8_lossy(&damage.apply(id.as_str().as_bytes())).into_owned();
                for text in [text, near, damaged, id.as_str().to_uppercase(), format!(" {id}")] {
                    if let Ok(read) = text.parse::<$name>() {
                        prop_assert_eq!(read.as_str(), &text);
                        prop_assert!(text.starts_with($prefix) && text.len() == $prefix.len() + 26);
                    }
                }
            }
        }
    )+};
}

ids! {
    an_id_of_a_connection_has_one_spelling ConnectionId "con_";
    an_id_of_an_api_key_has_one_spelling ApiKeyId "key_";
    an_id_of_a_session_has_one_spelling SessionId "ses_";
    an_id_of_an_origin_has_one_spelling OriginId "ori_";
    an_id_of_a_test_has_one_spelling TestId "tst_";
    an_id_of_a_request_has_one_spelling RequestId "req_";
    an_id_of_an_operation_has_one_spelling OperationId "opn_";
}

/// Claims of a text that people give: what is accepted is accepted again, unchanged.
macro_rules! texts {
    ($($claim:ident $name:ident;)+) => {$(
        proptest! {
            #![proptest_config(cases())]
            #[test]
            fn $claim(text in prop_oneof!["\\PC{0,80}", ".{0,40}", "[a-z0-9_-]{0,70}", any::<String>()]) {
                if let Ok(read) = $name::try_from(text.clone()) {
                    prop_assert_eq!(read.as_str(), text.trim());
                    prop_assert_eq!($name::try_from(String::from(read.clone())), Ok(read));
                }
            }
        }
    )+};
}

texts! {
    a_name_is_kept_as_it_is Name;
    a_description_is_kept_as_it_is Description;
    a_tag_is_kept_as_it_is Tag;
    a_stable_key_is_kept_as_it_is StableKey;
    a_customer_is_kept_as_it_is Customer;
    a_note_is_kept_as_it_is Note;
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_token_is_refused_when_anything_of_it_changed(random in any::<[u8; 32]>(), damage in Damage::any()) {
        for new in [Token::new_api_key(&Given(random)), Token::new_session(&Given(random))] {
            let hash = Token::parse(&new.token).map(|token| token.hash().as_str().to_owned());
            prop_assert_eq!(hash.as_deref(), Some(new.hash.as_str()));
            let damaged = damage.apply(new.token.as_bytes());
            let is_same = damaged == new.token.as_bytes();
            // `kf_` and `ks_` differ by bits; the check sum is of what follows.
            let is_other_kind = damaged.get(3..) == new.token.as_bytes().get(3..);
            let read = std::str::from_utf8(&damaged).ok().and_then(Token::parse);
            prop_assert!(read.is_none() || is_same || is_other_kind);
            prop_assert!(read.is_none_or(|read| is_same == (read.hash().as_str() == new.hash.as_str())));
        }
    }

    #[test]
    fn any_text_is_no_token(text in any::<String>(), near in "k[fs]_[0-9A-Za-z]{49}") {
        prop_assert!(Token::parse(&text).is_none() && Token::parse(&near).is_none());
    }

    #[test]
    fn an_origin_is_an_origin_and_nothing_more(
        text in prop_oneof!["\\PC{0,40}", "https?://[a-zA-Z0-9.:@/?#\\[\\]%*;' -]{0,40}", "[a-z]{1,6}://[a-z.]{1,20}(:[0-9]{1,6})?"],
    ) {
        let Ok(origin) = Origin::try_from(text) else { return Ok(()) };
        prop_assert_eq!(Origin::try_from(origin.as_str().to_owned()), Ok(origin.clone()));
        let url = url::Url::parse(origin.as_str()).unwrap();
        prop_assert_eq!(Origin::of(&url), Ok(origin.clone()));
        prop_assert!(url.query().is_none() && url.fragment().is_none() && matches!(url.path(), "" | "/"));
        // It goes into `Content-Security-Policy` and `Access-Control-Allow-Origin`.
        prop_assert!(origin.as_str().bytes().all(|byte| byte.is_ascii_graphic() && !b";,'\"*<>".contains(&byte)));
    }

    #[test]
    fn a_time_is_shown_as_it_was_read(text in prop_oneof![
        "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,12})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])",
        "(0000-01-0[12]|1969-12-31|1970-01-01|9999-12-3[01])T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][+-][0-2][0-9]:[0-5][0-9]",
        "\\PC{0,40}",
    ]) {
        if let Ok(time) = Timestamp::parse(&text) {
            let shown = time.to_string();
            prop_assert_eq!(shown.len(), "2026-11-20T10:00:00.000Z".len(), "{}", shown);
            prop_assert_eq!(Timestamp::parse(&shown), Ok(time));
        }
    }

    #[test]
    fn a_moment_is_shown_whatever_it_is(millis in any::<i64>(), year in 0..253_402_300_799_999_i64) {
        prop_assert!(!Timestamp::from_millis(millis).to_string().is_empty());
        let time = Timestamp::from_millis(year);
        prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn any_name_suggests_a_stable_key(text in any::<String>(), suffix in any::<u16>()) {
        if let Ok(name) = Name::try_from(text) {
            let key = StableKey::suggest(&name);
            prop_assert_eq!(StableKey::try_from(key.as_str().to_owned()), Ok(key.clone()));
            prop_assert!(StableKey::try_from(key.with_suffix(suffix).as_str().to_owned()).is_ok());
        }
    }
}
