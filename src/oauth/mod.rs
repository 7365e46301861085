//! The OAuth 2.0 client (RFC 6749): where people are sent to consent, how tokens are obtained, refreshed and revoked, and what
//! answers mean. It knows the standard; what providers do differently is in their files; when a token is due, and who may spend
//! it, is the matter of `api`.
//!
//! What a server answered never leaves this module but as tokens, or as a word of a closed list.

mod answer;
mod authorize;
mod discover;
mod token;

pub use answer::{Failed, Tokens, missing_scopes};
pub use authorize::{Pkce, authorize_url};
pub use discover::{Addresses, addresses};
pub use token::{Code, Credential, obtain, revoke};
