//! A server with two hosts beside it: one of users, one of attackers, each with many addresses.

use std::net::{Ipv4Addr, SocketAddrV4};

use adit_bench::{Plan, Report};
use adit_testbed::{Host, wire};

use crate::common::*;

/// The address of the victim's user.
pub(crate) const HOME: Ipv4Addr = Ipv4Addr::new(198, 19, 250, 7);

/// A server, its users and its attackers.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) users: Host,
    pub(crate) attackers: Host,
}

/// An address of an attacker, each in a /24 network of its own.
pub(crate) fn attacker(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, n, 7)
}

/// The address of a user, each in a /24 network of its own.
pub(crate) fn user(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 19, n, 7)
}

impl World {
    /// Starts a server with the usual limits and these accounts, for so many attackers and users.
    pub(crate) fn new(accounts: &[&str], attackers: u8, users: u8) -> World {
        let host = Host::new("server");
        let side = |name: &str, interface: &str, net: u8| {
            let other = Host::new(name);
            let address = |last: u8| format!("192.0.{net}.{last}/24");
            wire((&other, "eth0", &address(2)), (&host, interface, &address(1)));
            other.ip(&format!("route add default via 192.0.{net}.1"));
            other
        };
        let (bad, good) = (side("attackers", "eth1", 2), side("users", "eth2", 3));
        host.ip("address add 203.0.113.10/32 dev eth1");
        host.ip("route add 198.18.0.0/16 via 192.0.2.2");
        host.ip("route add 198.19.0.0/16 via 192.0.3.2");
        let add = |host: &Host, address: Ipv4Addr| drop(host.ip(&format!("address add {address}/32 dev lo")));
        (0..attackers).for_each(|n| add(&bad, attacker(n)));
        (0..users).for_each(|n| add(&good, user(n)));
        add(&good, HOME);
        let config = CONFIG.replace("calls_per_minute_per_address = 0\n", "");
        World { server: Server::start(host, &config, accounts), users: good, attackers: bad }
    }

    /// The lockout in `adit status`.
    pub(crate) fn lockout(&self) -> adit_api::status::LockoutStatus {
        self.server.status().lockout
    }

    /// Whether a login of an account succeeds from an address of the users.
    #[track_caller]
    pub(crate) fn logs_in(&self, account: &str, from: Ipv4Addr) -> bool {
        run(&self.users, plan(account, PASSWORD, 1, vec![from])).up == 1
    }
}

/// Logins of an account, one after the other.
pub(crate) fn plan(account: &str, password: &str, sessions: u32, sources: Vec<Ipv4Addr>) -> Plan {
    let server = SocketAddrV4::new(SERVER, 1723);
    Plan { user: account.to_owned(), sessions, sources, ..Plan::new(server, password) }
}

/// Carries out a plan on a host.
pub(crate) fn run(host: &Host, plan: Plan) -> Report {
    host.run(|| adit_bench::run(plan).unwrap())
}
