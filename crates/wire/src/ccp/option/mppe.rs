//! MPPE and MPPC (RFC 3078 section 2, RFC 2118).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

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
    /// D: an obsolete form of MPPE, which must not be accepted.
    pub const OBSOLETE: Mppe = Mppe(0x0000_0010);
    /// C: compression by MPPC.
    pub const MPPC: Mppe = Mppe(0x0000_0001);

    /// All strength bits.
    const STRENGTHS: Mppe = Mppe(Mppe::BITS_56.0 | Mppe::BITS_128.0 | Mppe::BITS_40.0);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Mppe) -> bool {
        self.0 & other.0 == other.0
    }

    /// The union of both.
    pub const fn with(self, other: Mppe) -> Mppe {
        Mppe(self.0 | other.0)
    }

    /// The strength bits alone.
    pub const fn strengths(self) -> Mppe {
        Mppe(self.0 & Mppe::STRENGTHS.0)
    }

    /// The bits that no specification defines.
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

impl<'a> ConfigOption<'a> for Mppe {
    const PROTOCOL: Protocol = Protocol::Ccp;
    const KIND: u8 = 18;
    const NAME: &'static str = "mppe";
    const LENGTH: Length = Length { field: "MPPE Length", expected: "6" };

    fn read(opt: &Opt<'a>) -> Option<Mppe> {
        opt.data.try_into().ok().map(|octets| Mppe(u32::from_be_bytes(octets)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}
