//! A value that must not be seen: printed as `***`, readable from a file.

use std::fmt;

/// A password, key or token. Empty when not set.
///
/// A key `foo` of this type may also be given as `foo_file`, the path of a file that holds it;
/// a line break at the end of the file is not part of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value itself. Never log or print it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `shown` is the secret. Takes the same time whatever is wrong with it, its length
    /// apart, so that nobody learns it letter by letter.
    pub fn equals(&self, shown: &[u8]) -> bool {
        let secret = self.0.as_bytes();
        if secret.len() != shown.len() {
            return false;
        }
        let pairs = secret.iter().zip(shown);
        let differing = pairs.fold(0, |bits, (a, b)| std::hint::black_box(bits | (a ^ b)));
        std::hint::black_box(differing) == 0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "" } else { "***" })
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn secrets_are_compared_whole() {
        let secret = Secret::new("abc");
        assert!(secret.equals(b"abc"));
        assert!(!secret.equals(b"abd") && !secret.equals(b"ab") && !secret.equals(b"abcd"));
    }
}
