//! The negotiation of one protocol: our request, and what has been acknowledged.

use std::time::{Duration, Instant};

/// Options: type and data.
pub type Options = Vec<(u8, Vec<u8>)>;

/// The most times a request is sent.
const TRIES: u32 = 10;
/// The interval after which an unanswered packet is repeated.
pub(super) const RESTART: Duration = Duration::from_secs(3);

/// A negotiation.
#[derive(Clone, Debug)]
pub(super) struct Negotiation {
    /// The options of our request.
    pub(super) options: Options,
    /// Identifier of our last request.
    pub(super) id: u8,
    /// Whether the peer has acknowledged our request.
    pub(super) acked: bool,
    /// Whether we have acknowledged the peer's request.
    pub(super) granted: bool,
    /// When our request is repeated; `None` before it is sent and after it is acknowledged.
    pub(super) repeat: Option<Instant>,
    tries: u32,
}

impl Negotiation {
    /// Creates a negotiation that begins with these options.
    pub(super) fn new(options: Options) -> Negotiation {
        Negotiation { options, id: 0, acked: false, granted: false, repeat: None, tries: 0 }
    }

    /// Whether both directions are agreed.
    pub(super) fn is_open(&self) -> bool {
        self.acked && self.granted
    }

    /// Records that our request is sent with this identifier; `false` if it was sent too often.
    pub(super) fn sent(&mut self, now: Instant, id: u8) -> bool {
        self.id = id;
        self.acked = false;
        self.repeat = Some(now + RESTART);
        self.tries += 1;
        self.tries <= TRIES
    }

    /// Handles an Ack with this identifier; returns whether it matches our request.
    pub(super) fn acknowledged(&mut self, id: u8) -> bool {
        let ours = self.repeat.is_some() && id == self.id;
        if ours {
            self.acked = true;
            self.repeat = None;
            self.tries = 0;
        }
        ours
    }

    /// The value of an option in our request.
    pub(super) fn get(&self, kind: u8) -> Option<&[u8]> {
        self.options.iter().find(|(of, _)| *of == kind).map(|(_, data)| data.as_slice())
    }

    /// Handles a Nak: uses these values for the options in our request.
    pub(super) fn naked(&mut self, options: &Options) {
        for (kind, data) in options {
            if let Some((_, ours)) = self.options.iter_mut().find(|(of, _)| of == kind) {
                ours.clone_from(data);
            }
        }
    }

    /// Handles a Reject: removes these options.
    pub(super) fn rejected(&mut self, options: &Options) {
        self.options.retain(|(kind, _)| !options.iter().any(|(of, _)| of == kind));
    }
}

/// Encodes options.
pub(super) fn octets(options: &Options) -> Vec<u8> {
    let mut octets = Vec::new();
    for (kind, data) in options {
        adit_wire::cp::push_option(&mut octets, *kind, data);
    }
    octets
}
