//! Client for systemd-resolved over D-Bus (org.freedesktop.resolve1(5)).

use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::DynamicType;

use super::Dns;
use crate::error::{Error, Kind, Result};

const SERVICE: &str = "org.freedesktop.resolve1";
const PATH: &str = "/org/freedesktop/resolve1";
const MANAGER: &str = "org.freedesktop.resolve1.Manager";
/// A resolver that takes longer counts as not running.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether it runs, or can be started by the call.
pub(super) fn answers(bus: Option<&str>) -> bool {
    exchange(bus, "query systemd-resolved", async |connection| {
        let property = (MANAGER, "DNSStubListener");
        call(connection, "org.freedesktop.DBus.Properties", "Get", &property).await
    })
    .is_ok()
}

/// Sets the name servers and domains of an interface.
pub(crate) fn set_link(bus: Option<&str>, index: u32, dns: &Dns) -> Result<()> {
    let index = number(index)?;
    let servers: Vec<(i32, Vec<u8>)> = dns.servers.iter().map(server).collect();
    let all = dns.domains.is_empty();
    // "." matches all names; true: it only routes queries, and is not appended to short names.
    let domains: Vec<(&str, bool)> =
        if all { vec![(".", true)] } else { dns.domains.iter().map(|d| (d.as_str(), false)).collect() };
    exchange(bus, "give systemd-resolved the tunnel's name servers", async |connection| {
        let whole = async {
            call(connection, MANAGER, "SetLinkDNS", &(index, &servers)).await?;
            call(connection, MANAGER, "SetLinkDomains", &(index, &domains)).await?;
            call(connection, MANAGER, "SetLinkDefaultRoute", &(index, all)).await
        };
        let result = whole.await;
        if result.is_err() {
            // A partial configuration would be worse than none.
            let _ = call(connection, MANAGER, "RevertLink", &(index,)).await;
        }
        result
    })
}

/// Reverts the settings of an interface.
pub(crate) fn revert_link(bus: Option<&str>, index: u32) -> Result<()> {
    let index = number(index)?;
    exchange(bus, "take the tunnel's name servers back from systemd-resolved", async |connection| {
        call(connection, MANAGER, "RevertLink", &(index,)).await
    })
}

async fn call<B>(connection: &Connection, interface: &str, method: &str, body: &B) -> zbus::Result<()>
where
    B: Serialize + DynamicType,
{
    connection.call_method(Some(SERVICE), PATH, Some(interface), method, body).await.map(drop)
}

/// Runs calls on a separate bus connection, in a separate thread, so that it works inside and outside any
/// runtime.
fn exchange<F>(bus: Option<&str>, tried: &str, talk: F) -> Result<()>
where
    F: AsyncFnOnce(&Connection) -> zbus::Result<()> + Send,
{
    let alone = || -> zbus::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let builder = match bus {
                Some(address) => Builder::address(address),
                None => Builder::system(),
            };
            let whole = async {
                let connection = builder.build().await?;
                talk(&connection).await
            };
            match tokio::time::timeout(PATIENCE, whole).await {
                Ok(result) => result,
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        })
    };
    let result = thread::scope(|scope| scope.spawn(alone).join());
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(explain(tried, &e)),
        Err(_) => Err(Error::new(Kind::Other, format!("cannot {tried}"), "the thread ended unexpectedly")),
    }
}

fn explain(tried: &str, e: &zbus::Error) -> Error {
    let (kind, answer) = match e {
        zbus::Error::MethodError(name, text, _) => {
            let kind = match name.as_str() {
                "org.freedesktop.resolve1.NoSuchLink" => Kind::NotFound,
                "org.freedesktop.resolve1.LinkBusy" => Kind::Busy,
                "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" => Kind::NotPermitted,
                _ => Kind::Other,
            };
            (kind, text.clone().unwrap_or_else(|| name.to_string()))
        }
        zbus::Error::FDO(error) => match error.as_ref() {
            zbus::fdo::Error::AccessDenied(text) | zbus::fdo::Error::AuthFailed(text) => {
                (Kind::NotPermitted, text.clone())
            }
            other => (Kind::Other, other.to_string()),
        },
        other => (Kind::Other, other.to_string()),
    };
    let error = Error::new(kind, format!("cannot {tried}"), answer);
    match kind {
        Kind::NotPermitted => {
            error.with_fix("run as root, or allow it in polkit (org.freedesktop.resolve1.set-dns-servers)")
        }
        Kind::Busy => {
            error.with_fix("systemd-networkd manages this interface: configure the name servers there")
        }
        _ => error.with_fix("see `systemctl status systemd-resolved`"),
    }
}

fn number(index: u32) -> Result<i32> {
    i32::try_from(index).map_err(|_| {
        Error::new(
            Kind::Other,
            format!("cannot pass interface {index} to systemd-resolved"),
            "number too large",
        )
    })
}

/// The address family and octets of an address.
fn server(address: &IpAddr) -> (i32, Vec<u8>) {
    match address {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    }
}
