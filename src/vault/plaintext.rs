//! What is encrypted: the secrets as bytes, padded so that their length tells little. Knows nothing of keys.
//!
//! The bytes need no escapes, hence no scratch buffer that nobody wipes, and their length is known before the first
//! one is written, so the buffer never moves.

use zeroize::Zeroizing;

use super::parts::{self, PREFIX};
use crate::domain::values::{Secret, Secrets};

/// The padded plaintext is a multiple of so many bytes.
pub(super) const BLOCK: usize = 64;

/// The first byte of the padding; zeros follow (ISO/IEC 7816-4).
const PAD: u8 = 0x80;

/// The secrets as padded bytes.
pub(super) fn write(secrets: &Secrets) -> Zeroizing<Vec<u8>> {
    let size: usize = secrets.0.iter().map(|(key, secret)| 2 * PREFIX + key.len() + secret.expose_secret().len()).sum();
    let padded = (size + 1).next_multiple_of(BLOCK);
    let mut bytes = Zeroizing::new(Vec::with_capacity(padded));
    for (key, secret) in &secrets.0 {
        parts::push(&mut bytes, key.as_bytes());
        parts::push(&mut bytes, secret.expose_secret().as_bytes());
    }
    bytes.push(PAD);
    bytes.resize(padded, 0);
    bytes
}

/// The secrets in padded bytes; `None` when [`write()`] did not make these bytes.
pub(super) fn read(padded: &[u8]) -> Option<Secrets> {
    let mut rest = unpad(padded)?;
    let mut secrets = Secrets::default();
    while !rest.is_empty() {
        let key = text(parts::take(&mut rest)?)?;
        let secret = Secret::new(text(parts::take(&mut rest)?)?);
        if secrets.0.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return None;
        }
        secrets.0.insert(key, secret);
    }
    Some(secrets)
}

fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    let (bytes, padding) = padded.split_at_checked(end)?;
    let whole = padded.len().is_multiple_of(BLOCK) && padding.len() <= BLOCK && padding.first() == Some(&PAD);
    whole.then_some(bytes)
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vault::fixtures::{secrets_of, texts_of};

    fn padded(parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = parts::join(parts);
        bytes.push(PAD);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    #[test]
    fn bytes_of_another_spelling_are_refused() {
        let mut long = padded(&[b"key", b"secret"]);
        long.resize(2 * BLOCK, 0);
        let mut short = padded(&[b"key", b"secret"]);
        short.pop();
        let refused = [
            ("key without secret", padded(&[b"key"])),
            ("repeated key", padded(&[b"key", b"1", b"key", b"2"])),
            ("unsorted keys", padded(&[b"two", b"2", b"one", b"1"])),
            ("key that is no text", padded(&[b"\xff", b"secret"])),
            ("secret that is no text", padded(&[b"key", b"\xff"])),
            ("padding of more than a block", long),
            ("no whole block", short),
            ("no padding", vec![0; BLOCK]),
            ("nothing", Vec::new()),
        ];
        for (what, bytes) in refused {
            assert!(read(&bytes).is_none(), "{what}");
        }
    }

    #[test]
    fn the_buffer_never_moves_while_it_is_written() {
        for length in 0..200 {
            let bytes = write(&secrets_of(&[("key", &"x".repeat(length))]));
            assert_eq!(bytes.capacity(), bytes.len());
        }
    }

    #[test]
    fn the_length_tells_only_the_number_of_blocks() {
        let lengths: Vec<usize> =
            (0..200).map(|length| write(&secrets_of(&[("k", &"x".repeat(length))])).len()).collect();
        // 9 bytes of lengths and key, one byte of padding at least.
        assert!(lengths.iter().enumerate().all(|(length, padded)| *padded == (length + 10).div_ceil(BLOCK) * BLOCK));
    }

    proptest! {
        #[test]
        fn secrets_are_read_as_they_were_written(texts in prop::collection::btree_map(".{0,20}", ".{0,100}", 0..5)) {
            let texts: Vec<(String, String)> = texts.into_iter().collect();
            let written = write(&secrets_of(&texts.iter().map(|(key, text)| (&**key, &**text)).collect::<Vec<_>>()));
            prop_assert_eq!(texts_of(&read(&written).unwrap()), texts);
        }

        #[test]
        fn arbitrary_parts_are_read_only_when_they_are_canonical(texts in prop::collection::vec("[ab\u{0}]{0,2}", 0..6)) {
            let bytes = padded(&texts.iter().map(String::as_bytes).collect::<Vec<_>>());
            let canonical = texts.len() % 2 == 0 && texts.chunks(2).map(|pair| &pair[0]).is_sorted_by(|one, next| one < next);
            let read = read(&bytes);
            prop_assert_eq!(read.is_some(), canonical);
            prop_assert!(read.is_none_or(|secrets| *write(&secrets) == bytes));
        }

        #[test]
        fn arbitrary_bytes_are_read_only_when_they_are_canonical(mut bytes in prop::collection::vec(0..3u8, 0..150)) {
            bytes.push(PAD);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
            prop_assert!(read(&bytes).is_none_or(|secrets| *write(&secrets) == bytes));
        }
    }
}
