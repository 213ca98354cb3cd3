//! Access-Accept.

use core::net::Ipv4Addr;

use crate::attribute::Attribute;
use crate::error::Result;
use crate::ipv6::Ipv6;
use crate::mppe::Mppe;
use crate::mschap::{domain, success};
use crate::number::{microsoft, standard, vendor};
use crate::packet::Packet;
use crate::request::{FRAMED, PPP, PPTP};
use crate::route::{Route, RouteError};
use crate::secret::SharedSecret;
use crate::vendors::VendorAttributes;

/// Framed-IP-Address (RFC 2865 section 5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramedAddress {
    /// 255.255.255.255: the client may choose.
    ClientChooses,
    /// 255.255.255.254: an address of a pool.
    FromPool,
    /// This address.
    Fixed(Ipv4Addr),
}

/// Which header compression the client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Framed-Compression 0.
    None,
    /// Framed-Compression 1: Van Jacobson.
    VanJacobson,
    /// Another number.
    Other(u32),
}

/// The contents of an Access-Accept. Attributes that are not named here are ignored (RFC 2865 section 5).
#[derive(Clone, Debug, Default)]
pub struct Accept {
    /// User-Name: the name to use from now on.
    pub user_name: Option<Vec<u8>>,
    /// Framed-IP-Address.
    pub address: Option<FramedAddress>,
    /// Framed-IP-Netmask, which has no meaning on a point-to-point link.
    pub netmask: Option<Ipv4Addr>,
    /// Framed-Pool.
    pub pool: Option<String>,
    /// Framed-Route, in order.
    pub routes: Vec<Route>,
    /// Framed-Route that cannot be read, with the reason: to be reported and otherwise ignored.
    pub bad_routes: Vec<(String, RouteError)>,
    /// IPv6.
    pub ipv6: Ipv6,
    /// Filter-Id, in order.
    pub filters: Vec<String>,
    /// NAS-Filter-Rule, joined (RFC 4849).
    pub filter_rules: Vec<u8>,
    /// Session-Timeout in seconds; 0 is none.
    pub session_timeout: Option<u32>,
    /// Idle-Timeout in seconds; 0 is none.
    pub idle_timeout: Option<u32>,
    /// Acct-Interim-Interval in seconds, at least 60.
    pub interim_interval: Option<u32>,
    /// Termination-Action.
    pub termination_action: Option<u32>,
    /// Class, in order, to be copied to accounting unchanged.
    pub class: Vec<Vec<u8>>,
    /// State, with Termination-Action 1.
    pub state: Option<Vec<u8>>,
    /// Reply-Message, joined with line feeds.
    pub reply_message: String,
    /// Port-Limit: sessions that the user may have at once.
    pub port_limit: Option<u32>,
    /// Framed-MTU, 64 to 65535.
    pub mtu: Option<u16>,
    /// Framed-Compression.
    pub compression: Option<Compression>,
    /// DNS servers, at most two.
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers, at most two.
    pub wins: Vec<Ipv4Addr>,
    /// MPPE.
    pub mppe: Mppe,
    /// MS-CHAP2-Success: the server's proof.
    pub mschap2_success: Option<[u8; 20]>,
    /// MS-CHAP-Domain.
    pub domain: Option<String>,
    /// EAP-Message, joined.
    pub eap: Vec<u8>,
    /// Vendors' limits.
    pub vendors: VendorAttributes,
}

/// The least Acct-Interim-Interval (RFC 2869 section 5.16).
const MIN_INTERIM: u32 = 60;

impl Accept {
    /// Reads the attributes of an authenticated Access-Accept.
    ///
    /// # Errors
    /// If the value of an attribute is wrong, or if the service is not PPP over PPTP: such an Accept must not open a
    /// session (RFC 2865 section 5 and 5.6).
    pub fn read(
        packet: &Packet<'_>,
        request_authenticator: &[u8; 16],
        secret: &SharedSecret,
    ) -> Result<Accept> {
        let mut accept = Accept::default();
        for attribute in packet.flattened() {
            match attribute.vendor {
                None => accept.read_standard(&attribute)?,
                Some(vendor::MICROSOFT) => {
                    if !accept.mppe.read(&attribute, request_authenticator, secret)? {
                        accept.read_microsoft(&attribute)?;
                    }
                }
                Some(_) => accept.vendors.read(&attribute)?,
            }
        }
        Ok(accept)
    }

    fn read_standard(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.number {
            standard::SERVICE_TYPE => expect(attribute, attribute.number()?, FRAMED, "2 (Framed)")?,
            standard::FRAMED_PROTOCOL => expect(attribute, attribute.number()?, PPP, "1 (PPP)")?,
            standard::TUNNEL_TYPE => expect(attribute, attribute.tagged_number()?, PPTP, "1 (PPTP)")?,
            standard::USER_NAME => self.user_name = Some(attribute.value.to_vec()),
            standard::CLASS => self.class.push(attribute.value.to_vec()),
            standard::STATE => self.state = Some(attribute.value.to_vec()),
            standard::EAP_MESSAGE => self.eap.extend_from_slice(attribute.value),
            standard::REPLY_MESSAGE => append_message(&mut self.reply_message, attribute),
            standard::FILTER_ID => self.filters.push(attribute.text()?.to_owned()),
            standard::NAS_FILTER_RULE => self.filter_rules.extend_from_slice(attribute.value),
            standard::SESSION_TIMEOUT => self.session_timeout = Some(attribute.number()?),
            standard::IDLE_TIMEOUT => self.idle_timeout = Some(attribute.number()?),
            standard::TERMINATION_ACTION => self.termination_action = Some(attribute.number()?),
            standard::PORT_LIMIT => self.port_limit = Some(attribute.number()?),
            standard::ACCT_INTERIM_INTERVAL => {
                self.interim_interval = Some(attribute.number()?.max(MIN_INTERIM));
            }
            _ => self.read_link(attribute)?,
        }
        Ok(())
    }

    /// Reads the attributes of addresses and of the link.
    fn read_link(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.number {
            standard::FRAMED_IP_ADDRESS => self.address = Some(framed_address(attribute)?),
            standard::FRAMED_IP_NETMASK => self.netmask = Some(attribute.ipv4()?),
            standard::FRAMED_POOL => self.pool = Some(attribute.text()?.to_owned()),
            standard::FRAMED_ROUTE => {
                let text = attribute.text()?;
                match Route::parse(text) {
                    Ok(route) => self.routes.push(route),
                    Err(error) => self.bad_routes.push((text.to_owned(), error)),
                }
            }
            standard::FRAMED_MTU => {
                let found = attribute.number()?;
                let mtu = u16::try_from(found).ok().filter(|mtu| *mtu >= 64);
                self.mtu = Some(mtu.ok_or(attribute.error("64 to 65535", u64::from(found)))?);
            }
            standard::FRAMED_COMPRESSION => {
                self.compression = Some(match attribute.number()? {
                    0 => Compression::None,
                    1 => Compression::VanJacobson,
                    other => Compression::Other(other),
                });
            }
            _ => self.ipv6.read(attribute)?,
        }
        Ok(())
    }

    fn read_microsoft(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.number {
            microsoft::MS_CHAP2_SUCCESS => self.mschap2_success = Some(success(attribute)?),
            microsoft::MS_CHAP_DOMAIN => self.domain = Some(domain(attribute)?),
            microsoft::MS_PRIMARY_DNS_SERVER => self.dns.insert(0, attribute.ipv4()?),
            microsoft::MS_SECONDARY_DNS_SERVER => self.dns.push(attribute.ipv4()?),
            microsoft::MS_PRIMARY_NBNS_SERVER => self.wins.insert(0, attribute.ipv4()?),
            microsoft::MS_SECONDARY_NBNS_SERVER => self.wins.push(attribute.ipv4()?),
            _ => {}
        }
        self.dns.truncate(2);
        self.wins.truncate(2);
        Ok(())
    }
}

fn expect(attribute: &Attribute<'_>, found: u32, expected: u32, text: &'static str) -> Result<()> {
    if found == expected { Ok(()) } else { Err(attribute.error(text, u64::from(found))) }
}

fn framed_address(attribute: &Attribute<'_>) -> Result<FramedAddress> {
    let address = attribute.ipv4()?;
    match u32::from(address) {
        u32::MAX => Ok(FramedAddress::ClientChooses),
        0xffff_fffe => Ok(FramedAddress::FromPool),
        number => {
            let is_usable = !(address.is_unspecified() || address.is_loopback() || address.is_multicast());
            is_usable
                .then_some(FramedAddress::Fixed(address))
                .ok_or(attribute.error("an address of a host", u64::from(number)))
        }
    }
}

/// Appends a Reply-Message. Octets that are not UTF-8 are replaced: the text is only shown.
pub(crate) fn append_message(message: &mut String, attribute: &Attribute<'_>) {
    if !message.is_empty() {
        message.push('\n');
    }
    message.push_str(&String::from_utf8_lossy(attribute.value));
}
