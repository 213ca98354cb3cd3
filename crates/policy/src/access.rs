//! What one user may do: pool, reach, times, number of sessions.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_diag::LoginRefusal;
use ipnet::Ipv4Net;

/// Which traffic clients send into the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// Only traffic for the routes.
    Split,
    /// Everything: the client's default route goes through the server.
    All,
}

/// What happens to one call too many of the same user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSecond {
    /// The newer call wins; the oldest session ends.
    Replace,
    /// The older sessions stay; the new call is refused with A08.
    Refuse,
}

/// Whether MPPE must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// No call without it.
    Require,
    /// Used when the peer can.
    Allow,
    /// Never used.
    Off,
}

/// The effective rules of one user: the defaults, changed by the group, then by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Name of the pool that the address is taken from.
    pub pool: String,
    /// Split tunnel or all traffic.
    pub tunnel: Tunnel,
    /// Networks told to the client and allowed as destinations.
    pub routes: Vec<Ipv4Net>,
    /// A session without traffic ends after this; `None` is never.
    pub idle: Option<Duration>,
    /// The longest session; `None` is without end.
    pub max: Option<Duration>,
    /// Sessions at once.
    pub sessions: u32,
    /// What happens to one more.
    pub on_second: OnSecond,
    /// Networks the user may call from; empty is anywhere.
    pub from: Vec<Ipv4Net>,
    /// MPPE for this user.
    pub encryption: Encryption,
}

/// What to do with a user's new call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Let it in.
    Admit,
    /// Let it in and end these sessions, oldest first.
    Replace(Vec<u64>),
    /// Refuse it: the older sessions stay (A08).
    Refuse,
}

impl Access {
    /// Destinations that a client may send to, without duplicates; `None` is any. Our end of the tunnel is
    /// always among them, so that a client can test it.
    pub fn reach(&self, server: Ipv4Addr) -> Option<Vec<Ipv4Net>> {
        match self.tunnel {
            Tunnel::All => None,
            Tunnel::Split => {
                let mut nets = self.routes.clone();
                nets.push(Ipv4Net::from(server));
                Some(Ipv4Net::aggregate(&nets))
            }
        }
    }

    /// Whether the user may call from `address`. Error: A13.
    pub fn allows_from(&self, user: &str, address: Ipv4Addr) -> Result<(), LoginRefusal> {
        if self.from.is_empty() || self.from.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        Err(LoginRefusal::SourceAddress { user: user.to_owned(), from: address.into() })
    }

    /// Whether one more session of a user may start. `live` holds the ids of the sessions that are up or
    /// starting, oldest first.
    pub fn admit(&self, live: &[u64]) -> Admission {
        let limit = usize::try_from(self.sessions).unwrap_or(usize::MAX);
        if live.len() < limit {
            return Admission::Admit;
        }
        if self.on_second == OnSecond::Replace && limit > 0 {
            let too_many = live.len() + 1 - limit;
            return Admission::Replace(live.iter().copied().take(too_many).collect());
        }
        Admission::Refuse
    }
}

#[cfg(test)]
mod tests {
    use adit_diag::Code;

    use super::*;

    fn access() -> Access {
        Access {
            pool: "default".into(),
            tunnel: Tunnel::Split,
            routes: vec![net("192.168.10.0/25"), net("192.168.10.128/25")],
            idle: None,
            max: None,
            sessions: 2,
            on_second: OnSecond::Replace,
            from: vec![net("198.51.100.0/24")],
            encryption: Encryption::Require,
        }
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn reach_is_the_routes_and_our_own_end() {
        let server = Ipv4Addr::new(10, 99, 0, 1);
        assert_eq!(access().reach(server), Some(vec![net("10.99.0.1/32"), net("192.168.10.0/24")]));
        assert_eq!(Access { tunnel: Tunnel::All, ..access() }.reach(server), None);
        let nothing = Access { routes: vec![], ..access() };
        assert_eq!(nothing.reach(server), Some(vec![net("10.99.0.1/32")]), "no routes is not everything");
    }

    #[test]
    fn only_from_the_networks_given() {
        assert!(access().allows_from("al", Ipv4Addr::new(198, 51, 100, 7)).is_ok());
        let refused = access().allows_from("al", Ipv4Addr::new(203, 0, 113, 7)).unwrap_err();
        assert_eq!(refused.code(), Code::A13);
        let anywhere = Access { from: vec![], ..access() };
        assert!(anywhere.allows_from("al", Ipv4Addr::new(203, 0, 113, 7)).is_ok());
    }

    #[test]
    fn newer_call_wins_or_older() {
        assert_eq!(access().admit(&[4]), Admission::Admit);
        assert_eq!(access().admit(&[4, 9]), Admission::Replace(vec![4]));
        assert_eq!(access().admit(&[4, 9, 11]), Admission::Replace(vec![4, 9]), "after a lower limit");
        let strict = Access { on_second: OnSecond::Refuse, ..access() };
        assert_eq!(strict.admit(&[4, 9]), Admission::Refuse);
        let none = Access { sessions: 0, ..access() };
        assert_eq!(none.admit(&[]), Admission::Refuse);
    }
}
