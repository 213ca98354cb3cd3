//! Octets from the network, made fit for people to read.

use core::fmt;

/// Shows octets as text: printable ASCII as it is, the backslash doubled, everything else `\xNN`.
pub fn escape(octets: &[u8]) -> impl fmt::Display + '_ {
    struct Escaped<'a>(&'a [u8]);
    impl fmt::Display for Escaped<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for octet in self.0 {
                match octet {
                    b'\\' => f.write_str("\\\\")?,
                    b' '..=b'~' => write!(f, "{}", char::from(*octet))?,
                    _ => write!(f, "\\x{octet:02x}")?,
                }
            }
            Ok(())
        }
    }
    Escaped(octets)
}
