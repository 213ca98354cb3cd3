//! DHCPINFORM (RFC 2131 section 4.4.3): requests the routes that the server hands out, as Windows clients do in a
//! tunnel.

use std::net::Ipv4Addr;

use adit_wire::dhcp::{ACK, INFORM, option};

const FIXED: usize = 236;
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
const REPLY: u8 = 2;
/// Routes of one answer, at most.
const ROUTES_MAX: usize = 64;

/// The message of the host `local`.
pub(crate) fn inform(id: u32, local: Ipv4Addr) -> Vec<u8> {
    let mut octets = vec![0; FIXED];
    octets[..3].copy_from_slice(&[1, 8, 0]);
    octets[4..8].copy_from_slice(&id.to_be_bytes());
    octets[12..16].copy_from_slice(&local.octets());
    octets.extend_from_slice(&COOKIE);
    octets.extend_from_slice(&[option::MESSAGE_TYPE, 1, INFORM]);
    octets.extend_from_slice(&[option::PARAMETERS, 4, option::DNS, option::DOMAIN, option::ROUTES]);
    octets.extend_from_slice(&[option::ROUTES_MICROSOFT, option::END]);
    octets
}

/// The networks in the answer to message `id`; `None` when it is none.
pub(crate) fn routes(id: u32, octets: &[u8]) -> Option<Vec<(Ipv4Addr, u8)>> {
    let is_answer = octets.first() == Some(&REPLY)
        && octets.get(4..8) == Some(&id.to_be_bytes())
        && octets.get(FIXED..FIXED + 4) == Some(&COOKIE);
    let mut rest = octets.get(FIXED + 4..).filter(|_| is_answer)?;
    let (mut is_ack, mut found) = (false, Vec::new());
    while let Some((kind, after)) = rest.split_first() {
        match *kind {
            option::PAD => rest = after,
            option::END => break,
            kind => {
                let (len, after) = after.split_first()?;
                let (value, after) = after.split_at_checked(usize::from(*len))?;
                rest = after;
                match kind {
                    option::MESSAGE_TYPE => is_ack = value == [ACK],
                    option::ROUTES | option::ROUTES_MICROSOFT if found.is_empty() => found = list(value),
                    _ => {}
                }
            }
        }
    }
    is_ack.then_some(found)
}

/// RFC 3442: prefix length, as many octets of the network as it needs, router.
fn list(mut octets: &[u8]) -> Vec<(Ipv4Addr, u8)> {
    let mut found = Vec::new();
    while let Some((prefix, after)) = octets.split_first().filter(|(prefix, _)| **prefix <= 32) {
        let Some((network, after)) = after.split_at_checked(usize::from(prefix.div_ceil(8))) else { break };
        let Some((_router, after)) = after.split_first_chunk::<4>() else { break };
        let mut address = [0; 4];
        address.iter_mut().zip(network).for_each(|(to, from)| *to = *from);
        if found.len() < ROUTES_MAX {
            found.push((Ipv4Addr::from(address), *prefix));
        }
        octets = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use adit_wire::dhcp::{Ack, Inform, Route};

    const US: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);

    #[test]
    fn the_request_can_be_parsed_and_the_answer_is_read() {
        let octets = inform(7, US);
        let read = Inform::parse(&octets).unwrap();
        let route = |network: [u8; 4], prefix| Route {
            network: network.into(),
            prefix,
            gateway: Ipv4Addr::UNSPECIFIED,
        };
        let ack = Ack {
            server: Some(Ipv4Addr::new(10, 99, 0, 1)),
            dns: vec![],
            domain: String::new(),
            wins: vec![],
            routes: vec![route([192, 168, 10, 0], 24), route([10, 0, 0, 0], 8)],
        };
        let answer = ack.emit(&read);
        let expected = vec![(Ipv4Addr::new(192, 168, 10, 0), 24), (Ipv4Addr::new(10, 0, 0, 0), 8)];
        assert_eq!(routes(7, &answer), Some(expected));
        assert_eq!(routes(8, &answer), None, "the answer to another question");
        for cut in 0..answer.len() {
            let _ = routes(7, &answer[..cut]);
        }
    }
}
