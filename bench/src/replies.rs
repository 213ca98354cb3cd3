//! Which packets and frames are replies to what is sent through a tunnel.

use adit_wire::{cp, ipv4, ppp, udp};

use crate::plan::Load;

/// The port that DHCP servers send from.
const DHCP_SERVER: u16 = 67;

/// Whether an IP packet is a reply to this load; those to pings are compared with their request elsewhere.
pub(crate) fn is_packet(load: Load, packet: &[u8]) -> bool {
    let is_dhcp = || {
        let packet = ipv4::Packet::new_checked(packet).ok()?;
        let datagram = udp::Packet::new_checked(packet.payload()).ok()?;
        Some(packet.protocol() == ipv4::UDP && datagram.src_port() == DHCP_SERVER)
    };
    load == Load::DhcpInform && is_dhcp().unwrap_or(false)
}

/// Whether a PPP frame is a reply to this load.
pub(crate) fn is_frame(load: Load, frame: &[u8]) -> bool {
    let Ok((ppp::LCP, information)) = ppp::frame(frame) else { return false };
    match (load, information.first().copied()) {
        (Load::LcpEcho, Some(code)) => code == cp::ECHO_REPLY,
        (Load::LcpConfigure, Some(code)) => {
            matches!(code, cp::CONFIGURE_ACK | cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reply_to_what_was_sent_counts() {
        let echo = cp::frame(ppp::LCP, cp::ECHO_REPLY, 1, &[0; 4]);
        let ack = cp::frame(ppp::LCP, cp::CONFIGURE_ACK, 1, &[]);
        let ipcp = cp::frame(ppp::IPCP, cp::CONFIGURE_ACK, 1, &[]);
        assert!(is_frame(Load::LcpEcho, &echo) && !is_frame(Load::LcpEcho, &ack));
        assert!(is_frame(Load::LcpConfigure, &ack) && !is_frame(Load::LcpConfigure, &echo));
        assert!(!is_frame(Load::LcpConfigure, &ipcp) && !is_frame(Load::Ping, &echo));
        let (server, client) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let reply = udp::datagram_v4((server, 67), (client, 68), &[0; 8]);
        let other = udp::datagram_v4((server, 53), (client, 68), &[0; 8]);
        assert!(is_packet(Load::DhcpInform, &reply) && !is_packet(Load::DhcpInform, &other));
        assert!(!is_packet(Load::LcpEcho, &reply) && !is_packet(Load::DhcpInform, &reply[..10]));
    }
}
