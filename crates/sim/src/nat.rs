//! A network address translator, with and without a helper for PPTP.
//!
//! The helper is modelled on Linux's nf_nat_pptp: it parses a control message only at the beginning of a TCP
//! segment, and tracks one call for each control connection.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_wire::pptp::{CONTROL_MESSAGE, MAGIC_COOKIE};

use crate::packet::{Body, Kind, Packet, Segment, Unreachable, gre_call_id, set_gre_call_id};
use crate::verdict::Verdict;

/// The translation of GRE and Call IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translation {
    /// A correct helper.
    Helper,
    /// No helper: GRE from a server is sent to the client that sent to it last.
    LastSender,
    /// No helper, and GRE from outside is never matched.
    Unmatched,
    /// A helper that translates the Call ID of the request, but not in the reply.
    ForgetsReply,
    /// A helper that does not translate the Call ID in GRE packets to the client.
    ForgetsKey,
}

/// How long after the Outgoing-Call-Reply the first GRE packet is expected.
const EXPECTATION: Duration = Duration::from_secs(300);
/// The idle timeout of a GRE stream.
const STREAM: Duration = Duration::from_secs(18_000);

/// A NAT with one external address.
#[derive(Debug)]
pub struct Nat {
    outside: Ipv4Addr,
    translation: Translation,
    connections: Vec<Connection>,
    /// The client that last sent GRE to a server: pairs of server and client.
    senders: Vec<(Ipv4Addr, Ipv4Addr)>,
}

/// A TCP connection that was opened from inside.
#[derive(Debug)]
struct Connection {
    client: Ipv4Addr,
    client_port: u16,
    server: Ipv4Addr,
    server_port: u16,
    outside_port: u16,
    call: Option<Call>,
}

/// The call of a control connection.
#[derive(Debug)]
struct Call {
    /// The Call ID that the client assigned.
    client_id: u16,
    /// The translated Call ID, as the server sees it.
    outside_id: u16,
    server_id: Option<u16>,
    /// When its GRE was last seen; before that, when the reply passed.
    heard: Instant,
    started: bool,
}

impl Call {
    fn is_alive(&self, now: Instant) -> bool {
        let limit = if self.started { STREAM } else { EXPECTATION };
        now.saturating_duration_since(self.heard) < limit
    }

    fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.started = true;
    }
}

impl Nat {
    /// Creates a NAT with the external address `outside`.
    pub fn new(outside: Ipv4Addr, translation: Translation) -> Nat {
        Nat { outside, translation, connections: Vec::new(), senders: Vec::new() }
    }

    /// The external address.
    pub fn address(&self) -> Ipv4Addr {
        self.outside
    }

    fn helps(&self) -> bool {
        matches!(self.translation, Translation::Helper | Translation::ForgetsReply | Translation::ForgetsKey)
    }

    pub(crate) fn outward(&mut self, now: Instant, mut packet: Packet) -> Verdict {
        let (client, server) = (packet.src, packet.dst);
        match &mut packet.body {
            Body::Tcp(segment) => self.tcp_outward(now, client, server, segment),
            Body::Gre(octets) => {
                let key = gre_call_id(octets);
                self.senders.retain(|(of, _)| *of != server);
                self.senders.push((server, client));
                let call = self.connections.iter_mut().find_map(|connection| {
                    let fits = connection.client == client && connection.server == server;
                    connection.call.as_mut().filter(|call| fits && call.server_id == Some(key))
                });
                if let Some(call) = call {
                    call.hear(now);
                }
            }
            Body::Unreachable(_) => {}
        }
        packet.src = self.outside;
        Verdict::Pass(packet)
    }

    fn tcp_outward(&mut self, now: Instant, client: Ipv4Addr, server: Ipv4Addr, segment: &mut Segment) {
        let helps = self.helps();
        let index = self.connection(client, server, segment);
        let taken: Vec<u16> =
            self.connections.iter().filter_map(|c| c.call.as_ref().map(|call| call.outside_id)).collect();
        let Some(connection) = self.connections.get_mut(index) else { return };
        segment.src_port = connection.outside_port;
        if helps && let Kind::Data { octets, .. } = &mut segment.kind {
            connection.help_outward(now, octets, &taken);
        }
    }

    /// The connection of a segment from inside; created if it is new.
    fn connection(&mut self, client: Ipv4Addr, server: Ipv4Addr, segment: &Segment) -> usize {
        let Segment { src_port: client_port, dst_port: server_port, .. } = *segment;
        let known = self.connections.iter().position(|c| {
            (c.client, c.client_port, c.server, c.server_port) == (client, client_port, server, server_port)
        });
        if let Some(index) = known {
            return index;
        }
        let used = |port: u16| self.connections.iter().any(|c| c.outside_port == port);
        let outside_port = (client_port..=65535).chain(1024..client_port).find(|port| !used(*port));
        let outside_port = outside_port.unwrap_or(client_port);
        let connection = Connection { client, client_port, server, server_port, outside_port, call: None };
        self.connections.push(connection);
        self.connections.len() - 1
    }

    pub(crate) fn inward(&mut self, now: Instant, mut packet: Packet) -> Verdict {
        let server = packet.src;
        let client = match &mut packet.body {
            Body::Tcp(segment) => self.tcp_inward(now, server, segment),
            Body::Gre(octets) => self.gre_inward(now, server, octets),
            Body::Unreachable(unreachable) => self.icmp_inward(unreachable),
        };
        match client {
            Some(client) => {
                packet.dst = client;
                Verdict::Pass(packet)
            }
            None => Verdict::Drop("no translation"),
        }
    }

    fn tcp_inward(&mut self, now: Instant, server: Ipv4Addr, segment: &mut Segment) -> Option<Ipv4Addr> {
        let (helps, forgets) = (self.helps(), self.translation == Translation::ForgetsReply);
        let connection = self.connections.iter_mut().find(|c| {
            (c.server, c.server_port, c.outside_port) == (server, segment.src_port, segment.dst_port)
        })?;
        segment.dst_port = connection.client_port;
        if helps && let Kind::Data { octets, .. } = &mut segment.kind {
            connection.help_inward(now, octets, forgets);
        }
        let client = connection.client;
        if segment.kind == Kind::Rst {
            connection.call = None;
        }
        Some(client)
    }

    fn gre_inward(&mut self, now: Instant, server: Ipv4Addr, octets: &mut [u8]) -> Option<Ipv4Addr> {
        match self.translation {
            Translation::Unmatched => None,
            Translation::LastSender => {
                self.senders.iter().find(|(of, _)| *of == server).map(|(_, client)| *client)
            }
            Translation::Helper | Translation::ForgetsReply | Translation::ForgetsKey => {
                let key = gre_call_id(octets);
                let connection = self.connections.iter_mut().find(|c| {
                    let call = c.call.as_ref().filter(|call| call.is_alive(now));
                    c.server == server && call.is_some_and(|call| call.outside_id == key)
                })?;
                let call = connection.call.as_mut()?;
                call.hear(now);
                if self.translation != Translation::ForgetsKey {
                    set_gre_call_id(octets, call.client_id);
                }
                Some(connection.client)
            }
        }
    }

    /// Translates an ICMP error for the sender of the quoted packet.
    fn icmp_inward(&self, unreachable: &mut Unreachable) -> Option<Ipv4Addr> {
        let (_, client) = self.senders.iter().find(|(server, _)| *server == unreachable.quoted_dst)?;
        unreachable.quoted_src = *client;
        Some(*client)
    }
}

impl Connection {
    /// Translates Call IDs of the client in outgoing messages.
    fn help_outward(&mut self, now: Instant, octets: &mut [u8], taken: &[u16]) {
        match control_type(octets) {
            // Outgoing-Call-Request: the translated source port is unique already.
            Some(7) => {
                let client_id = field(octets, 12);
                let wanted = self.outside_port;
                let outside_id =
                    (wanted..=65535).chain(1..wanted).find(|id| !taken.contains(id)).unwrap_or(wanted);
                set_field(octets, 12, outside_id);
                self.call = Some(Call { client_id, outside_id, server_id: None, heard: now, started: false });
            }
            // Incoming-Call-Reply, Call-Clear-Request.
            Some(10 | 12) => {
                if let Some(call) = &self.call {
                    set_field(octets, 12, call.outside_id);
                }
            }
            _ => {}
        }
    }

    /// Translates Call IDs of the client in incoming messages.
    fn help_inward(&mut self, now: Instant, octets: &mut [u8], forgets: bool) {
        let Some(call) = &mut self.call else { return };
        match control_type(octets) {
            // Outgoing-Call-Reply.
            Some(8) => {
                call.server_id = Some(field(octets, 12));
                call.heard = now;
                if !forgets {
                    set_field(octets, 14, call.client_id);
                }
            }
            // Incoming-Call-Connected, WAN-Error-Notify.
            Some(11 | 14) => set_field(octets, 12, call.client_id),
            // Call-Disconnect-Notify: the client's id replaces the server's, and the GRE stream is removed.
            Some(13) => {
                set_field(octets, 12, call.client_id);
                self.call = None;
            }
            // Set-Link-Info passes unchanged.
            _ => {}
        }
    }
}

/// The type of the control message at the beginning of these octets, if there is one.
fn control_type(octets: &[u8]) -> Option<u16> {
    let cookie = octets.get(4..8)? == MAGIC_COOKIE.to_be_bytes();
    let message = field(octets, 2) == CONTROL_MESSAGE;
    (octets.len() >= 16 && cookie && message).then(|| field(octets, 8))
}

fn field(octets: &[u8], at: usize) -> u16 {
    match octets.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

fn set_field(octets: &mut [u8], at: usize, value: u16) {
    if let Some(field) = octets.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
