//! What to test.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Layer};
use adit_ppp::ccp::MppePolicy;

/// A test.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name or address of the server.
    pub host: String,
    /// TCP port of the control connection.
    pub port: u16,
    /// Who logs in; without it the test ends with LCP.
    pub account: Option<Account>,
    /// What must be reachable through the tunnel.
    pub reach: Vec<Reach>,
    /// Leave from this address of this host.
    pub from: Option<Ipv4Addr>,
    /// Go no further than this layer.
    pub last: Option<Layer>,
    /// The whole test takes no longer, but for [`Options::idle`] and the good-bye.
    pub total: Duration,
    /// Stay silent in the tunnel for so long, then see whether it still works.
    pub idle: Option<Duration>,
    /// The largest packet inside the tunnel to ask for, in octets.
    pub mtu: u16,
}

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name, with `DOMAIN\` in front where the server wants one.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Methods to agree to, the preferred first.
    pub methods: Vec<AuthMethod>,
    /// Encryption.
    pub mppe: MppePolicy,
}

/// A target inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// As it was written.
    pub asked: String,
    /// The name or address.
    pub host: String,
    /// The TCP port; `None` to ping.
    pub port: Option<u16>,
}

impl Reach {
    /// Reads `NAME`, `ADDRESS`, `NAME:PORT` or `ADDRESS:PORT`; `None` when the port is no number.
    pub fn parse(text: &str) -> Option<Reach> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (text, None),
        };
        let is_host = !host.is_empty() && !host.contains([':', '/', ' ']);
        is_host.then(|| Reach { asked: text.to_owned(), host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let read = |text| Reach::parse(text).map(|reach| (reach.host, reach.port));
        assert_eq!(read("192.168.10.20:443"), Some(("192.168.10.20".to_owned(), Some(443))));
        assert_eq!(read("intranet"), Some(("intranet".to_owned(), None)));
        for wrong in ["", ":443", "a:b", "a:0", "a:70000", "fe80::1", "http://x", "a b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
