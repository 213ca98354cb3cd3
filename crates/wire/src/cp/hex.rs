//! Octets in hexadecimal form.

use core::fmt;

/// Formats octets as `0a1b2c`, at most the first 32.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 32;
        for octet in self.0.iter().take(SHOWN) {
            write!(f, "{octet:02x}")?;
        }
        if self.0.len() > SHOWN { write!(f, "... ({} octets)", self.0.len()) } else { Ok(()) }
    }
}
