//! Packets grouped into conversations: a control connection, its calls, and the GRE of each call both ways.
//!
//! Facts only, each with its frame. That GRE never came, or which number is wrong, is for whoever reads them to judge; but
//! what belongs together is decided here: by the ends of the control connection and the Call IDs exchanged on it, also
//! where one address or one number was changed on the way, and where the file starts in the middle.

mod flow;
mod step;
mod table;

use std::fmt;
use std::net::IpAddr;

use adit_wire::pptp::Message;

pub use flow::{Flow, JUMP, WINDOW as SEQUENCE_WINDOW};
pub use step::{By, Event, FIRST, FRAME_KEPT, LAST, Step, Steps};
pub use table::{CONVERSATIONS_MAX, Conversations};

/// Calls of one conversation.
pub const CALLS_MAX: usize = 32;
/// Call IDs without a call that are named in one conversation.
pub const UNKNOWN_MAX: usize = 8;

/// Everything between a client and a server that belongs to one control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The side that calls.
    pub client: IpAddr,
    /// The side that is called.
    pub server: IpAddr,
    /// Which is which is known: from the SYN, or from a message only one side sends.
    pub has_roles: bool,
    /// The server's and the client's TCP port; `None` when there is no control connection in the file.
    pub ports: Option<(u16, u16)>,
    /// See [`crate::Segment::stream`].
    pub stream: Option<u32>,
    /// The file has the control connection from its SYN on.
    pub from_the_beginning: bool,
    /// The calls, in the order of their requests; at most [`CALLS_MAX`].
    pub calls: Vec<Call>,
    /// What happened.
    pub steps: Steps,
    /// Call IDs of GRE packets that belong to no call, at most [`UNKNOWN_MAX`].
    pub unknown: Vec<u16>,
    /// The last frame that belongs here.
    pub last_frame: u64,
}

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The Call ID that the client chose: in GRE from the server. From the client's message; `None` when that is not in
    /// the file.
    pub client_id: Option<u16>,
    /// The Call ID that the server chose: in GRE from the client.
    pub server_id: Option<u16>,
    /// The client's Call ID as the server's reply repeats it, where that is another: something on the way rewrote one
    /// message and not the other.
    pub repeated_id: Option<u16>,
    /// The server took the call; or it was taken before the file begins.
    pub is_up: bool,
    /// A message ended it.
    pub has_ended: bool,
    /// GRE from client to server.
    pub to_server: Flow,
    /// GRE from server to client.
    pub to_client: Flow,
    /// The Call ID seen in GRE to the server, where it is not the one agreed on: the first such.
    pub wrong_to_server: Option<u16>,
    /// The same in GRE to the client.
    pub wrong_to_client: Option<u16>,
    /// GRE of this call came from this address, which is not the server's: the first such.
    pub from_elsewhere: Option<IpAddr>,
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

    /// Takes note of what a control message says of calls; gives the call it is about.
    pub(super) fn learn(&mut self, message: &Message) -> Option<usize> {
        match message {
            Message::OutgoingCallRequest(request) => {
                self.new_call(Call { client_id: Some(request.call_id), ..Call::default() })
            }
            Message::OutgoingCallReply(reply) => {
                let open = |call: &Call| call.server_id.is_none() && !call.has_ended;
                let exact = self.find(|call| open(call) && call.client_id == Some(reply.peer_call_id));
                let at = exact.or_else(|| self.find(open)).or_else(|| self.new_call(Call::default()))?;
                let call = self.calls.get_mut(at)?;
                call.is_up = u8::from(reply.result) == 1;
                call.has_ended = !call.is_up;
                call.server_id = call.is_up.then_some(reply.call_id);
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

    /// The newest call that is `so`.
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
