//! Every parser, by property: whatever comes, it does not panic; what it accepts it prints as it read it; and where
//! integrity is promised, nothing but what was made is accepted. A failure prints the input that is left after shrinking,
//! and keeps its seed beside this folder.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod door;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod words;

#[cfg(test)]
use proptest::prelude::ProptestConfig;

/// How many inputs each claim gets.
#[cfg(test)]
fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(4096)
}

/// A change of bytes that is one: a bit, a cut, a byte more, two bytes exchanged.
#[cfg(test)]
#[derive(Debug, Clone)]
enum Damage {
    Bit(usize, u8),
    Cut(usize),
    Insert(usize, u8),
    Swap(usize, usize),
}

#[cfg(test)]
impl Damage {
    fn any() -> impl proptest::strategy::Strategy<Value = Self> {
        use proptest::prelude::*;
        prop_oneof![
            (any::<usize>(), 0..8_u8).prop_map(|(at, bit)| Self::Bit(at, bit)),
            any::<usize>().prop_map(Self::Cut),
            (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Self::Insert(at, byte)),
            (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Self::Swap(one, other)),
        ]
    }

    fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let length = bytes.len();
        match *self {
            Self::Bit(at, bit) => bytes[at % length] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at % length),
            Self::Insert(at, byte) => bytes.insert(at % (length + 1), byte),
            Self::Swap(one, other) => bytes.swap(one % length, other % length),
        }
        bytes
    }
}
