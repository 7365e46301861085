//! Bytes one after another, each part with its length before it, so that no two lists of parts look the same.
//! Knows neither keys nor meanings.

/// How many bytes the length of a part takes.
pub(super) const PREFIX: usize = 4;

/// The parts, each behind its length.
pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| PREFIX + part.len()).sum());
    for part in parts {
        push(&mut joined, part);
    }
    joined
}

/// Appends a part: its length as u32, big endian, and its bytes.
pub(super) fn push(joined: &mut Vec<u8>, part: &[u8]) {
    // A part of 4 GiB does not fit into the memory of a Worker (128 MB), so no length is ever cut.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    joined.extend_from_slice(&length.to_be_bytes());
    joined.extend_from_slice(part);
}

/// Takes the first part off; `None` when the bytes do not hold it whole.
pub(super) fn take<'a>(joined: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = joined.split_first_chunk::<PREFIX>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *joined = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_not_whole_is_not_taken() {
        for mut bytes in [&b""[..], b"\0\0\0", b"\0\0\0\x02a", b"\xff\xff\xff\xffabc"] {
            assert_eq!(take(&mut bytes), None);
        }
    }

    #[test]
    fn two_lists_of_parts_never_look_the_same() {
        assert_ne!(join(&[b"ab", b"c"]), join(&[b"a", b"bc"]));
        assert_ne!(join(&[b"ab"]), join(&[b"ab", b""]));
    }

    #[test]
    fn parts_are_taken_as_they_were_joined() {
        let joined = join(&[b"one", b"", b"three"]);
        let mut rest = &joined[..];
        assert_eq!([take(&mut rest), take(&mut rest), take(&mut rest)], [Some(&b"one"[..]), Some(b""), Some(b"three")]);
        assert!(rest.is_empty());
    }
}
