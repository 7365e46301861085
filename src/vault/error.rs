//! What may go wrong when a secret is sealed or opened. Says nothing of the secret, nor to a caller which step failed.

use std::fmt;

/// Why an entry was not sealed, opened or rewrapped.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The ring has no such master key: nothing is known of the entry, and another ring may open it.
    #[error("the key ring has no key {0}")]
    KeyUnavailable(u32),
    /// Everything else: the entry and its blob are not what was sealed together.
    #[error("the entry does not open")]
    Corrupt(Detail),
}

impl VaultError {
    /// The one error for all that is not as it was sealed.
    pub(super) const fn corrupt(detail: &'static str) -> Self {
        Self::Corrupt(Detail(detail))
    }
}

/// Which step failed: a fixed sentence for the log, not for a caller. It holds no secret.
#[derive(Debug)]
pub struct Detail(&'static str);

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_corruption_reads_the_same() {
        assert_eq!(VaultError::corrupt("this step").to_string(), VaultError::corrupt("that step").to_string());
    }
}
