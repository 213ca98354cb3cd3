//! What one user may do: pool, reach, times, number of sessions.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_diag::{FactorFault, LoginRefusal};
use ipnet::Ipv4Net;

use crate::pool::PoolConfig;
use crate::reach::{Acl, Keys, Rule, ServerReach};

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
    /// Networks sent to the client as routes; [`Target::Routes`](crate::reach::Target::Routes) of the rules.
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
    /// The second factor of this user.
    pub mfa: Mfa,
    /// MPPE for this user.
    pub encryption: Encryption,
    /// The rules for destinations behind the server; `None`: the routes are allowed, and nothing else.
    pub acl: Option<Vec<Rule>>,
    /// What may be reached on the server itself.
    pub server: ServerReach,
    /// Whether clients may reach each other.
    pub client_to_client: bool,
    /// The configuration keys that define what may be reached: those of the group where it has its own.
    pub keys: Keys,
}

/// What is required besides the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mfa {
    /// Nothing, unless the account has a second factor: its code follows the password in any case.
    None,
    /// A second factor: an account without one is refused.
    Append,
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
    /// The rules for destinations behind the server, compiled. `routes` in a rule are the routes, and the DNS and WINS servers
    /// of the pool: if clients cannot reach the servers that they were given, the tunnel looks broken to their users. With
    /// [`Tunnel::All`] `routes` are all destinations.
    pub fn compile(&self, pool: Option<&PoolConfig>) -> Acl {
        let routes = match self.tunnel {
            Tunnel::All => None,
            Tunnel::Split => {
                let servers = pool.into_iter().flat_map(|pool| pool.dns.iter().chain(&pool.wins));
                let all: Vec<_> =
                    self.routes.iter().copied().chain(servers.map(|s| Ipv4Net::from(*s))).collect();
                Some(Ipv4Net::aggregate(&all))
            }
        };
        Acl::new(self.acl.clone().unwrap_or_else(Rule::default_list), routes)
    }

    /// Whether the user may log in with or without an enrolled second factor. Error: A01.
    pub fn allows_factor(&self, user: &str, is_enrolled: bool) -> Result<(), LoginRefusal> {
        match self.mfa {
            Mfa::Append if !is_enrolled => {
                Err(LoginRefusal::SecondFactor { user: user.to_owned(), fault: FactorFault::NotEnrolled })
            }
            Mfa::Append | Mfa::None => Ok(()),
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
    use crate::reach::{Action, Part};

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
            mfa: Mfa::None,
            encryption: Encryption::Require,
            acl: None,
            server: ServerReach::nothing(),
            client_to_client: false,
            keys: Keys::default(),
        }
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn without_rules_the_routes_and_the_name_servers_are_allowed() {
        let pool = PoolConfig {
            dns: vec![Ipv4Addr::new(192, 168, 30, 5)],
            ..PoolConfig::new("default", net("10.99.0.0/24"))
        };
        let passes = |access: &Access, to: [u8; 4]| {
            let acl = access.compile(Some(&pool));
            acl.find(to.into(), 50, Part::NoPorts).and_then(|n| acl.rule(n)).map(|rule| rule.action)
        };
        let (allow, deny) = (Some(Action::Allow), Some(Action::Deny));
        assert_eq!(passes(&access(), [192, 168, 10, 200]), allow);
        assert_eq!(passes(&access(), [192, 168, 30, 5]), allow);
        assert_eq!(passes(&access(), [192, 168, 30, 6]), deny);
        assert_eq!(passes(&Access { tunnel: Tunnel::All, ..access() }, [8, 8, 8, 8]), allow);
        let nothing = Access { routes: vec![], ..access() };
        assert_eq!(passes(&nothing, [192, 168, 10, 200]), deny, "no routes is not everything");
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
