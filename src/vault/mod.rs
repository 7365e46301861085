//! How secrets rest: sealed in a blob, under a key of their own, which rests wrapped under a master key.
//!
//! ```text
//! part(x)     = length of x as u32 ‖ x                       every integer is big endian
//! context     = part(environment) ‖ part(owner id) ‖ part(purpose) ‖ part(number as u64)
//!               ‖ part(count of destinations as u32) ‖ part(destination)…      sorted as text, each once
//! plaintext   = (part(field key) ‖ part(secret))…            sorted by field key, each key once
//! padded      = plaintext ‖ 0x80 ‖ 0x00…                     to a multiple of 64 bytes (ISO/IEC 7816-4)
//! data key    = 32 random bytes, one per entry, used for exactly one blob
//! blob        = 0x01 ‖ nonce[12] ‖ AES-256-GCM(data key, padded, AAD = "keyfob/blob/1" ‖ context)
//! vault_ref   = SHA-256(blob); as text base64url without padding
//! KEK         = HKDF-SHA256(master key, no salt, info = part("keyfob/kek/1") ‖ part(environment) ‖ part(owner id))
//! wrapped_key = 0x01 ‖ key id as u32 ‖ nonce[12] ‖ AES-256-GCM(KEK, data key,
//!               AAD = "keyfob/key/1" ‖ key id as u32 ‖ context ‖ vault_ref); as text base64url without padding
//! check value = HKDF-SHA256(master key, no salt, info = part("keyfob/check/1")); as text base64url without padding
//! tag         = HMAC-SHA256(HKDF-SHA256(master key, no salt, info = part("keyfob/audit/1")), part(x)…)
//!               as text <key id>.<base64url without padding>; likewise "keyfob/event/1", "keyfob/checkpoint/1",
//!               "keyfob/idempotency/1"
//! digest      = SHA-256(part(x)…); as text base64url without padding
//! ```
//!
//! AES-256-GCM is NIST SP 800-38D with a nonce of 96 bits and a tag of 128 bits behind the ciphertext; HKDF is RFC 5869,
//! 32 bytes of output; HMAC is RFC 2104; base64url is RFC 4648 section 5. Random bytes are drawn in the order data key,
//! nonce of the blob, nonce of the wrapped key.
//!
//! Nothing but the owner of the context, in its environment, under its purpose and number, with its destinations, opens
//! a blob; nothing falls back to anything. The module does no I/O: rows are the matter of `store`, blobs of
//! [`BlobStore`](crate::ports::BlobStore).

mod aead;
mod blob;
mod context;
mod digest;
mod entry;
mod error;
#[cfg(test)]
mod fixtures;
mod kdf;
mod key_ring;
mod mac;
mod parts;
mod plaintext;
mod vault_ref;
mod wrapped_key;

pub use context::{Context, Purpose};
pub use digest::Digest;
pub use entry::{Entry, Opened, Sealed, open, rewrap, seal};
pub use error::{Detail, VaultError};
pub use key_ring::{KeyRing, KeyRingError};
pub use mac::{MacPurpose, Tag};
pub use vault_ref::VaultRef;
