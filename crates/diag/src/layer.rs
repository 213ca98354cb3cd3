//! The layers of a PPTP connection, in the order in which a person tests them.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Where a problem lives. The order is the order of tests, of output and of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// N: the server's name and the path to it.
    Name,
    /// C: the control connection, TCP 1723.
    Control,
    /// G: GRE, IP protocol 47.
    Gre,
    /// L: Link Control Protocol.
    Lcp,
    /// A: authentication.
    Auth,
    /// E: encryption (CCP and MPPE).
    Encrypt,
    /// I: the address (IPCP, pool).
    Address,
    /// R: routes, access rules and DNS behind the tunnel.
    Route,
    /// M: packet size.
    Mtu,
    /// S: this host is not ready.
    Host,
    /// F: a configuration file.
    File,
    /// P: address planning.
    Plan,
    /// Q: security posture.
    Posture,
}

impl Layer {
    /// Every layer, in order.
    pub const ALL: [Layer; 13] = [
        Layer::Name,
        Layer::Control,
        Layer::Gre,
        Layer::Lcp,
        Layer::Auth,
        Layer::Encrypt,
        Layer::Address,
        Layer::Route,
        Layer::Mtu,
        Layer::Host,
        Layer::File,
        Layer::Plan,
        Layer::Posture,
    ];

    /// The layers of a call, in order; the others are of a host or a file.
    pub const OF_A_CALL: [Layer; 9] = {
        let [of_a_call @ .., _host, _file, _plan, _posture] = Layer::ALL;
        of_a_call
    };

    /// The first letter of the layer's codes.
    pub const fn letter(self) -> char {
        match self {
            Layer::Name => 'N',
            Layer::Control => 'C',
            Layer::Gre => 'G',
            Layer::Lcp => 'L',
            Layer::Auth => 'A',
            Layer::Encrypt => 'E',
            Layer::Address => 'I',
            Layer::Route => 'R',
            Layer::Mtu => 'M',
            Layer::Host => 'S',
            Layer::File => 'F',
            Layer::Plan => 'P',
            Layer::Posture => 'Q',
        }
    }

    /// The word of output lines, metric labels and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Layer::Name => "name",
            Layer::Control => "control",
            Layer::Gre => "gre",
            Layer::Lcp => "lcp",
            Layer::Auth => "auth",
            Layer::Encrypt => "encrypt",
            Layer::Address => "address",
            Layer::Route => "route",
            Layer::Mtu => "mtu",
            Layer::Host => "host",
            Layer::File => "file",
            Layer::Plan => "plan",
            Layer::Posture => "posture",
        }
    }

    /// A few words for a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Layer::Name => "name and path to the server",
            Layer::Control => "control connection, TCP 1723",
            Layer::Gre => "GRE, protocol 47",
            Layer::Lcp => "link, LCP",
            Layer::Auth => "authentication",
            Layer::Encrypt => "encryption, CCP and MPPE",
            Layer::Address => "address, IPCP",
            Layer::Route => "routing, access rules, DNS",
            Layer::Mtu => "packet size",
            Layer::Host => "this host",
            Layer::File => "configuration file",
            Layer::Plan => "address plan",
            Layer::Posture => "security posture",
        }
    }

    /// The exit code of a command whose first failing layer this is: 10 to 19 for the layers of a
    /// connection, 1 ("it ran and found a problem") for files, plans and posture.
    pub const fn exit_code(self) -> u8 {
        match self {
            Layer::Name => 10,
            Layer::Control => 11,
            Layer::Gre => 12,
            Layer::Lcp => 13,
            Layer::Auth => 14,
            Layer::Encrypt => 15,
            Layer::Address => 16,
            Layer::Route => 17,
            Layer::Mtu => 18,
            Layer::Host => 19,
            Layer::File | Layer::Plan | Layer::Posture => 1,
        }
    }

    /// The layer of a letter, upper or lower case.
    pub fn from_letter(letter: char) -> Option<Layer> {
        let letter = letter.to_ascii_uppercase();
        Layer::ALL.into_iter().find(|layer| layer.letter() == letter)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
