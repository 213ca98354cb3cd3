//! The text of Framed-Route (RFC 2865 section 5.22).

use core::fmt;
use core::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// A network behind the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination, without bits beyond its length.
    pub prefix: Ipv4Net,
    /// The next hop; `None` for the client's own address, which is also written as 0.0.0.0.
    pub gateway: Option<Ipv4Addr>,
    /// The first metric.
    pub metric: Option<u32>,
}

/// What is wrong with a Framed-Route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// The destination is not an IPv4 address with or without a length from 0 to 32.
    Prefix,
    /// The destination has no length and its address belongs to no class that has one.
    Class,
    /// The gateway is not an IPv4 address.
    Gateway,
    /// A metric is not a number.
    Metric,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RouteError::Prefix => "expected a network such as 192.168.20.0/24",
            RouteError::Class => "the network has no prefix length: write it as ADDRESS/LENGTH",
            RouteError::Gateway => "the gateway is not an IPv4 address",
            RouteError::Metric => "a metric is not a number",
        })
    }
}

impl Route {
    /// Reads `prefix[/length] [gateway [metric ...]]`.
    ///
    /// # Errors
    /// The first part that is wrong.
    pub fn parse(text: &str) -> Result<Route, RouteError> {
        let mut words = text.split_ascii_whitespace();
        let prefix = prefix(words.next().unwrap_or_default())?;
        let gateway = match words.next() {
            Some(word) => word.parse().map_err(|_| RouteError::Gateway)?,
            None => Ipv4Addr::UNSPECIFIED,
        };
        let metrics: Result<Vec<u32>, _> = words.map(str::parse).collect();
        let metric = metrics.map_err(|_| RouteError::Metric)?.first().copied();
        Ok(Route { prefix, gateway: (!gateway.is_unspecified()).then_some(gateway), metric })
    }
}

fn prefix(word: &str) -> Result<Ipv4Net, RouteError> {
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (word, None),
    };
    let address: Ipv4Addr = address.parse().map_err(|_| RouteError::Prefix)?;
    let length = match length {
        Some(length) => length.parse().map_err(|_| RouteError::Prefix)?,
        None => class_length(address).ok_or(RouteError::Class)?,
    };
    Ipv4Net::new(address, length).map(|net| net.trunc()).map_err(|_| RouteError::Prefix)
}

/// The length that the class of an address implies.
fn class_length(address: Ipv4Addr) -> Option<u8> {
    match address.octets()[0] {
        0..=127 => Some(8),
        128..=191 => Some(16),
        192..=223 => Some(24),
        224..=255 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, Option<Ipv4Addr>, Option<u32>), RouteError> {
        Route::parse(text).map(|route| (route.prefix.to_string(), route.gateway, route.metric))
    }

    #[test]
    fn c211_every_form_of_a_route() {
        let gateway = Some(Ipv4Addr::new(10, 1, 1, 1));
        let ok = |prefix: &str, gateway, metric| Ok((prefix.to_owned(), gateway, metric));
        assert_eq!(parsed("192.168.20.0/24"), ok("192.168.20.0/24", None, None));
        assert_eq!(parsed("192.168.20.0/24 0.0.0.0 1"), ok("192.168.20.0/24", None, Some(1)));
        assert_eq!(parsed("192.168.1.0/24 10.1.1.1 1 2 -1"), Err(RouteError::Metric));
        assert_eq!(parsed(" 192.168.1.7/24  10.1.1.1 7 8"), ok("192.168.1.0/24", gateway, Some(7)));
        assert_eq!(parsed("10.0.0.0 10.1.1.1"), ok("10.0.0.0/8", gateway, None));
        assert_eq!(parsed("172.16.0.0"), ok("172.16.0.0/16", None, None));
        assert_eq!(parsed("192.168.7.0"), ok("192.168.7.0/24", None, None));
        assert_eq!(parsed("0.0.0.0/0"), ok("0.0.0.0/0", None, None));
    }

    #[test]
    fn c211_malformed_routes_are_errors() {
        for (text, error) in [
            ("", RouteError::Prefix),
            ("office", RouteError::Prefix),
            ("10.0.0.0/33", RouteError::Prefix),
            ("10.0.0.0/-1", RouteError::Prefix),
            ("10.0.0/8", RouteError::Prefix),
            ("224.0.0.1", RouteError::Class),
            ("10.0.0.0/8 gw", RouteError::Gateway),
            ("10.0.0.0/8 10.0.0.1 x", RouteError::Metric),
        ] {
            assert_eq!(parsed(text), Err(error), "{text:?}");
        }
    }
}
