//! Tokens that callers carry: API keys, sessions of embedded builders and of the dashboard, connect links. Shown once, kept
//! as hashes.
//!
//! ```text
//! kf_ ‖ random[43 base62] ‖ base62(CRC32(the 43 characters))[6]     an API key
//! ks_ ‖ random[43 base62] ‖ base62(CRC32(the 43 characters))[6]     an embedded session
//! ka_ ‖ random[43 base62] ‖ base62(CRC32(the 43 characters))[6]     of an authorization: its ticket, its state, its cookie
//! kd_ ‖ random[43 base62] ‖ base62(CRC32(the 43 characters))[6]     a session of the dashboard, in a cookie alone
//! kl_ ‖ random[43 base62] ‖ base62(CRC32(the 43 characters))[6]     a connect link, in the fragment of its URL and redeemed once
//! ```
//!
//! 43 characters of base62 hold 256 bits. The check sum (CRC-32/ISO-HDLC, most significant digit first) lets a scanner
//! tell a leaked key from noise, and a mistyped key is refused without a look at the database.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::ports::Random;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;

/// base64url of the SHA-256 of a token: what is kept of it.
#[derive(Debug, Clone)]
pub struct TokenHash(String);

impl TokenHash {
    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// What a token is, by its form alone.
#[derive(Debug, Clone)]
pub enum Token {
    /// It has the form of an API key.
    ApiKey(TokenHash),
    /// It has the form of an embedded session.
    Session(TokenHash),
    /// It has the form of what an authorization is made of.
    Authorization(TokenHash),
    /// It has the form of a session of the dashboard.
    Dashboard(TokenHash),
    /// It has the form of a connect link.
    Link(TokenHash),
}

/// A token that was just made: shown to its owner once.
pub struct NewToken {
    /// The token itself.
    pub token: Zeroizing<String>,
    /// What is kept of it.
    pub hash: TokenHash,
}

impl Token {
    /// Parses a token; none where its form or check sum is wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, digits) = text.split_at_checked(3)?;
        let (random, check) = digits.split_at_checked(RANDOM_DIGITS)?;
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) && check == checksum(random.as_bytes());
        match prefix {
            "kf_" if is_whole => Some(Self::ApiKey(hash(text))),
            "ks_" if is_whole => Some(Self::Session(hash(text))),
            "ka_" if is_whole => Some(Self::Authorization(hash(text))),
            "kd_" if is_whole => Some(Self::Dashboard(hash(text))),
            "kl_" if is_whole => Some(Self::Link(hash(text))),
            _ => None,
        }
    }

    /// Makes a new API key.
    #[must_use]
    pub fn new_api_key(random: &dyn Random) -> NewToken {
        new_token("kf_", random)
    }

    /// Makes a new token for an embedded session.
    #[must_use]
    pub fn new_session(random: &dyn Random) -> NewToken {
        new_token("ks_", random)
    }

    /// Makes a new ticket, state or cookie of an authorization.
    #[must_use]
    pub fn new_authorization(random: &dyn Random) -> NewToken {
        new_token("ka_", random)
    }

    /// Makes a new token for a session of the dashboard.
    #[must_use]
    pub fn new_dashboard(random: &dyn Random) -> NewToken {
        new_token("kd_", random)
    }

    /// Makes a new token for a connect link.
    #[must_use]
    pub fn new_link(random: &dyn Random) -> NewToken {
        new_token("kl_", random)
    }

    /// What is kept of it.
    #[must_use]
    pub const fn hash(&self) -> &TokenHash {
        match self {
            Self::ApiKey(hash)
            | Self::Session(hash)
            | Self::Authorization(hash)
            | Self::Dashboard(hash)
            | Self::Link(hash) => hash,
        }
    }
}

fn hash(token: &str) -> TokenHash {
    TokenHash(URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes())))
}

fn new_token(prefix: &str, random: &dyn Random) -> NewToken {
    let mut digits = Zeroizing::new(String::with_capacity(RANDOM_DIGITS));
    while digits.len() < RANDOM_DIGITS {
        let mut byte = [0];
        random.fill(&mut byte);
        // Bytes of 248 and more are thrown away: 248 is 4 × 62, so every digit is equally likely.
        if let Some(digit) = digit(u32::from(byte[0])).filter(|_| byte[0] < 248) {
            digits.push(digit);
        }
    }
    let token = Zeroizing::new(format!("{prefix}{}{}", digits.as_str(), checksum(digits.as_bytes())));
    NewToken { hash: hash(&token), token }
}

fn checksum(random: &[u8]) -> String {
    let mut rest = crc32fast::hash(random);
    let mut check: Vec<char> = Vec::with_capacity(CHECK_DIGITS);
    for _ in 0..CHECK_DIGITS {
        check.extend(digit(rest));
        rest /= 62;
    }
    check.into_iter().rev().collect()
}

fn digit(number: u32) -> Option<char> {
    DIGITS.get(usize::try_from(number % 62).ok()?).map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(std::sync::atomic::AtomicU8);

    impl Random for Counter {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn a_token_with_one_character_changed_is_refused() {
        let token = Token::new_api_key(&Counter(0.into())).token;
        assert!(matches!(Token::parse(&token), Some(Token::ApiKey(_))));
        for at in 0..token.len() {
            let mut other = token.as_bytes().to_vec();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            assert!(Token::parse(std::str::from_utf8(&other).unwrap()).is_none(), "at {at}");
        }
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        for text in ["", "kf_", "kf_é", "Bearer", &"k".repeat(52), &format!("kf_{}", "0".repeat(50))] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_another() {
        let key = Token::new_api_key(&Counter(9.into())).token;
        assert!(Token::parse(&key.replacen("kf_", "ks_", 1)).is_some_and(|token| matches!(token, Token::Session(_))));
        assert!(matches!(Token::parse(&Token::new_session(&Counter(9.into())).token), Some(Token::Session(_))));
        assert!(matches!(Token::parse(&Token::new_dashboard(&Counter(9.into())).token), Some(Token::Dashboard(_))));
        assert!(matches!(Token::parse(&Token::new_link(&Counter(9.into())).token), Some(Token::Link(_))));
    }

    #[test]
    fn the_check_sum_is_the_one_of_the_documentation() {
        assert_eq!(checksum(&[b'0'; 43]), "2CZclj");
    }
}
