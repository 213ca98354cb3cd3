//! What a layer agreed on when it came up.

use core::fmt;
use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::{AuthMethod, Layer};

/// A layer that came up, with what was agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LayerUp {
    /// There is a call.
    Control {
        /// Our Call ID: the key of GRE that we receive.
        local_call_id: u16,
        /// The peer's: the key of GRE that we send.
        peer_call_id: u16,
    },
    /// The peer's GRE arrives.
    Gre,
    /// LCP is Opened.
    Lcp {
        /// The longest information field that the peer takes, in octets.
        mru: u16,
    },
    /// One end has proved itself to the other.
    Auth {
        /// How.
        method: AuthMethod,
        /// Under which name, escaped.
        user: String,
    },
    /// MPPE runs.
    Encrypt {
        /// Bits of the key: 40, 56 or 128.
        bits: u8,
        /// Whether the key changes with every packet.
        stateless: bool,
    },
    /// IPCP is Opened.
    Address {
        /// Our inner address.
        local: Ipv4Addr,
        /// The peer's.
        peer: Ipv4Addr,
    },
}

impl LayerUp {
    /// Which layer.
    pub const fn layer(&self) -> Layer {
        match self {
            LayerUp::Control { .. } => Layer::Control,
            LayerUp::Gre => Layer::Gre,
            LayerUp::Lcp { .. } => Layer::Lcp,
            LayerUp::Auth { .. } => Layer::Auth,
            LayerUp::Encrypt { .. } => Layer::Encrypt,
            LayerUp::Address { .. } => Layer::Address,
        }
    }
}

/// What was agreed.
impl fmt::Display for LayerUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerUp::Control { local_call_id, peer_call_id } => {
                write!(f, "call {local_call_id} here, {peer_call_id} there")
            }
            LayerUp::Gre => f.write_str("the peer's GRE arrives"),
            LayerUp::Lcp { mru } => write!(f, "mru {mru}"),
            LayerUp::Auth { method, user } => write!(f, "{method} as {user}"),
            LayerUp::Encrypt { bits, stateless } => {
                write!(f, "mppe {bits} {}", if *stateless { "stateless" } else { "stateful" })
            }
            LayerUp::Address { local, peer } => write!(f, "local {local} peer {peer}"),
        }
    }
}
