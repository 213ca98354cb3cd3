//! Options of a test.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Layer};
use adit_ppp::ccp::MppePolicy;

/// Options of a test.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name or address of the server.
    pub host: String,
    /// TCP port of the control connection.
    pub port: u16,
    /// The account to log in with; without one the test ends with LCP.
    pub account: Option<Account>,
    /// Targets that must be reachable through the tunnel.
    pub reach: Vec<Reach>,
    /// Local source address.
    pub from: Option<Ipv4Addr>,
    /// The last layer to test.
    pub last: Option<Layer>,
    /// Time limit of the whole test, without [`Options::idle`] and the shutdown.
    pub total: Duration,
    /// Stay idle in the tunnel for this long, then test whether it still works.
    pub idle: Option<Duration>,
    /// Largest packet inside the tunnel to negotiate, in bytes.
    pub mtu: u16,
}

/// Account and authentication parameters.
#[derive(Clone, Debug)]
pub struct Account {
    /// User name, with `DOMAIN\` in front where the server requires one.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Authentication methods to accept, preferred first.
    pub methods: Vec<AuthMethod>,
    /// Encryption.
    pub mppe: MppePolicy,
}

/// A target behind the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The target as given by the user.
    pub asked: String,
    /// The name or address.
    pub host: String,
    /// The TCP port; `None` to ping.
    pub port: Option<u16>,
}

impl Reach {
    /// Parses `NAME`, `ADDRESS`, `NAME:PORT` or `ADDRESS:PORT`; `None` if the port is not a number.
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
