//! The DHCPACK.

use std::net::Ipv4Addr;

use super::{ACK, FIXED, Inform, MAGIC, option};

/// Octets of IPv4 and UDP headers, which count towards the largest message.
const HEADERS: usize = 28;

/// A classless static route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Network.
    pub network: Ipv4Addr,
    /// Prefix length, 0 to 32.
    pub prefix: u8,
    /// Next hop; 0.0.0.0 for "on this link".
    pub gateway: Ipv4Addr,
}

/// The parameters for a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// The address of the server.
    pub server: Option<Ipv4Addr>,
    /// Name servers.
    pub dns: Vec<Ipv4Addr>,
    /// Domain name in ASCII; empty for none.
    pub domain: String,
    /// NetBIOS name servers.
    pub wins: Vec<Ipv4Addr>,
    /// Routes through the tunnel.
    pub routes: Vec<Route>,
}

impl Ack {
    /// Builds the UDP payload that answers `inform`. It assigns no address and no lease time (RFC 2131
    /// section 4.3.5), contains only requested options, and is no larger than the client accepts: options
    /// that do not fit are left out, routes first.
    pub fn emit(&self, inform: &Inform) -> Vec<u8> {
        let mut out = vec![0; FIXED];
        let (kind, len, chaddr) = inform.hardware;
        out[..3].copy_from_slice(&[2, kind, len]);
        out[4..8].copy_from_slice(&inform.xid.to_be_bytes());
        out[10..12].copy_from_slice(&inform.flags.to_be_bytes());
        out[12..16].copy_from_slice(&inform.ciaddr.octets());
        out[24..28].copy_from_slice(&inform.giaddr.octets());
        out[28..44].copy_from_slice(&chaddr);
        out[FIXED - 4..].copy_from_slice(&MAGIC);

        let capacity = usize::from(inform.max_size).saturating_sub(HEADERS + 1);
        let mut put = |code, value: &[u8]| {
            let chunks = value.len().div_ceil(255);
            let always = code == option::MESSAGE_TYPE || code == option::SERVER;
            if value.is_empty()
                || !(always || inform.wants(code))
                || out.len() + value.len() + 2 * chunks > capacity
            {
                return;
            }
            // A value of more than 255 octets continues in another option with the same code (RFC 3396).
            for chunk in value.chunks(255) {
                out.extend_from_slice(&[code, chunk.len() as u8]);
                out.extend_from_slice(chunk);
            }
        };
        put(option::MESSAGE_TYPE, &[ACK]);
        put(option::SERVER, &self.server.map(|server| server.octets()).as_slice().concat());
        put(option::SUBNET_MASK, &[255; 4]);
        put(option::DNS, &addresses(&self.dns));
        put(option::DOMAIN, self.domain.as_bytes());
        put(option::WINS, &addresses(&self.wins));
        let routes = self.routes();
        put(option::ROUTES, &routes);
        put(option::ROUTES_MICROSOFT, &routes);
        out.push(option::END);
        out
    }

    /// The routes as in RFC 3442: prefix length, the significant octets of the network, next hop.
    fn routes(&self) -> Vec<u8> {
        let mut value = Vec::new();
        for route in &self.routes {
            let prefix = route.prefix.min(32);
            value.push(prefix);
            value.extend_from_slice(&route.network.octets()[..usize::from(prefix).div_ceil(8)]);
            value.extend_from_slice(&route.gateway.octets());
        }
        value
    }
}

fn addresses(list: &[Ipv4Addr]) -> Vec<u8> {
    list.iter().flat_map(|address| address.octets()).collect()
}
