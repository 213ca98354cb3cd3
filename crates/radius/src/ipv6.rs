//! IPv6 attributes of an Access-Accept (RFC 3162, 4818, 6911).

use core::net::Ipv6Addr;

use ipnet::Ipv6Net;

use crate::attribute::Attribute;
use crate::error::Result;
use crate::number::standard;

/// What the client gets for IPv6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipv6 {
    /// Framed-IPv6-Prefix.
    pub prefixes: Vec<Ipv6Net>,
    /// Framed-Interface-Id.
    pub interface_id: Option<[u8; 8]>,
    /// Framed-IPv6-Route, as text.
    pub routes: Vec<String>,
    /// Framed-IPv6-Pool.
    pub pool: Option<String>,
    /// Delegated-IPv6-Prefix.
    pub delegated: Vec<Ipv6Net>,
    /// Framed-IPv6-Address.
    pub addresses: Vec<Ipv6Addr>,
    /// DNS-Server-IPv6-Address.
    pub dns: Vec<Ipv6Addr>,
}

impl Ipv6 {
    /// Reads an attribute; others have no effect. A packet bounds how many there can be.
    pub(crate) fn read(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.number {
            standard::FRAMED_IPV6_PREFIX => self.prefixes.push(prefix(attribute)?),
            standard::DELEGATED_IPV6_PREFIX => self.delegated.push(prefix(attribute)?),
            standard::FRAMED_INTERFACE_ID => self.interface_id = Some(attribute.array("8 octets")?),
            standard::FRAMED_IPV6_ROUTE => self.routes.push(attribute.text()?.to_owned()),
            standard::FRAMED_IPV6_POOL => self.pool = Some(attribute.text()?.to_owned()),
            standard::FRAMED_IPV6_ADDRESS => self.addresses.push(attribute.ipv6()?),
            standard::DNS_SERVER_IPV6_ADDRESS => self.dns.push(attribute.ipv6()?),
            _ => {}
        }
        Ok(())
    }
}

/// A reserved octet, a prefix length and as many octets of the prefix as are not zero (RFC 3162 section 2.3).
fn prefix(attribute: &Attribute<'_>) -> Result<Ipv6Net> {
    let length_error = attribute.error("2 to 18 octets", attribute.value.len() as u64);
    let [_reserved, length, prefix @ ..] = attribute.value else { return Err(length_error) };
    let mut octets = [0; 16];
    octets.get_mut(..prefix.len()).ok_or(length_error)?.copy_from_slice(prefix);
    let too_long = attribute.error("a prefix length of 0 to 128", u64::from(*length));
    let net = Ipv6Net::new(Ipv6Addr::from(octets), *length).map_err(|_| too_long)?;
    if net.addr() == net.network() {
        Ok(net)
    } else {
        Err(attribute.error("no bits beyond the prefix length", u64::from(*length)))
    }
}
