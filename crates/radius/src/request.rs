//! Access-Request and Status-Server.

use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::builder::{Builder, Signing};
use crate::credentials::{self, Credentials};
use crate::error::{Error, Result};
use crate::number::{microsoft, standard, vendor};
use crate::packet::Code;
use crate::secret::SharedSecret;

/// Service-Type: a PPP session.
pub(crate) const FRAMED: u32 = 2;
/// Framed-Protocol.
pub(crate) const PPP: u32 = 1;
/// Tunnel-Type.
pub(crate) const PPTP: u32 = 1;
/// Tunnel-Medium-Type.
const IPV4: u32 = 1;
/// NAS-Port-Type.
const VIRTUAL: u32 = 5;

/// The server of this program, as RADIUS servers know it: the same in all requests. RFC 2865 section 4.1 requires an
/// address or an identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nas {
    /// NAS-IP-Address or NAS-IPv6-Address.
    pub address: Option<IpAddr>,
    /// NAS-Identifier; empty for none.
    pub identifier: String,
}

/// The call that a login belongs to. Empty texts are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// NAS-Port: a number that no other live session has.
    pub port: Option<u32>,
    /// NAS-Port-Id: the interface.
    pub port_id: String,
    /// The client's outer address.
    pub client: Option<Ipv4Addr>,
    /// The server's outer address, to which the client has connected.
    pub server: Option<Ipv4Addr>,
    /// Acct-Session-Id, the same as in accounting.
    pub session_id: String,
    /// Connect-Info.
    pub connect_info: String,
    /// Framed-IP-Address: the address that the client should get.
    pub address_hint: Option<Ipv4Addr>,
    /// Framed-MTU: with EAP the longest packet that fits.
    pub mtu: Option<u16>,
    /// MS-RAS-Client-Name, from LCP Identification.
    pub ras_name: String,
    /// MS-RAS-Client-Version, from LCP Identification.
    pub ras_version: String,
}

/// A login, in the form in which it is sent to any server.
#[derive(Clone, Debug)]
pub struct AccessRequest {
    /// User-Name, as sent by the client. Only with EAP it may be empty: it is then left out.
    pub user_name: Vec<u8>,
    /// What the client proves.
    pub credentials: Credentials,
    /// This server.
    pub nas: Arc<Nas>,
    /// The call.
    pub call: Call,
    /// State of the last Access-Challenge, in the login's next round.
    pub state: Option<Vec<u8>>,
}

impl AccessRequest {
    /// Writes the packet. The Message-Authenticator is the first attribute, so that an attacker on the path cannot
    /// choose what precedes it (CVE-2024-3596).
    ///
    /// # Errors
    /// If a value or the packet is too long, or the name is missing.
    pub fn to_packet(&self, id: u8, authenticator: [u8; 16], secret: &SharedSecret) -> Result<Vec<u8>> {
        let mut builder = Builder::new(Code::AccessRequest, id, authenticator);
        builder.message_authenticator();
        match (&self.credentials, self.user_name.as_slice()) {
            (Credentials::Eap(_), []) => {}
            // RFC 2865 section 5 forbids empty attributes.
            (Credentials::Proof(_), []) => return Err(Error::new("User-Name", 0, "at least 1 octet", 0)),
            (_, name) => {
                builder.octets(standard::USER_NAME, name);
            }
        }
        credentials::append(&self.credentials, &mut builder, &authenticator, secret)?;
        append_nas(&self.nas, &mut builder);
        builder
            .number(standard::SERVICE_TYPE, FRAMED)
            .number(standard::FRAMED_PROTOCOL, PPP)
            .number(standard::NAS_PORT_TYPE, VIRTUAL);
        append_call(&self.call, &mut builder);
        if let Some(state) = &self.state {
            builder.octets(standard::STATE, state);
        }
        builder.finish(Signing::Random, secret)
    }
}

/// Writes a Status-Server (RFC 5997).
///
/// # Errors
/// If the identifier is too long.
pub fn status_server(id: u8, authenticator: [u8; 16], nas: &Nas, secret: &SharedSecret) -> Result<Vec<u8>> {
    let mut builder = Builder::new(Code::StatusServer, id, authenticator);
    builder.message_authenticator();
    append_nas(nas, &mut builder);
    builder.finish(Signing::Random, secret)
}

fn append_nas(nas: &Nas, builder: &mut Builder) {
    match nas.address {
        Some(IpAddr::V4(address)) => {
            builder.ipv4(standard::NAS_IP_ADDRESS, address);
        }
        Some(IpAddr::V6(address)) => {
            builder.octets(standard::NAS_IPV6_ADDRESS, &address.octets());
        }
        None => {}
    }
    builder.text(standard::NAS_IDENTIFIER, &nas.identifier);
}

fn append_call(call: &Call, builder: &mut Builder) {
    let text = |address: Option<Ipv4Addr>| address.map(|address| address.to_string()).unwrap_or_default();
    let (client, server) = (text(call.client), text(call.server));
    if let Some(port) = call.port {
        builder.number(standard::NAS_PORT, port);
    }
    if let Some(address) = call.address_hint {
        builder.ipv4(standard::FRAMED_IP_ADDRESS, address);
    }
    if let Some(mtu) = call.mtu {
        builder.number(standard::FRAMED_MTU, u32::from(mtu));
    }
    builder
        .text(standard::NAS_PORT_ID, &call.port_id)
        .text(standard::CALLING_STATION_ID, &client)
        .text(standard::CALLED_STATION_ID, &server)
        // The tag in front of the number is zero: there is one tunnel.
        .number(standard::TUNNEL_TYPE, PPTP)
        .number(standard::TUNNEL_MEDIUM_TYPE, IPV4)
        .text(standard::TUNNEL_CLIENT_ENDPOINT, &client)
        .text(standard::TUNNEL_SERVER_ENDPOINT, &server)
        .text(standard::ACCT_SESSION_ID, &call.session_id)
        .text(standard::CONNECT_INFO, &call.connect_info);
    for (number, value) in [
        (microsoft::MS_RAS_CLIENT_NAME, &call.ras_name),
        (microsoft::MS_RAS_CLIENT_VERSION, &call.ras_version),
    ] {
        if !value.is_empty() {
            builder.vendor(vendor::MICROSOFT, number, value.as_bytes());
        }
    }
}
