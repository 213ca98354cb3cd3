//! The facts about one call or one host: one struct for each layer.
//!
//! Every fact is optional: `None` and an empty list mean "not looked at, or not visible from here", never "no".

mod address;
mod auth;
mod control;
mod encrypt;
mod gre;
pub mod host;
mod inside;
mod lcp;
mod mtu;
mod name;

use std::collections::BTreeMap;
use std::time::Duration;

use adit_diag::{Code, Layer};

pub use address::{Address, Overlap};
pub use auth::{Auth, AuthProtocol, Known, Login, NoMethod, Verdict as LoginVerdict};
pub use control::{Call, CallReply, Closed, Connect, Control, How, Stage, StartReply, Tcp};
pub use encrypt::{Bits, Encrypt, Loop as MppeLoop, Rejected};
pub use gre::{Arrival, Gre, GreStop, Hop, IcmpError, Way};
pub use host::Host;
pub use inside::{Answer, DnsTest, Inside, NameTest, Target};
pub use lcp::{EchoLost, Lcp, OptionLoop, Terminated};
pub use mtu::{Bracket, Mtu};
pub use name::{LocalNet, Name, Resolved};

use crate::{Seen, Side, Vantage};

/// All facts about a call or a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The vantage point.
    pub vantage: Vantage,
    /// The subject, for display: `vpn.example.org`, `198.51.100.7 -> 203.0.113.10 call 2`.
    pub subject: String,
    /// The last layer that was tested on purpose: a probe without an account stops after LCP.
    pub stop_after: Option<Layer>,
    /// N: the name, and the path to the server.
    pub name: Name,
    /// C: TCP.
    pub tcp: Tcp,
    /// C: the control connection.
    pub control: Control,
    /// C: the call.
    pub call: Call,
    /// G: protocol 47.
    pub gre: Gre,
    /// L: the link.
    pub lcp: Lcp,
    /// A: the login.
    pub auth: Auth,
    /// E: CCP and MPPE.
    pub encrypt: Encrypt,
    /// I: IPCP.
    pub address: Address,
    /// R: what lies behind the tunnel.
    pub inside: Inside,
    /// M: packet sizes.
    pub mtu: Mtu,
    /// S: the host of the probe or of the server.
    pub host: Host,
    /// How it ended.
    pub ending: Option<Seen<Ending>>,
    /// What the server or client that took part recorded.
    pub reported: Option<Reported>,
    /// The time that each layer took.
    pub took: BTreeMap<Layer, Duration>,
    /// Steps that were skipped, with the reason: a missing capability, a time limit.
    pub left_out: Vec<(Layer, String)>,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The side that ended it first; `None` if neither did: the file ends, time ran out.
    pub by: Option<Side>,
    /// The way it ended, for display: `Call-Clear-Request`, `LCP Terminate-Request`.
    pub how: String,
    /// Whether it was requested: disconnected, not failed.
    pub in_order: bool,
}

/// What a server or client recorded about its own call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The code that it recorded.
    pub code: Code,
    /// The detail that it recorded.
    pub detail: String,
}

impl Facts {
    /// Creates facts in which nothing is known.
    pub fn new(vantage: Vantage, subject: impl Into<String>) -> Facts {
        Facts {
            vantage,
            subject: subject.into(),
            stop_after: None,
            name: Name::default(),
            tcp: Tcp::default(),
            control: Control::default(),
            call: Call::default(),
            gre: Gre::default(),
            lcp: Lcp::default(),
            auth: Auth::default(),
            encrypt: Encrypt::default(),
            address: Address::default(),
            inside: Inside::default(),
            mtu: Mtu::default(),
            host: Host::default(),
            ending: None,
            reported: None,
            took: BTreeMap::new(),
            left_out: Vec::new(),
        }
    }

    /// Whether the call was accepted.
    pub fn granted(&self) -> bool {
        self.call.reply.as_ref().is_some_and(|reply| reply.what.result == 1)
    }

    /// Whether LCP came up, or something after it did.
    pub fn link_is_up(&self) -> bool {
        self.lcp.opened.is_some() || self.logged_in() || self.address.opened.is_some()
    }

    /// Whether the login was accepted, or something after it worked.
    pub fn logged_in(&self) -> bool {
        let accepted = |login: &Seen<Login>| login.what.verdict == LoginVerdict::Accepted;
        self.auth.login.as_ref().is_some_and(accepted) || self.address.opened.is_some()
    }

    /// Whether a record has no typed notes about this layer.
    pub fn is_untyped(&self, layer: Layer) -> bool {
        self.vantage == Vantage::Record && self.left_out.iter().any(|(left_out, _)| *left_out == layer)
    }

    /// Whether the tunnel carries IP.
    pub fn is_up(&self) -> bool {
        self.address.opened.is_some()
    }
}
