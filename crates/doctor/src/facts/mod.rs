//! What is known of one call, or of one host: one struct a layer.
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

/// Everything that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Who looked.
    pub vantage: Vantage,
    /// What was looked at, for people: `vpn.example.org`, `198.51.100.7 -> 203.0.113.10 call 2`.
    pub subject: String,
    /// How far was gone on purpose: a probe without an account stops after LCP.
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
    /// S: the host that looks, or is looked at.
    pub host: Host,
    /// How it ended.
    pub ending: Option<Seen<Ending>>,
    /// What the machine that lived it recorded.
    pub reported: Option<Reported>,
    /// Time each layer took.
    pub took: BTreeMap<Layer, Duration>,
    /// Steps that were left out, with the reason: a missing right, a limit of time.
    pub left_out: Vec<(Layer, String)>,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who was first to end it; `None` when neither side did: the file ends, time ran out.
    pub by: Option<Side>,
    /// How, for people: `Call-Clear-Request`, `LCP Terminate-Request`.
    pub how: String,
    /// As requested: hung up, not broken.
    pub in_order: bool,
}

/// What a server or client noted of its own call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its code.
    pub code: Code,
    /// Its words.
    pub detail: String,
}

impl Facts {
    /// Nothing is known yet.
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

    /// The call was granted.
    pub fn granted(&self) -> bool {
        self.call.reply.as_ref().is_some_and(|reply| reply.what.result == 1)
    }

    /// LCP came up, or something after it did.
    pub fn link_is_up(&self) -> bool {
        self.lcp.opened.is_some() || self.logged_in() || self.address.opened.is_some()
    }

    /// The login was accepted, or something after it worked.
    pub fn logged_in(&self) -> bool {
        let accepted = |login: &Seen<Login>| login.what.verdict == LoginVerdict::Accepted;
        self.auth.login.as_ref().is_some_and(accepted) || self.address.opened.is_some()
    }

    /// Of a record: what became of this layer was not recorded in typed form.
    pub fn is_untyped(&self, layer: Layer) -> bool {
        self.vantage == Vantage::Record && self.left_out.iter().any(|(left_out, _)| *left_out == layer)
    }

    /// The tunnel carries IP.
    pub fn is_up(&self) -> bool {
        self.address.opened.is_some()
    }
}
