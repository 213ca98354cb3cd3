//! CCP (RFC 1962): the configuration options, of which MPPE (RFC 3078 section 2) is the one that PPTP uses.

use core::fmt;

use crate::cp::{self, Hex, Opt};
use crate::{Protocol, Result};

/// Type octets of CCP's options.
pub mod kind {
    /// MPPE and MPPC (RFC 3078, RFC 2118).
    pub const MPPE: u8 = 18;
}

/// The Supported Bits of option 18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mppe(pub u32);

impl Mppe {
    /// H: the key changes with every packet.
    pub const STATELESS: Mppe = Mppe(0x0100_0000);
    /// M: 56-bit keys.
    pub const BITS_56: Mppe = Mppe(0x0000_0080);
    /// S: 128-bit keys.
    pub const BITS_128: Mppe = Mppe(0x0000_0040);
    /// L: 40-bit keys.
    pub const BITS_40: Mppe = Mppe(0x0000_0020);
    /// D: an obsolete form of MPPE, never to be accepted.
    pub const OBSOLETE: Mppe = Mppe(0x0000_0010);
    /// C: compression by MPPC.
    pub const MPPC: Mppe = Mppe(0x0000_0001);

    /// Every strength.
    const STRENGTHS: Mppe = Mppe(Mppe::BITS_56.0 | Mppe::BITS_128.0 | Mppe::BITS_40.0);

    /// Whether every bit of `other` is set here.
    pub const fn has(self, other: Mppe) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    pub const fn with(self, other: Mppe) -> Mppe {
        Mppe(self.0 | other.0)
    }

    /// The strength bits alone.
    pub const fn strengths(self) -> Mppe {
        Mppe(self.0 & Mppe::STRENGTHS.0)
    }

    /// The bits that no specification gives a meaning.
    pub const fn unknown(self) -> Mppe {
        let known = Mppe::STATELESS.0 | Mppe::STRENGTHS.0 | Mppe::OBSOLETE.0 | Mppe::MPPC.0;
        Mppe(self.0 & !known)
    }

    /// Whether no bit is set: neither encryption nor compression.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// `mppe 128 stateless`, `mppe 40|56|128 stateless +mppc`, `mppe of any strength, stateless`, `no mppe`.
impl fmt::Display for Mppe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Mppe::BITS_40, "40"), (Mppe::BITS_56, "56"), (Mppe::BITS_128, "128")];
        let mut mode = if self.has(Mppe::STATELESS) { " stateless" } else { " stateful" };
        let mut before = "mppe ";
        for (bit, name) in names {
            if self.has(bit) {
                write!(f, "{before}{name}")?;
                before = "|";
            }
        }
        if self.strengths().is_empty() {
            if self.has(Mppe::STATELESS) {
                f.write_str("mppe of any strength,")?;
            } else {
                f.write_str("no mppe")?;
                mode = "";
            }
        }
        f.write_str(mode)?;
        if self.has(Mppe::MPPC) {
            f.write_str(" +mppc")?;
        }
        if self.has(Mppe::OBSOLETE) {
            f.write_str(" (obsolete bit D)")?;
        }
        match self.unknown() {
            Mppe(0) => Ok(()),
            Mppe(bits) => write!(f, " (unknown bits {bits:08x})"),
        }
    }
}

/// One option of CCP that adit understands; all others are [`CcpOption::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CcpOption<'a> {
    /// MPPE and MPPC.
    Mppe(Mppe),
    /// A compressor that PPTP has no use for.
    Other {
        /// Its Type octet.
        kind: u8,
        /// Its data.
        data: &'a [u8],
    },
}

impl<'a> CcpOption<'a> {
    /// Gives an option its meaning.
    ///
    /// # Errors
    /// Option 18 whose Length is not 6.
    pub fn parse(opt: &Opt<'a>) -> Result<CcpOption<'a>> {
        match (opt.kind, <[u8; 4]>::try_from(opt.data)) {
            (kind::MPPE, Ok(bits)) => Ok(CcpOption::Mppe(Mppe(u32::from_be_bytes(bits)))),
            (kind::MPPE, Err(_)) => Err(opt.wrong_length(Protocol::Ccp, "MPPE Length", "6")),
            (kind, _) => Ok(CcpOption::Other { kind, data: opt.data }),
        }
    }

    /// Appends the option.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            CcpOption::Mppe(Mppe(bits)) => cp::push_option(out, kind::MPPE, &bits.to_be_bytes()),
            CcpOption::Other { kind, data } => cp::push_option(out, kind, data),
        }
    }
}

impl fmt::Display for CcpOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CcpOption::Mppe(bits) => fmt::Display::fmt(bits, f),
            CcpOption::Other { kind, data } => match compressor(*kind) {
                Some(name) => write!(f, "{name} {}", Hex(data)),
                None => write!(f, "option {kind} {}", Hex(data)),
            },
        }
    }
}

/// The names of compressors that are met (RFC 1962 section 4, assigned numbers).
const fn compressor(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "proprietary compression",
        1 => "predictor 1",
        2 => "predictor 2",
        3 => "puddle jumper",
        17 => "stac lzs",
        21 => "bsd compress",
        24 | 26 => "deflate",
        _ => return None,
    })
}

/// The packet in one line: `Configure-Request id 4: mppe 128 stateless`. Bounded, printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            cp::describe(f, Protocol::Ccp, self.0, |f, opt| match CcpOption::parse(opt) {
                Ok(option) => write!(f, "{option}"),
                Err(error) => write!(f, "{opt} ({error})"),
            })
        }
    }
    Describe(packet)
}

#[cfg(test)]
mod tests;
