//! From a host name to an open TCP connection: tries every address and distinguishes the causes of failure.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use adit_diag::Code;
use tokio::net::{TcpSocket, TcpStream};

use crate::failure::Failure;

/// Timeout of a connection to one address.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of name resolution.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The IPv4 addresses of a name, in the resolver's order, or the address itself. PPTP data is GRE over IPv4.
///
/// # Errors
/// N01 with the error of the resolver.
pub async fn resolve(server: &str, port: u16) -> Result<Vec<SocketAddrV4>, Failure> {
    if let Ok(address) = server.parse::<Ipv4Addr>() {
        return Ok(vec![SocketAddrV4::new(address, port)]);
    }
    if server.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(Failure::new(
            Code::N01,
            format!("{server} is IPv6, and PPTP carries its data over IPv4"),
        ));
    }
    let looked_up = tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((server, port))).await;
    let found: Vec<SocketAddr> = match looked_up {
        Err(_) => return Err(Failure::new(Code::N01, format!("no DNS answer for {server} in 10 s"))),
        Ok(Err(error)) => return Err(Failure::new(Code::N01, format!("{server} does not resolve: {error}"))),
        Ok(Ok(found)) => found.collect(),
    };
    let mut addresses: Vec<SocketAddrV4> = Vec::new();
    for address in &found {
        if let SocketAddr::V4(address) = address
            && !addresses.contains(address)
        {
            addresses.push(*address);
        }
    }
    if addresses.is_empty() {
        let detail = format!("{server} has {} IPv6 addresses and no IPv4 address", found.len());
        return Err(Failure::new(Code::N01, detail));
    }
    Ok(addresses)
}

/// Opens the control connection to one address.
///
/// # Errors
/// N02 without a route, C01 without an answer, C02 when refused.
pub async fn open(address: SocketAddrV4) -> Result<TcpStream, Failure> {
    let socket = TcpSocket::new_v4().map_err(|error| Failure::new(Code::S08, error.to_string()))?;
    let connecting = socket.connect(SocketAddr::V4(address));
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Err(_) => Err(Failure::new(Code::C01, format!("{address} did not answer in 10 s"))),
        Ok(Err(error)) => Err(refused(address, &error)),
        Ok(Ok(stream)) => {
            // Send one message per segment: NAT helpers parse only messages at the start of a segment.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
    }
}

fn refused(address: SocketAddrV4, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind as Kind;
    let code = match error.kind() {
        Kind::ConnectionRefused => Code::C02,
        Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::AddrNotAvailable => Code::N02,
        Kind::ConnectionReset | Kind::ConnectionAborted => Code::C03,
        Kind::PermissionDenied => Code::N02,
        _ => Code::C01,
    };
    Failure::new(code, format!("{address}: {error}"))
}
