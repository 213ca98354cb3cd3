//! CCP and MPPE: both sides' offers side by side.

use std::fmt;
use std::time::Duration;

use crate::{Seen, Side};

/// E.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypt {
    /// The bits of the client's first request.
    pub client_offer: Option<Seen<Bits>>,
    /// The bits of the server's first request.
    pub server_offer: Option<Seen<Bits>>,
    /// What the server acknowledged: data to the client... of the client's last request.
    pub client_agreed: Option<Seen<Bits>>,
    /// What the client acknowledged of the server's last request.
    pub server_agreed: Option<Seen<Bits>>,
    /// One side wants no encryption.
    pub rejected: Option<Seen<Rejected>>,
    /// Naks without end.
    pub nak_loop: Option<Seen<Loop>>,
    /// Both directions agreed.
    pub opened: Option<Seen<()>>,
    /// What came out is not PPP: rejected protocols after CCP was up, or decrypted here to nothing known.
    pub garbage: Option<Seen<String>>,
    /// IP packets in clear.
    pub clear_packets: u64,
    /// Where the first is seen.
    pub first_clear: Option<Seen<()>>,
    /// Encryption was ended in mid-call.
    pub closed: Option<Seen<Side>>,
    /// Reset-Requests.
    pub resets: u32,
    /// The coherency count went back or jumped, so often.
    pub count_jumps: u32,
    /// The login's method gives no keys.
    pub no_keys: bool,
    /// No CCP for so long, though the login was accepted.
    pub silent: Option<Seen<Duration>>,
}

/// The bits of option 18 (RFC 3078, 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits(pub u32);

impl Bits {
    /// Stateless.
    pub const STATELESS: u32 = 0x0100_0000;
    /// 128 bits.
    pub const BITS_128: u32 = 0x40;
    /// 56 bits.
    pub const BITS_56: u32 = 0x80;
    /// 40 bits.
    pub const BITS_40: u32 = 0x20;

    /// The strengths alone.
    pub const fn strengths(self) -> u32 {
        self.0 & (Bits::BITS_128 | Bits::BITS_56 | Bits::BITS_40)
    }
}

/// `40|128 stateless`, `compression only`, `nothing`.
impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Bits::BITS_40, "40"), (Bits::BITS_56, "56"), (Bits::BITS_128, "128")];
        let mut found = names.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, name)| *name).peekable();
        if found.peek().is_none() {
            return f.write_str(if self.0 & Bits::STATELESS != 0 {
                "whatever is strongest"
            } else {
                "nothing"
            });
        }
        for (n, name) in found.enumerate() {
            write!(f, "{}{name}", if n == 0 { "" } else { "|" })?;
        }
        f.write_str(if self.0 & Bits::STATELESS != 0 { " stateless" } else { " stateful" })
    }
}

/// A refusal of encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Who.
    pub by: Side,
    /// CCP as a whole, by an LCP Protocol-Reject.
    pub all_of_ccp: bool,
}

/// Naks without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Rounds.
    pub rounds: u32,
    /// Only the stateless bit differs.
    pub only_stateless: bool,
}
