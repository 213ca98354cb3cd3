//! One protocol's half-open agreement: what we ask for, and what has been acknowledged.

use std::time::{Duration, Instant};

/// Options: type and data.
pub type Options = Vec<(u8, Vec<u8>)>;

/// How often a request is sent before the peer is given up.
const TRIES: u32 = 10;
/// When something that was not answered is sent again.
pub(super) const RESTART: Duration = Duration::from_secs(3);

/// A negotiation.
#[derive(Clone, Debug)]
pub(super) struct Negotiation {
    /// What we ask for.
    pub(super) options: Options,
    /// Identifier of our last request.
    pub(super) id: u8,
    /// The peer acknowledged it.
    pub(super) acked: bool,
    /// We acknowledged the peer's.
    pub(super) granted: bool,
    /// When our request is repeated; `None` before it was sent and after it was acknowledged.
    pub(super) repeat: Option<Instant>,
    tries: u32,
}

impl Negotiation {
    /// One that begins with these options.
    pub(super) fn new(options: Options) -> Negotiation {
        Negotiation { options, id: 0, acked: false, granted: false, repeat: None, tries: 0 }
    }

    /// Both directions are agreed.
    pub(super) fn is_open(&self) -> bool {
        self.acked && self.granted
    }

    /// Our request goes out now under this identifier; `false` if it went out too often.
    pub(super) fn sent(&mut self, now: Instant, id: u8) -> bool {
        self.id = id;
        self.acked = false;
        self.repeat = Some(now + RESTART);
        self.tries += 1;
        self.tries <= TRIES
    }

    /// An Ack of this identifier came; whether it was ours.
    pub(super) fn acknowledged(&mut self, id: u8) -> bool {
        let ours = self.repeat.is_some() && id == self.id;
        if ours {
            self.acked = true;
            self.repeat = None;
            self.tries = 0;
        }
        ours
    }

    /// The value of an option that we ask for.
    pub(super) fn get(&self, kind: u8) -> Option<&[u8]> {
        self.options.iter().find(|(of, _)| *of == kind).map(|(_, data)| data.as_slice())
    }

    /// A Nak: these values instead of ours, where we ask for them at all.
    pub(super) fn naked(&mut self, options: &Options) {
        for (kind, data) in options {
            if let Some((_, ours)) = self.options.iter_mut().find(|(of, _)| of == kind) {
                ours.clone_from(data);
            }
        }
    }

    /// A Reject: not these.
    pub(super) fn rejected(&mut self, options: &Options) {
        self.options.retain(|(kind, _)| !options.iter().any(|(of, _)| of == kind));
    }
}

/// Options as they stand in a packet.
pub(super) fn octets(options: &Options) -> Vec<u8> {
    let mut octets = Vec::new();
    for (kind, data) in options {
        adit_wire::cp::push_option(&mut octets, *kind, data);
    }
    octets
}
