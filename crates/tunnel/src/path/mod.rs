//! The data path of one call: GRE on one side, IP packets on the other, PPP and MPPE between.
//!
//! A [`Path`] has no I/O and no clock. Its user (a dataplane worker, the simulator, a load generator, a
//! fuzzer) passes octets and an instant, and a [`Sink`] that receives the output. An in-order packet is
//! processed in place, without allocation.
//!
//! While MPPE is up, only a frame that decrypts moves the window (`proof`); without MPPE, any packet does.
//!
//! While encryption is required, no IP packet is sent or accepted in clear, in any state. Once a call has
//! been encrypted, the same applies until its end, so that no packet can disable encryption.

mod batch;
mod clear;
mod collected;
mod config;
pub mod denied;
mod doubt;
mod flow;
mod from_peer;
mod gate;
mod proof;
mod sent;
mod sink;
mod to_peer;

use std::sync::Arc;
use std::time::Instant;

use adit_diag::Counters;
use adit_policy::reach::{Hits, Reach};
use adit_ppp::mppe::{Decryptor, Encryptor};
use adit_pptp::gre::{Acknowledger, Prompt, Receiver, ReceiverConfig, Sender};
use adit_wire::{LocalCallId, PeerCallId};

use self::flow::Flow;
use self::gate::Gate;
use self::proof::Proof;

pub use batch::{Begin, Cipher, Finished, Pending, Prepared};
pub use collected::Collected;
pub use config::{Network, NetworkV6, PathCommand, PathConfig};
pub use sink::{Origin, PathEvent, Sink};

/// Octets that must be free in front of an inner packet given to [`Path::handle_ip`]: GRE (16), PPP (4), MPPE
/// (2) and the protocol inside (2), rounded up, with space for an IPv4 header (20) of the caller.
pub const HEADROOM: usize = 64;

/// The data path of one call.
#[derive(Debug)]
pub struct Path {
    config: PathConfig,
    sender: Sender,
    receiver: Receiver,
    acks: Acknowledger,
    prompt: Prompt,
    /// Present if windowing is on.
    flow: Option<Box<Flow>>,
    link: Link,
    encryption: Option<Encryption>,
    proof: Proof,
    /// Whether this call was encrypted once, or must be.
    never_clear: bool,
    gate: Option<Gate>,
    /// The rules for destinations and sources, if there are any.
    reach: Option<Arc<Reach>>,
    hits: Hits,
    counters: Counters,
    /// Increased when begun packets ([`Path::begin`]) can no longer be finished with the same keys.
    epoch: u32,
    broken: bool,
    acknowledged: bool,
    /// A buffer for packets that cannot be processed in place: fragments and ICMP errors.
    scratch: Vec<u8>,
}

/// The peer's LCP options.
#[derive(Clone, Copy, Debug)]
struct Link {
    peer_mru: u16,
    pfc: bool,
    acfc: bool,
}

#[derive(Debug)]
struct Encryption {
    encryptor: Encryptor,
    decryptor: Decryptor,
    /// Identifier of the last Reset-Request (stateful mode).
    reset_id: u8,
}

impl Path {
    /// Creates a path for control frames only, until commands open it.
    pub fn new(config: PathConfig, _now: Instant) -> Path {
        let receiver = ReceiverConfig {
            packets: config.reorder_packets,
            wait: config.reorder_wait,
            ..ReceiverConfig::default()
        };
        Path {
            sender: Sender::new(config.peer_call_id, config.first_sequence),
            receiver: Receiver::new(receiver),
            acks: Acknowledger::new(config.ack_delay, config.ack_every),
            prompt: Prompt::default(),
            flow: Flow::new(config.window),
            link: Link { peer_mru: adit_wire::ppp::DEFAULT_MRU, pfc: false, acfc: false },
            encryption: None,
            proof: Proof::default(),
            never_clear: config.encryption_required,
            gate: None,
            reach: None,
            hits: Hits::default(),
            counters: Counters::default(),
            epoch: 0,
            broken: false,
            acknowledged: false,
            scratch: Vec::new(),
            config,
        }
    }

    /// Executes a command.
    pub fn command(&mut self, _now: Instant, command: PathCommand) {
        match command {
            PathCommand::Link { peer_mru, pfc, acfc } => self.link = Link { peer_mru, pfc, acfc },
            PathCommand::Encryption(Some(mppe)) => {
                self.never_clear = true;
                self.begin_keys(true);
                self.encryption = Some(Encryption {
                    encryptor: mppe.encryptor(),
                    decryptor: mppe.decryptor(),
                    reset_id: 0,
                });
            }
            PathCommand::RequireEncryption(required) => {
                self.never_clear = required || self.encryption.is_some();
            }
            PathCommand::Encryption(None) => {
                self.encryption = None;
                self.begin_keys(false);
            }
            PathCommand::Network(network) => self.gate = network.map(Gate::new),
            PathCommand::Reach(reach) => {
                self.hits.set_reach(Arc::clone(&reach));
                self.reach = Some(reach);
            }
            PathCommand::Mtu(mtu) => self.config.mtu = self.config.mtu.min(mtu),
        }
    }

    /// Prepares for other keys, or none.
    fn begin_keys(&mut self, are_there: bool) {
        self.epoch = self.epoch.wrapping_add(1);
        self.receiver.require_proof(are_there);
        self.proof = Proof::new(are_there);
    }

    /// Our Call ID.
    pub fn local_call_id(&self) -> LocalCallId {
        self.config.local_call_id
    }

    /// Whether a GRE header from the peer contains our Call ID.
    fn is_ours(&self, header: &adit_wire::gre::Repr) -> bool {
        LocalCallId::new(header.call_id) == self.config.local_call_id
    }

    /// The peer's Call ID.
    pub fn peer_call_id(&self) -> PeerCallId {
        self.config.peer_call_id
    }

    /// Whether the peer has acknowledged a packet of ours: proof that GRE reaches it.
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// The largest IP packet that is sent unfragmented. A peer may compare the encrypted frame, which is four
    /// octets longer than the packet, with its MRU.
    pub fn mtu(&self) -> u16 {
        let overhead = if self.never_clear { 4 } else { 0 };
        let network = self.gate.as_ref().map_or(u16::MAX, Gate::mtu);
        self.config.mtu.min(network).min(self.link.peer_mru.saturating_sub(overhead))
    }

    /// The counters so far.
    pub fn counters(&self) -> Counters {
        let gre = self.receiver.counters();
        Counters {
            lost: gre.lost,
            reordered: gre.reordered,
            duplicate: gre.duplicate,
            out_of_window: gre.out_of_window,
            ..self.counters
        }
    }

    /// What the rules have decided since they were set.
    pub fn hits(&mut self) -> &mut Hits {
        &mut self.hits
    }

    /// Handles expired timers: gives up gaps and outstanding acknowledgments, sends acknowledgments, requests
    /// a reset.
    pub fn handle_timeout(&mut self, now: Instant, sink: &mut dyn Sink) {
        if let Some(flow) = &mut self.flow {
            flow.window.handle_timeout(now);
            self.release_waiting(now, sink);
        }
        if self.encryption.is_some() {
            self.release(now, sink);
        } else {
            self.receiver.handle_timeout(now);
            self.deliver_held(sink);
        }
        self.send_due(now, sink);
    }

    /// When to call [`Path::handle_timeout`] at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let reset = self.encryption.as_ref().and_then(|encryption| encryption.decryptor.poll_timeout());
        [
            (self.receiver.poll_timeout(), "a missing GRE packet is given up"),
            (self.acks.poll_timeout(), "an acknowledgment goes alone"),
            (self.prompt.poll_timeout(), "an acknowledgment is repeated to prompt the peer"),
            (self.flow.as_ref().and_then(|flow| flow.window.poll_timeout()), "an acknowledgment is overdue"),
            (reset, "a CCP Reset-Request is repeated"),
        ]
        .into_iter()
        .filter_map(|(at, why)| Some((at?, why)))
        .min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests;
