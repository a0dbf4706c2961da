//! The ids that answers carry: random in the real server, functions of the seed here.

use rand::RngExt as _;

use crate::seed::Seed;

/// The ids of one response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids(Seed);

impl Ids {
    /// The ids of the response whose seed this is.
    pub fn new(seed: Seed) -> Self {
        Self(seed)
    }

    /// A number below `bound`, such as that of `chatcmpl-N`.
    pub fn number(self, label: &str, bound: u32) -> u32 {
        self.0.derive("id-number", [label.as_bytes()]).rng().random_range(0..bound)
    }

    /// Returns `digits` lower-case hexadecimal digits, such as those of `msg_…`.
    pub fn hex(self, label: &str, digits: usize) -> String {
        self.letters(label, digits, b"0123456789abcdef")
    }

    /// Returns `count` letters of `[a-z0-9]`, such as those of `call_…`.
    pub fn alphanumeric(self, label: &str, count: usize) -> String {
        self.letters(label, count, b"abcdefghijklmnopqrstuvwxyz0123456789")
    }

    fn letters(self, label: &str, count: usize, alphabet: &[u8]) -> String {
        let mut rng = self.0.derive("id-letters", [label.as_bytes()]).rng();
        (0..count).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
    }
}
