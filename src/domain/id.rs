//! Typed ids: a prefix that names the type, an underscore, and 128 bits in Crockford base32 (26 characters, lower case).
//!
//! ```text
//! con_ ‖ base32( milliseconds[48] ‖ partition[8] ‖ random[72] )
//! ```
//!
//! Ids sort by creation time. The partition is 0 today; it names the database that holds the object once there are many.
//! Mixing two kinds of id does not compile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;
use utoipa::ToSchema;

use super::Invalid;
use super::time::Timestamp;

/// Bytes of randomness that a new id takes.
pub const RANDOM_BYTES: usize = 9;

/// Defines one type of id with its prefix.
macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident = $prefix:literal;)+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// Makes a new id from the time and fresh randomness.
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; RANDOM_BYTES]) -> Self {
                Self(encode($prefix, now, random))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse($prefix, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

id! {
    /// The id of a connection.
    ConnectionId = "con_";
    /// The id of an API key, never the key itself.
    ApiKeyId = "key_";
    /// The id of an embedded session, never its token.
    SessionId = "ses_";
    /// The id of a session of the dashboard.
    DashboardSessionId = "dsh_";
    /// The id of a registered origin.
    OriginId = "ori_";
    /// The id of a signing key: what tokens name as `kid`.
    SigningKeyId = "sgk_";
    /// The id of a connect link, never its token.
    ConnectLinkId = "cnl_";
    /// The id of a test of a stored connection.
    TestId = "tst_";
    /// The id of an attempt to authorize a connection.
    AuthorizationId = "aut_";
    /// The id of a webhook.
    WebhookId = "whk_";
    /// The id of a message to a webhook.
    DeliveryId = "dlv_";
    /// The id of one request.
    RequestId = "req_";
    /// The id of one committing batch: what tells whether a lost answer was a commit.
    OperationId = "opn_";
}

fn encode(prefix: &str, now: Timestamp, random: [u8; RANDOM_BYTES]) -> String {
    let random = random.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    format!("{prefix}{}", Ulid::from_parts(millis, random).to_string().to_ascii_lowercase())
}

/// Accepts the canonical spelling alone, so that one object has one name: 26 digits of Crockford's base32 in lower case, the
/// first at most 7, for 26 digits hold 130 bits. (Not through the crate: every row of a list passes here.)
fn parse(prefix: &str, text: &str) -> Result<String, Invalid> {
    let is_digit =
        |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z');
    match text.strip_prefix(prefix).map(str::as_bytes) {
        Some(digits @ [b'0'..=b'7', ..]) if digits.len() == 26 && digits.iter().all(is_digit) => Ok(text.to_owned()),
        _ => Err(Invalid("an id of this type")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn an_id_of_another_type_is_refused() {
        let key = ApiKeyId::new(NOW, [7; RANDOM_BYTES]);
        assert!(key.as_str().parse::<ConnectionId>().is_err());
    }

    #[test]
    fn only_the_canonical_spelling_is_accepted() {
        let id = ConnectionId::new(NOW, [0xff; RANDOM_BYTES]);
        let upper = format!("con_{}", id.as_str()[4..].to_ascii_uppercase());
        for text in
            [upper.as_str(), "con_", "con_81000000000000000000000000", "con_0", "", "con_é0000000000000000000000000"]
        {
            assert!(text.parse::<ConnectionId>().is_err(), "{text}");
        }
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_time_and_carry_partition_zero() {
        let early = ConnectionId::new(NOW, [0xff; RANDOM_BYTES]);
        let late = ConnectionId::new(Timestamp::from_millis(NOW.millis() + 1), [0; RANDOM_BYTES]);
        assert!(early < late);
        let bits = Ulid::from_string(&early.as_str()[4..]).unwrap().random();
        assert_eq!(bits >> 72, 0);
    }
}
