//! Groups packets into conversations: a control connection, its calls, and the GRE of each call in both
//! directions.
//!
//! The results are facts, each with its frame; the caller judges them. Packets are grouped by the ends of the
//! control connection and the Call IDs exchanged on it, even if an address or a number was changed on the
//! path, or if the capture starts during the call.

mod end;
mod flow;
mod inside;
mod names;
mod open;
mod step;
mod table;
mod tally;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use adit_wire::pptp::Message;

use crate::note::Missing;

pub use end::{End, Position};
pub use flow::{ALONE, Flow, JUMP, STALL_MIN, WINDOW as SEQUENCE_WINDOW};
pub use inside::{ERRORS_MAX, Inside, Resent, SOURCES_MAX, TARGETS_MAX, Target};
pub use names::{LOOKUPS_MAX, Lookup, LookupAnswer, Lookups};
pub use open::{Checked, Open, Secret};
pub use step::{By, Event, FIRST, FRAME_KEPT, LAST, Step, Steps};
pub use table::{CONVERSATIONS_MAX, Conversations};
pub use tally::{Count, KINDS_COUNTED_MAX, Tally};

/// The most calls of one conversation.
pub const CALLS_MAX: usize = 32;
/// The most Call IDs without a call that are listed in one conversation.
pub const UNKNOWN_MAX: usize = 8;
/// The most other conversations of the same two addresses that are listed in one.
pub const SIBLINGS_MAX: usize = 8;
/// The most name servers outside the tunnel that are listed in one conversation.
pub const OUTSIDE_MAX: usize = 8;

/// All packets between a client and a server that belong to one control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The side that calls.
    pub client: IpAddr,
    /// The side that is called.
    pub server: IpAddr,
    /// Whether the roles are known: from the SYN, or from a message that only one side sends.
    pub has_roles: bool,
    /// The server's and the client's TCP port; `None` when there is no control connection in the file.
    pub ports: Option<(u16, u16)>,
    /// See [`crate::Segment::stream`].
    pub stream: Option<u32>,
    /// Whether the file contains the control connection from its SYN on.
    pub from_the_beginning: bool,
    /// The calls, in the order of their requests; at most [`CALLS_MAX`].
    pub calls: Vec<Call>,
    /// The steps of the conversation.
    pub steps: Steps,
    /// Call IDs of GRE packets that belong to no call, at most [`UNKNOWN_MAX`].
    pub unknown: Vec<u16>,
    /// The last frame of the conversation.
    pub last_frame: u64,
    /// The time of the last frame.
    pub last_time: Duration,
    /// The end of the capture, until which silence can be seen.
    pub until: Duration,
    /// What the client's TCP segments show.
    pub client_end: End,
    /// What the server's TCP segments show.
    pub server_end: End,
    /// DNS queries before the call that resolve to the server's address.
    pub names: Vec<Lookup>,
    /// Name servers that the client queried outside the tunnel during the call, at most [`OUTSIDE_MAX`].
    pub outside: Vec<Outside>,
    /// Other conversations between the same addresses at the same time: a second client behind one NAT, or a
    /// stale connection. At most [`SIBLINGS_MAX`].
    pub siblings: Vec<Sibling>,
    /// GRE packets between the two with missing fragments: the frames of the first one.
    pub broken_fragments: Option<BrokenFragments>,
    /// Frame, time and side of the first FIN or RST.
    pub closed: Option<(u64, Duration, By)>,
}

/// A name server queried outside the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Its address.
    pub server: IpAddr,
    /// The number of queries.
    pub times: u64,
    /// Frame and time of the first.
    pub first: (u64, Duration),
    /// Frame and time of the last.
    pub last: (u64, Duration),
    /// An ICMP error about one: its frame and sender.
    pub unreachable: Option<(u64, IpAddr)>,
}

/// Another conversation of the same two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// Its first frame.
    pub frame: u64,
    /// The time of that.
    pub time: Duration,
    /// The client's port there.
    pub port: Option<u16>,
    /// Whether it began after this one.
    pub is_later: bool,
    /// A Call ID that the clients of both have assigned, and the frame that shows it.
    pub same_id: Option<(u16, u64)>,
}

/// GRE packets with missing fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenFragments {
    /// The number of packets.
    pub packets: u64,
    /// The frames of the first one that are in the file.
    pub frames: Vec<u64>,
    /// The missing fragments of the first one.
    pub missing: Missing,
    /// The sender.
    pub by: By,
}

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The Call ID that the client assigned, in GRE from the server. `None` if the client's message is not in
    /// the file.
    pub client_id: Option<u16>,
    /// The Call ID that the server assigned, in GRE from the client.
    pub server_id: Option<u16>,
    /// The client's Call ID as repeated in the server's reply, if it differs: a device on the path rewrote
    /// one message and not the other.
    pub repeated_id: Option<u16>,
    /// Whether the server accepted the call, in the file or before it begins.
    pub is_up: bool,
    /// Whether a message ended the call.
    pub has_ended: bool,
    /// GRE from client to server.
    pub to_server: Flow,
    /// GRE from server to client.
    pub to_client: Flow,
    /// The first Call ID in GRE to the server that differs from the agreed one.
    pub wrong_to_server: Option<u16>,
    /// The first Call ID in GRE to the client that differs from the agreed one.
    pub wrong_to_client: Option<u16>,
    /// The number of GRE packets with a Call ID that differs from the agreed one: to server, to client.
    pub wrong_packets: [u64; 2],
    /// The first address other than the server's from which GRE of this call arrived.
    pub from_elsewhere: Option<IpAddr>,
    /// How often each kind of PPP control frame was sent.
    pub tally: Tally,
    /// The contents of the tunnel, if readable.
    pub inside: Inside,
    /// The results of a password.
    pub open: Open,
}

/// `client's call 7, server's call 99, up; to server: ...; to client: ...`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |id: Option<u16>| id.map_or("unknown".to_owned(), |id| id.to_string());
        write!(f, "client's call {}, server's call {}, ", id(self.client_id), id(self.server_id))?;
        f.write_str(match (self.is_up, self.has_ended) {
            (true, false) => "up",
            (true, true) => "ended",
            (false, true) => "refused or ended before it was up",
            (false, false) => "unanswered",
        })?;
        write!(f, "; to server: {}; to client: {}", self.to_server, self.to_client)
    }
}

impl Conversation {
    pub(super) fn by(&self, source: IpAddr) -> By {
        if source == self.client {
            By::Client
        } else if source == self.server {
            By::Server
        } else {
            By::Other(source)
        }
    }

    /// Where the capture was made, and the evidence for it.
    pub fn position(&self) -> (Position, String) {
        end::position(&self.client_end, &self.server_end)
    }

    /// Whether there is more than an attempt to connect: a PPTP message, or GRE.
    pub fn has_substance(&self) -> bool {
        !self.calls.is_empty() || self.steps.iter().any(|step| matches!(step.what, Event::Message(_)))
    }

    /// The time at which it began.
    pub fn began(&self) -> Duration {
        self.steps.iter().next().map_or(self.last_time, |step| step.time)
    }

    /// Applies a control message to the calls; returns the call that it concerns.
    pub(super) fn learn(&mut self, message: &Message) -> Option<usize> {
        match message {
            Message::OutgoingCallRequest(request) => {
                let mut call = Call { client_id: Some(request.call_id), ..Call::default() };
                call.to_client.window = Some(request.window);
                self.new_call(call)
            }
            Message::OutgoingCallReply(reply) => {
                let open = |call: &Call| call.server_id.is_none() && !call.has_ended;
                let exact = self.find(|call| open(call) && call.client_id == Some(reply.peer_call_id));
                let at = exact.or_else(|| self.find(open)).or_else(|| self.new_call(Call::default()))?;
                let call = self.calls.get_mut(at)?;
                call.is_up = u8::from(reply.result) == 1;
                call.has_ended = !call.is_up;
                call.server_id = call.is_up.then_some(reply.call_id);
                call.to_server.window = Some(reply.window);
                if exact.is_none() {
                    match call.client_id {
                        Some(_) => call.repeated_id = Some(reply.peer_call_id),
                        None => call.client_id = Some(reply.peer_call_id),
                    }
                }
                Some(at)
            }
            Message::IncomingCallRequest(request) => {
                self.new_call(Call { server_id: Some(request.call_id), ..Call::default() })
            }
            Message::IncomingCallReply(reply) => {
                let at = self.find(|call| call.server_id == Some(reply.peer_call_id) && !call.has_ended)?;
                let call = self.calls.get_mut(at)?;
                call.is_up = u8::from(reply.result) == 1;
                call.has_ended = !call.is_up;
                call.client_id = call.is_up.then_some(reply.call_id);
                Some(at)
            }
            Message::IncomingCallConnected(connected) => self.of_client(connected.peer_call_id),
            Message::SetLinkInfo(info) => {
                self.of_server(info.peer_call_id).or_else(|| self.of_client(info.peer_call_id))
            }
            Message::WanErrorNotify(notify) => self.of_client(notify.peer_call_id),
            Message::CallClearRequest(request) => self.end(self.of_client(request.call_id)),
            Message::CallDisconnectNotify(notify) => self.end(self.of_server(notify.call_id)),
            _ => None,
        }
    }

    /// The newest call for which `so` is true.
    pub(super) fn find(&self, so: impl Fn(&Call) -> bool) -> Option<usize> {
        self.calls.iter().rposition(so)
    }

    fn of_client(&self, id: u16) -> Option<usize> {
        self.find(|call| call.client_id == Some(id))
    }

    fn of_server(&self, id: u16) -> Option<usize> {
        self.find(|call| call.server_id == Some(id))
    }

    fn end(&mut self, at: Option<usize>) -> Option<usize> {
        let call = self.calls.get_mut(at?)?;
        call.has_ended = true;
        at
    }

    pub(super) fn new_call(&mut self, call: Call) -> Option<usize> {
        if self.calls.len() == CALLS_MAX {
            return None;
        }
        self.calls.push(call);
        Some(self.calls.len() - 1)
    }
}
