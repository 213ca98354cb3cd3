//! DHCPINFORM inside the tunnel, with which a Windows client learns its DNS domain and the routes of a split
//! tunnel.

use std::net::Ipv4Addr;

use adit_diag::Note;
use adit_policy::{Access, PoolConfig, Tunnel};
use adit_tunnel::events::Up;
use adit_wire::dhcp::{self, Ack, Inform, Route};
use adit_wire::{ipv4, udp};

use super::handles::Now;
use super::machine::Machine;
use super::state::State;
use crate::convert;

/// Builds the IPv4 packet that answers the IPv4 packet `packet`.
///
/// # Errors
/// If the packet is not a DHCPINFORM: what it is instead.
fn answer(packet: &[u8], up: &Up, pool: &PoolConfig, access: &Access) -> Result<Vec<u8>, adit_wire::Error> {
    let outer = ipv4::Packet::new_checked(packet)?;
    let datagram = udp::Packet::new_checked(outer.payload())?;
    let inform = Inform::parse(datagram.payload())?;
    let routes = match access.tunnel {
        Tunnel::All => Vec::new(),
        Tunnel::Split => access.routes.clone(),
    };
    let ack = Ack {
        server: Some(up.local),
        dns: pool.dns.clone(),
        domain: pool.domain.clone().unwrap_or_default(),
        wins: pool.wins.clone(),
        routes: routes
            .iter()
            .map(|net| Route {
                network: net.network(),
                prefix: net.prefix_len(),
                gateway: Ipv4Addr::UNSPECIFIED,
            })
            .collect(),
    };
    Ok(udp::datagram_v4((up.local, dhcp::SERVER_PORT), (up.peer, dhcp::CLIENT_PORT), &ack.emit(&inform)))
}

impl Machine {
    /// Answers a DHCPINFORM of a client whose call is up.
    pub(super) fn answer_dhcp(&mut self, now: Now, packet: &[u8]) {
        let State::Up(state) = &self.state else { return };
        let known = self.session.known();
        let Some(up) = known.up.as_ref() else { return };
        let access = self.config.access_for(known.group.as_deref());
        let Some(pool) = convert::pool(&self.config, access) else { return };
        let answer = answer(packet, up, pool, access);
        drop(known);
        match answer {
            Ok(reply) => {
                self.handles.path.send_ip(state.call.id, reply);
                self.note(now, &Note::DhcpAnswered);
            }
            Err(error) => self.note(now, &Note::DhcpFailed { error: error.to_string().into() }),
        }
    }
}
