//! DNS queries outside any tunnel: before a call, for the server's name; during a call, queries that should
//! have been sent inside.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::beginning::{Icmp, Upper};
use crate::dns::{Dns, PORT};
use crate::packet::{Network, Packet};

/// The most queries that are kept; the oldest are removed first.
pub const LOOKUPS_MAX: usize = 64;

/// One DNS query and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The name, escaped.
    pub name: String,
    /// The query type: 1 for A, 28 for AAAA.
    pub kind: u16,
    /// The client.
    pub by: IpAddr,
    /// The name server.
    pub server: IpAddr,
    /// How often the query was sent.
    pub times: u64,
    /// Frame and time of the first query.
    pub asked: (u64, Duration),
    /// The answer.
    pub answer: Option<LookupAnswer>,
    /// An ICMP error about a query: its frame and sender.
    pub unreachable: Option<(u64, IpAddr)>,
    id: u16,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupAnswer {
    /// Its frame.
    pub frame: u64,
    /// Its time.
    pub time: Duration,
    /// RCODE: 0 for success, 3 for NXDOMAIN.
    pub rcode: u8,
    /// The addresses in it.
    pub addresses: Vec<IpAddr>,
}

/// The latest queries, in the order of their first frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups(VecDeque<Lookup>);

impl Lookups {
    pub(super) fn take(&mut self, packet: &Packet, network: &Network, dns: &Dns) {
        let (asker, server) = if dns.is_response {
            (network.destination, network.source)
        } else {
            (network.source, network.destination)
        };
        let known = self.0.iter_mut().rev().find(|lookup| {
            (lookup.by, lookup.server) == (asker, server)
                && (lookup.kind, &lookup.name) == (dns.kind, &dns.name)
                && (lookup.id == dns.id || lookup.answer.is_none() && !dns.is_response)
        });
        match (known, dns.is_response) {
            (Some(lookup), false) => {
                lookup.times += 1;
                lookup.id = dns.id;
            }
            (Some(lookup), true) => {
                lookup.answer.get_or_insert_with(|| answer(packet, dns));
            }
            (None, is_response) => {
                if self.0.len() == LOOKUPS_MAX {
                    self.0.pop_front();
                }
                self.0.push_back(Lookup {
                    name: dns.name.clone(),
                    kind: dns.kind,
                    by: asker,
                    server,
                    times: u64::from(!is_response),
                    asked: (packet.number, packet.time),
                    answer: is_response.then(|| answer(packet, dns)),
                    unreachable: None,
                    id: dns.id,
                });
            }
        }
    }

    /// Records an ICMP error about a query.
    pub(super) fn icmp(&mut self, packet: &Packet, network: &Network, icmp: &Icmp) {
        let Some(quoted) = &icmp.quoted else { return };
        if let Upper::Udp { destination: PORT, .. } = quoted.upper {
            let ends = (quoted.source, quoted.destination);
            for lookup in self.0.iter_mut().filter(|lookup| (lookup.by, lookup.server) == ends) {
                lookup.unreachable.get_or_insert((packet.number, network.source));
            }
        }
    }

    /// All queries that are kept.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Lookup> {
        self.0.iter()
    }
}

fn answer(packet: &Packet, dns: &Dns) -> LookupAnswer {
    let (frame, time) = (packet.number, packet.time);
    LookupAnswer { frame, time, rcode: dns.rcode, addresses: dns.addresses().collect() }
}
