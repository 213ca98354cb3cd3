//! The table of causes, with the facts for or against each.

use adit_diag::Code;

use super::Possible;
use crate::facts::{Connect, Facts, How, Known};
use crate::{Owner, Position, Side, Vantage};

/// The number of refusals in a row from one address that are unlikely to be typing errors.
const SAME_AGAIN: u32 = 3;

/// Whether the address that the client calls from needs NAT.
fn behind_nat(facts: &Facts) -> bool {
    facts.name.source.is_some_and(|source| source.is_private() || is_carrier(source))
}

/// 100.64.0.0/10 (RFC 6598).
pub(crate) fn is_carrier(address: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 100 && (64..128).contains(&b)
}

fn carrier_on_the_way(facts: &Facts) -> bool {
    facts.name.source.is_some_and(is_carrier)
        || facts.gre.hops.iter().filter_map(|hop| hop.from).any(is_carrier)
}

/// Whether a router behind the first one answered GRE with a small time to live, so that GRE leaves our side.
fn gre_leaves(facts: &Facts) -> bool {
    facts.gre.hops.iter().any(|hop| hop.ttl >= 2 && hop.from.is_some())
}

/// Whether the capture was made next to the server, outside its firewall.
fn beside_server(facts: &Facts) -> bool {
    facts.vantage == Vantage::Capture(Position::NearServer)
}

/// Whether the client's GRE is seen next to the server, so that nothing before that point drops it.
fn gre_arrives(facts: &Facts) -> bool {
    beside_server(facts) && facts.gre.to_server.packets > 0
}

/// Whether no GRE is seen there, so that nothing behind that point drops it.
fn gre_is_lost_before(facts: &Facts) -> bool {
    beside_server(facts) && facts.gre.to_server.packets == 0
}

/// Whether the server sent no GRE on its own link.
fn server_sends_none(facts: &Facts) -> bool {
    beside_server(facts) && facts.gre.to_client.packets == 0 && facts.gre.from_elsewhere.is_none()
}

/// The side that no longer answers LCP echoes, if they show it. The server's record contains its own echoes.
fn silent_side(facts: &Facts) -> Option<Side> {
    let seen = facts.lcp.echo_lost.as_ref().map(|lost| lost.what.asked_by.other());
    seen.or((facts.vantage == Vantage::Record).then_some(Side::Client))
}

fn silent(facts: &Facts) -> bool {
    matches!(facts.tcp.connect.as_ref().map(|seen| &seen.what), Some(Connect::Silent { .. }))
}

/// Whether TCP is open, but no PPTP message arrives.
fn is_silent(facts: &Facts) -> bool {
    matches!(facts.tcp.connect.as_ref().map(|seen| &seen.what), Some(Connect::Open { .. }))
        && facts.control.reply.is_none()
}

fn ends_soon(facts: &Facts) -> bool {
    facts.control.closed.as_ref().is_some_and(|closed| !matches!(closed.what.how, How::EchoTimeout(_)))
        && !facts.link_is_up()
}

/// The table.
pub(super) const TABLE: &[Possible] = &[
    Possible {
        code: Code::C01,
        id: "filter-before-server",
        text: "a firewall before the server drops TCP 1723",
        owner: Owner::ServerNetwork,
        fix: "accept TCP 1723 (and protocol 47) to the server in the firewall before it, and forward both",
        weigh: |f| if silent(f) && !beside_server(f) { 45 } else { 0 },
    },
    Possible {
        code: Code::C01,
        id: "wrong-address",
        text: "the address is old or wrong, or the server is off",
        owner: Owner::Server,
        fix: "compare the address with the one that the server has today; see whether the server runs",
        weigh: |f| match silent(f) && !beside_server(f) {
            true if f.name.asked.is_some() => 35,
            true => 30,
            false => 0,
        },
    },
    Possible {
        code: Code::C01,
        id: "filter-on-the-way",
        text: "a filter on the client's side drops TCP 1723",
        owner: Owner::ClientNetwork,
        fix: "allow TCP 1723 to the server in the client's firewall and router",
        weigh: |f| if silent(f) && !beside_server(f) { 20 } else { 0 },
    },
    Possible {
        code: Code::C01,
        id: "own-filter",
        text: "the server's own firewall drops TCP 1723, which arrives at it",
        owner: Owner::Server,
        fix: "on the server: nft add rule inet filter input tcp dport 1723 accept; adit doctor --server names the rule",
        weigh: |f| if silent(f) && beside_server(f) { 75 } else { 0 },
    },
    Possible {
        code: Code::C01,
        id: "way-back",
        text: "the server has no way back to the client, or drops packets from it (rp_filter)",
        owner: Owner::Server,
        fix: "on the server: ip route get CLIENT names the interface of its answers; it must be the one that the call came by",
        weigh: |f| if silent(f) && beside_server(f) { 25 } else { 0 },
    },
    Possible {
        code: Code::C01,
        id: "hung",
        text: "the program behind TCP 1723 takes the connection and says nothing: it hangs, or has no time",
        owner: Owner::Server,
        fix: "on the server: ss -ltnp sport = :1723 names the program; read its log and restart it",
        weigh: |f| if is_silent(f) { 70 } else { 0 },
    },
    Possible {
        code: Code::C01,
        id: "proxy",
        text: "a box before the server takes the connection and passes nothing on",
        owner: Owner::ServerNetwork,
        fix: "switch off SYN proxy, inspection or load balancing for TCP 1723 before the server",
        weigh: |f| if is_silent(f) && !beside_server(f) { 30 } else { 0 },
    },
    Possible {
        code: Code::G01,
        id: "nat-router",
        text: "the router on the client's side does not pass GRE",
        owner: Owner::ClientNetwork,
        fix: "turn on \"PPTP passthrough\" (PPTP ALG) in the client's router and restart it",
        weigh: |f| match (behind_nat(f), gre_leaves(f)) {
            (true, false) => 60,
            (true, true) => 35,
            (false, _) => 15,
        },
    },
    Possible {
        code: Code::G01,
        id: "server-firewall",
        text: "the firewall on the server's side opens TCP 1723 and not protocol 47",
        owner: Owner::ServerNetwork,
        fix: "accept IP protocol 47 (not port 47) to and from the server; behind a port forward, forward GRE too",
        weigh: |f| if gre_leaves(f) { 55 } else { 30 },
    },
    Possible {
        code: Code::G01,
        id: "carrier",
        text: "the Internet provider drops GRE, as carrier NAT and mobile networks do",
        owner: Owner::Provider,
        fix: "test from another network; a provider with carrier NAT rarely passes GRE, whatever is set here",
        weigh: |f| if carrier_on_the_way(f) { 60 } else { 10 },
    },
    Possible {
        code: Code::G01,
        id: "second-client",
        text: "another PPTP client behind the same router has the GRE of this server (G06)",
        owner: Owner::ClientNetwork,
        fix: "hang up other PPTP clients of this network and try again; a router with a PPTP helper takes several",
        weigh: |f| if behind_nat(f) { 15 } else { 0 },
    },
    Possible {
        code: Code::G01,
        id: "own-firewall",
        text: "security software on the client drops GRE",
        owner: Owner::Client,
        fix: "allow protocol 47 out and in on the client itself",
        // The probe sees its own packets leave, after the firewall rules of its host.
        weigh: |f| if f.vantage == Vantage::Client { 0 } else { 10 },
    },
    Possible {
        code: Code::G02,
        id: "client-side",
        text: "the client's router or firewall drops its outgoing GRE",
        owner: Owner::ClientNetwork,
        fix: "allow protocol 47 out in the client's router; turn on its PPTP passthrough",
        weigh: |f| match (gre_arrives(f), gre_leaves(f)) {
            (true, _) => 0,
            (_, true) => 25,
            (_, false) => 45,
        },
    },
    Possible {
        code: Code::G02,
        id: "server-side",
        text: "the firewall on the server's side drops incoming GRE",
        owner: Owner::ServerNetwork,
        fix: "accept IP protocol 47 (not port 47) to the server: nft add rule inet filter input ip protocol 47 accept",
        weigh: |f| match (gre_is_lost_before(f), gre_leaves(f)) {
            (true, _) => 0,
            (_, true) => 65,
            (_, false) => 45,
        },
    },
    Possible {
        code: Code::G02,
        id: "before-server",
        text: "the firewall or port forward before the server passes TCP 1723 and not protocol 47",
        owner: Owner::ServerNetwork,
        fix: "in the router before the server, forward IP protocol 47 (not port 47) beside TCP 1723, or switch its PPTP passthrough on",
        weigh: |f| if gre_is_lost_before(f) { 45 } else { 0 },
    },
    Possible {
        code: Code::G02,
        id: "between",
        text: "a network between drops GRE one way",
        owner: Owner::Provider,
        fix: "test from another network; if that works, report it to the provider",
        weigh: |f| if gre_arrives(f) { 0 } else { 10 },
    },
    Possible {
        code: Code::G03,
        id: "elsewhere",
        text: "the server answers from another address than the one that was called",
        owner: Owner::Server,
        fix: "make the server answer from the address that clients call (server.listen, or its source NAT)",
        weigh: |f| if f.gre.from_elsewhere.is_some() { 100 } else { 0 },
    },
    Possible {
        code: Code::G03,
        id: "nat-state",
        text: "the client's router does not know for whom the server's GRE is",
        owner: Owner::ClientNetwork,
        fix: "turn on \"PPTP passthrough\" (PPTP ALG) in the client's router and restart it",
        weigh: |f| if f.gre.from_elsewhere.is_some() || server_sends_none(f) { 0 } else { 55 },
    },
    Possible {
        code: Code::G03,
        id: "server-output",
        text: "a firewall on the server or before it drops GRE that goes out",
        owner: Owner::ServerNetwork,
        fix: "accept protocol 47 out: nft add rule inet filter output ip protocol 47 accept",
        weigh: |f| if f.gre.from_elsewhere.is_some() { 0 } else { 35 },
    },
    Possible {
        code: Code::G03,
        id: "mute-ppp",
        text: "the server's PPP program sends nothing",
        owner: Owner::Server,
        fix: "read the server's log of that minute: pppd's options or its files are the usual reason",
        weigh: |f| if server_sends_none(f) { 20 } else { 0 },
    },
    Possible {
        code: Code::G05,
        id: "state-timeout",
        text: "a firewall or NAT router on the way forgets GRE that is quiet for a while",
        owner: Owner::ClientNetwork,
        fix: "switch LCP echoes on, every 20 s, at either end; they keep the state alive",
        weigh: |f| match f.gre.stopped.as_ref().map(|stop| stop.what.after_idle.as_secs()) {
            Some(0..10) => 30,
            Some(_) => 80,
            None => 50,
        },
    },
    Possible {
        code: Code::G05,
        id: "second-client",
        text: "a second client behind the same router took over the state",
        owner: Owner::ClientNetwork,
        fix: "see whether it happens when another PPTP client of the same network dials; use a router with a PPTP helper",
        weigh: |f| if f.control.others > 0 { 60 } else { 15 },
    },
    Possible {
        code: Code::A01,
        id: "wrong-password",
        text: "the password is wrong, or an old one is stored on the client",
        owner: Owner::Client,
        fix: "type the password anew; delete the stored one",
        weigh: |f| match f.auth.known {
            Some(Known::WrongPassword) if f.auth.failures_in_a_row >= SAME_AGAIN => 30,
            Some(Known::WrongPassword) => 60,
            Some(Known::RejectedByServer) => 50,
            Some(_) => 0,
            None if f.auth.proof_is_wrong.is_some() => 0,
            None => 60,
        },
    },
    Possible {
        code: Code::A01,
        id: "stored-password",
        text: "an old password is stored on the client, which sends it again and again",
        owner: Owner::Client,
        fix: "delete the stored password on that device, and every other that logs in with this name; type the new one",
        weigh: |f| match f.auth.known {
            Some(Known::WrongPassword) if f.auth.failures_in_a_row >= SAME_AGAIN => 70,
            _ => 0,
        },
    },
    Possible {
        code: Code::A01,
        id: "no-password",
        text: "the account has no password yet",
        owner: Owner::Accounts,
        fix: "give it one: adit user passwd NAME",
        weigh: |f| if f.auth.known == Some(Known::NoPassword) { 100 } else { 0 },
    },
    Possible {
        code: Code::A01,
        id: "rejected-by-radius",
        text: "the RADIUS server refuses the user: the password, an unknown name, or one of its rules",
        owner: Owner::Accounts,
        fix: "read the RADIUS server's log of that second: event 6273 of NPS, or radiusd -X",
        weigh: |f| if f.auth.known == Some(Known::RejectedByServer) { 60 } else { 0 },
    },
    Possible {
        code: Code::A01,
        id: "domain-form",
        text: "the name carries a domain that the server does not strip",
        owner: Owner::Client,
        fix: "try the bare name, without DOMAIN\\ before it or @domain behind it",
        weigh: |f| match f.auth.known {
            Some(Known::OtherForm) => 100,
            Some(_) => 0,
            None if f.auth.user.as_deref().is_some_and(|user| user.contains(['\\', '@'])) => 50,
            None => 0,
        },
    },
    Possible {
        code: Code::A01,
        id: "no-such-user",
        text: "the server has no such user",
        owner: Owner::Accounts,
        fix: "look the name up at the server (adit user list); its record tells an unknown user from a wrong password",
        weigh: |f| match f.auth.known {
            Some(Known::UnknownUser) => 100,
            Some(_) => 0,
            None => 30,
        },
    },
    Possible {
        code: Code::L03,
        id: "dead-ppp",
        text: "the server's PPP program dies as soon as the call is up",
        owner: Owner::Server,
        fix: "read the server's log of that minute: pppd's options or its files are the usual reason",
        weigh: |f| if ends_soon(f) { 100 } else { 0 },
    },
    Possible {
        code: Code::L04,
        id: "client-gone",
        text: "the client vanished without a message: switched off, asleep, or its line is down",
        owner: Owner::Client,
        fix: "nothing at the server: the call is freed so that the next one finds its place; look at that device and its line",
        weigh: |f| if silent_side(f) == Some(Side::Client) { 70 } else { 0 },
    },
    Possible {
        code: Code::L04,
        id: "server-gone",
        text: "the server vanished without a message: switched off, restarted, or its line is down",
        owner: Owner::Server,
        fix: "see whether the server runs and since when; a client that dials anew finds it when it is back",
        weigh: |f| if silent_side(f) == Some(Side::Server) { 60 } else { 0 },
    },
    Possible {
        code: Code::L04,
        id: "path-gone",
        text: "a network between went down",
        owner: Owner::Provider,
        fix: "compare with other connections of that minute; for paths with long outages raise link.echo.lost",
        weigh: |f| if silent_side(f).is_some() { 30 } else { 0 },
    },
    Possible {
        code: Code::I03,
        id: "lent-twice",
        text: "the server lends one address to two calls: two pools meet, or a fixed address lies in a pool",
        owner: Owner::Server,
        fix: "at the server, give each pool and each fixed address (also those of other servers and of RADIUS) a range of its own",
        weigh: |f| if f.address.twice.is_some() { 100 } else { 0 },
    },
    Possible {
        code: Code::R08,
        id: "target-off",
        text: "the target is off, or its own firewall drops the packets",
        owner: Owner::Target,
        fix: "from the server's own network, see whether the target answers; allow the pool in its firewall",
        weigh: |_| 50,
    },
    Possible {
        code: Code::R08,
        id: "return-path",
        text: "the target or its router has no route back to the tunnel's addresses (R03)",
        owner: Owner::ServerNetwork,
        fix: "give the router of the target's network a route to the pool by way of the server",
        weigh: |_| 30,
    },
    Possible {
        code: Code::R08,
        id: "not-forwarded",
        text: "the server does not forward, or its rules deny the target (R06, R02)",
        owner: Owner::Server,
        fix: "on the server: adit doctor --server",
        weigh: |_| 20,
    },
];
