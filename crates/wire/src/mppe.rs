//! The two octets before MPPE cipher text (RFC 3078 section 3): four flags and the coherency count.

use core::fmt;

use crate::{Error, Protocol, Result};

/// The length of the header.
pub const HEADER: usize = 2;
/// The modulus of the coherency count.
pub const COUNT_MODULUS: u16 = 0x1000;

const A: u16 = 0x8000;
const B: u16 = 0x4000;
const C: u16 = 0x2000;
const D: u16 = 0x1000;

/// The contents of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// A: RC4 was reinitialized for this packet.
    pub flushed: bool,
    /// B: MPPC moved its history to the front.
    pub at_front: bool,
    /// C: MPPC compressed this packet.
    pub compressed: bool,
    /// D: this packet is encrypted.
    pub encrypted: bool,
    /// Coherency count, 0..=4095.
    pub count: u16,
}

impl Header {
    /// Parses the header at the start of `data`; the cipher text follows.
    pub fn parse(data: &[u8]) -> Result<Header> {
        let Some(&word) = data.first_chunk::<HEADER>() else {
            return Err(Error::new(Protocol::Mppe, "header", 0, "2 octets", data.len() as u64));
        };
        let word = u16::from_be_bytes(word);
        Ok(Header {
            flushed: word & A != 0,
            at_front: word & B != 0,
            compressed: word & C != 0,
            encrypted: word & D != 0,
            count: word & (COUNT_MODULUS - 1),
        })
    }

    /// The header as octets.
    pub fn emit(self) -> [u8; HEADER] {
        let flag = |set, bit| if set { bit } else { 0 };
        let flags = flag(self.flushed, A)
            | flag(self.at_front, B)
            | flag(self.compressed, C)
            | flag(self.encrypted, D);
        (flags | self.count & (COUNT_MODULUS - 1)).to_be_bytes()
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MPPE count {}", self.count)?;
        for (set, letter) in
            [(self.flushed, "A"), (self.at_front, "B"), (self.compressed, "C"), (self.encrypted, "D")]
        {
            if set {
                write!(f, " {letter}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_written_back() {
        for word in 0..=u16::MAX {
            assert_eq!(Header::parse(&word.to_be_bytes()).unwrap().emit(), word.to_be_bytes());
        }
    }

    #[test]
    fn one_octet_is_no_header() {
        assert_eq!(Header::parse(&[0x90]).unwrap_err().field, "header");
    }

    #[test]
    fn people_read_flags_and_count() {
        assert_eq!(Header::parse(&[0x90, 0x07]).unwrap().to_string(), "MPPE count 7 A D");
    }
}
