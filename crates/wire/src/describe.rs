//! The contents of a PPP frame as text.

use crate::{ccp, chap, cp, ipcp, ipv6cp, lcp, pap, ppp};

/// Formats the information field of a control protocol's frame in one line: bounded, without secrets.
pub fn information(number: u16, information: &[u8]) -> String {
    let packet = match cp::Packet::parse(ppp::protocol(number), information) {
        Ok(packet) => packet,
        Err(error) => return format!("malformed: {error}"),
    };
    match number {
        ppp::LCP => lcp::describe(&packet).to_string(),
        ppp::PAP => pap::describe(&packet).to_string(),
        ppp::CHAP => chap::describe(&packet).to_string(),
        ppp::CCP => ccp::describe(&packet).to_string(),
        ppp::IPCP => ipcp::describe(&packet).to_string(),
        ppp::IPV6CP => ipv6cp::describe(&packet).to_string(),
        _ => format!("{}, {} octets", ppp::ProtocolNumber(number), information.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_packets_are_described_without_secrets() {
        assert_eq!(information(ppp::LCP, &[1, 7, 0, 8, 1, 4, 5, 0x78]), "Configure-Request id 7: mru 1400");
        let line = information(ppp::PAP, b"\x01\x01\x00\x10\x03bob\x07secret!");
        assert!(line.contains("bob") && !line.contains("secret"), "{line}");
        assert!(information(ppp::CCP, &[1, 7, 0]).starts_with("malformed: CCP"));
        assert_eq!(information(ppp::CBCP, &[1, 7, 0, 4]), "CBCP (callback), 4 octets");
    }
}
