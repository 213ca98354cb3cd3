//! The facts of CCP and MPPE, with the offers of both sides.

use std::fmt;
use std::time::Duration;

use crate::{Seen, Side};

/// Facts of layer E.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypt {
    /// The bits of the client's first request.
    pub client_offer: Option<Seen<Bits>>,
    /// The bits of the server's first request.
    pub server_offer: Option<Seen<Bits>>,
    /// The bits of the client's last request that the server acknowledged.
    pub client_agreed: Option<Seen<Bits>>,
    /// The bits of the server's last request that the client acknowledged.
    pub server_agreed: Option<Seen<Bits>>,
    /// A refusal of encryption by one side.
    pub rejected: Option<Seen<Rejected>>,
    /// A loop of Naks.
    pub nak_loop: Option<Seen<Loop>>,
    /// Both directions are agreed.
    pub opened: Option<Seen<()>>,
    /// The decrypted data is not PPP: protocols rejected after CCP was up, or unknown protocols decrypted
    /// here.
    pub garbage: Option<Seen<String>>,
    /// The number of IP packets in clear.
    pub clear_packets: u64,
    /// Where the first of them is seen.
    pub first_clear: Option<Seen<()>>,
    /// The side that ended encryption during the call.
    pub closed: Option<Seen<Side>>,
    /// The number of Reset-Requests.
    pub resets: u32,
    /// How often the coherency count went back or jumped.
    pub count_jumps: u32,
    /// Whether the authentication method derives no keys.
    pub no_keys: bool,
    /// How long there was no CCP after the login was accepted.
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

    /// The strength bits alone.
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
    /// The side.
    pub by: Side,
    /// Whether CCP as a whole was refused, by an LCP Protocol-Reject.
    pub all_of_ccp: bool,
}

/// A loop of Naks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The number of rounds.
    pub rounds: u32,
    /// Whether only the stateless bit differs.
    pub only_stateless: bool,
}
