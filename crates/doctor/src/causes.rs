//! The written table of causes: where a fact does not decide, what is likely, how likely, and whose it is.
//!
//! The weights are judgements, on a scale of their own; those that apply are shared out to one hundred together. A cause
//! whose code has one meaning weighs one hundred alone.

use adit_diag::Code;

use crate::facts::{Bracket, Connect, Facts, How, Known};
use crate::{Cause, Owner, Side, Vantage};

/// So many refusals in a row from one address are more than a slip of the finger.
const SAME_AGAIN: u32 = 3;

/// At most so many are told.
pub const MAX: usize = 3;

/// One possible cause of a code.
pub struct Possible {
    /// Of which code.
    pub code: Code,
    /// A stable name.
    pub id: &'static str,
    /// What it is.
    pub text: &'static str,
    /// Whose device or setting it is.
    pub owner: Owner,
    /// What to do.
    pub fix: &'static str,
    /// How much it weighs with these facts; 0: it cannot be.
    pub weigh: fn(&Facts) -> u8,
}

/// The address that the client calls from needs a translation on its way.
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

/// GRE with a small time to live was answered from behind the first router: it leaves our side.
fn gre_leaves(facts: &Facts) -> bool {
    facts.gre.hops.iter().any(|hop| hop.ttl >= 2 && hop.from.is_some())
}

/// The client's GRE is seen beside the server: nothing before that place drops it.
fn gre_arrives(facts: &Facts) -> bool {
    facts.vantage.near() == Some(Side::Server) && facts.gre.to_server.packets > 0
}

/// An ICMP message names the device.
fn named(facts: &Facts) -> bool {
    facts.gre.unreachable().is_some()
}

/// The table.
pub const TABLE: &[Possible] = &[
    Possible {
        code: Code::C01,
        id: "filter-before-server",
        text: "a firewall before the server drops TCP 1723",
        owner: Owner::ServerNetwork,
        fix: "accept TCP 1723 (and protocol 47) to the server in the firewall before it, and forward both",
        weigh: |f| if silent(f) { 45 } else { 0 },
    },
    Possible {
        code: Code::C01,
        id: "wrong-address",
        text: "the address is old or wrong, or the server is off",
        owner: Owner::Server,
        fix: "compare the address with the one that the server has today; see whether the server runs",
        weigh: |f| match silent(f) {
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
        weigh: |f| if silent(f) { 20 } else { 0 },
    },
    Possible {
        code: Code::G01,
        id: "nat-router",
        text: "the router on the client's side does not pass GRE",
        owner: Owner::ClientNetwork,
        fix: "turn on \"PPTP passthrough\" (PPTP ALG) in the client's router and restart it",
        weigh: |f| match (named(f), behind_nat(f), gre_leaves(f)) {
            (true, ..) => 0,
            (_, true, false) => 60,
            (_, true, true) => 35,
            (_, false, _) => 15,
        },
    },
    Possible {
        code: Code::G01,
        id: "server-firewall",
        text: "the firewall on the server's side opens TCP 1723 and not protocol 47",
        owner: Owner::ServerNetwork,
        fix: "accept IP protocol 47 (not port 47) to and from the server; behind a port forward, forward GRE too",
        weigh: |f| match (named(f), gre_leaves(f)) {
            (true, _) => 0,
            (_, true) => 55,
            (_, false) => 30,
        },
    },
    Possible {
        code: Code::G01,
        id: "carrier",
        text: "the Internet provider drops GRE, as carrier NAT and mobile networks do",
        owner: Owner::Provider,
        fix: "test from another network; a provider with carrier NAT rarely passes GRE, whatever is set here",
        weigh: |f| match (named(f), carrier_on_the_way(f)) {
            (true, _) => 0,
            (_, true) => 60,
            (_, false) => 10,
        },
    },
    Possible {
        code: Code::G01,
        id: "second-client",
        text: "another PPTP client behind the same router has the GRE of this server (G06)",
        owner: Owner::ClientNetwork,
        fix: "hang up other PPTP clients of this network and try again; a router with a PPTP helper takes several",
        weigh: |f| if !named(f) && behind_nat(f) { 15 } else { 0 },
    },
    Possible {
        code: Code::G01,
        id: "own-firewall",
        text: "security software on the client drops GRE",
        owner: Owner::Client,
        fix: "allow protocol 47 out and in on the client itself",
        // The probe sees its own packets leave, behind the rules of its host.
        weigh: |f| if named(f) || f.vantage == Vantage::Client { 0 } else { 10 },
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
        text: "the firewall on the server's side drops GRE that comes in",
        owner: Owner::ServerNetwork,
        fix: "accept IP protocol 47 (not port 47) to the server: nft add rule inet filter input ip protocol gre accept",
        weigh: |f| if gre_leaves(f) { 65 } else { 45 },
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
        weigh: |f| if f.gre.from_elsewhere.is_some() { 0 } else { 55 },
    },
    Possible {
        code: Code::G03,
        id: "server-output",
        text: "a firewall on the server or before it drops GRE that goes out",
        owner: Owner::ServerNetwork,
        fix: "accept protocol 47 out: nft add rule inet filter output ip protocol gre accept",
        weigh: |f| if f.gre.from_elsewhere.is_some() { 0 } else { 35 },
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

fn silent(facts: &Facts) -> bool {
    matches!(facts.tcp.connect.as_ref().map(|seen| &seen.what), Some(Connect::Silent { .. }))
}

fn ends_soon(facts: &Facts) -> bool {
    facts.control.closed.as_ref().is_some_and(|closed| !matches!(closed.what.how, How::EchoTimeout(_)))
        && !facts.link_is_up()
}

/// The causes of `code`, the likeliest first; `also` are other codes of the layer whose rules fired.
pub(crate) fn of(facts: &Facts, code: Code, also: &[(Code, u8)]) -> Vec<Cause> {
    let mut causes: Vec<Cause> = TABLE
        .iter()
        .filter(|possible| possible.code == code)
        .map(|possible| Cause {
            text: possible.text.to_owned(),
            weight: (possible.weigh)(facts),
            code,
            owner: possible.owner,
        })
        .filter(|cause| cause.weight > 0)
        .collect();
    if causes.is_empty() {
        causes.push(Cause { text: code.title().to_owned(), weight: 100, code, owner: owner(facts, code) });
        for (code, weight) in also {
            let owner = owner(facts, *code);
            causes.push(Cause { text: code.title().to_owned(), weight: *weight, code: *code, owner });
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.weight));
    causes.truncate(MAX);
    share(&mut causes);
    causes
}

/// Shares one hundred out, by weight.
fn share(causes: &mut [Cause]) {
    let sum: u32 = causes.iter().map(|cause| u32::from(cause.weight)).sum();
    let mut left = 100;
    let last = causes.len().saturating_sub(1);
    for (n, cause) in causes.iter_mut().enumerate() {
        let share = if n == last { left } else { (u32::from(cause.weight) * 100 / sum.max(1) + 2) / 5 * 5 };
        cause.weight = u8::try_from(share.min(left)).unwrap_or(100);
        left -= u32::from(cause.weight);
    }
}

/// What to do: that of each cause, else what the code's page says first.
pub(crate) fn fixes(facts: &Facts, code: Option<Code>, causes: &[Cause]) -> Vec<String> {
    let Some(code) = code else { return Vec::new() };
    let fix = |cause: &Cause| {
        TABLE
            .iter()
            .find(|possible| possible.code == cause.code && possible.text == cause.text)
            .map(|possible| possible.fix.to_owned())
    };
    let mut fixes: Vec<String> = named_device(facts, code).into_iter().collect();
    fixes.extend(measured_size(facts, code));
    fixes.extend(causes.iter().filter_map(fix));
    if fixes.is_empty() {
        fixes.extend(code.entry().fix.into_iter().take(2));
    }
    fixes
}

/// What the outer headers take at most: IP 20, GRE 16, PPP 4, CCP and MPPE 4.
const HEADERS: u16 = 44;

/// The size that was found to pass, as a setting.
fn measured_size(facts: &Facts, code: Code) -> Option<String> {
    let passes = |bracket: &Bracket| {
        let passes = bracket.passes.as_ref().filter(|_| bracket.lost.is_some())?.what;
        Some(if bracket.is_outer { passes.saturating_sub(HEADERS) } else { passes })
    };
    let sizes = [passes(&facts.mtu.to_server), passes(&facts.mtu.to_client)];
    let size = sizes.into_iter().flatten().min().filter(|_| code == Code::M01)?;
    Some(format!(
        "at one end of the tunnel: link.mtu = {size} in adit.toml, \"mtu {size} mru {size}\" for pppd; or let ICMP \
         \"fragmentation needed\" pass on the way"
    ))
}

/// The device that said so itself.
fn named_device(facts: &Facts, code: Code) -> Option<String> {
    let from = match (code, facts.tcp.connect.as_ref().map(|seen| &seen.what)) {
        (Code::C01 | Code::N02, Some(Connect::Unreachable { from, .. })) => *from,
        (Code::G01, _) => facts.gre.unreachable()?.what.from,
        _ => return None,
    };
    Some(match code {
        Code::N02 => format!("on {from}, which has no way to the server: its routes, or the link behind it"),
        Code::G01 => {
            format!("on {from}, which refuses: let IP protocol 47 (GRE) pass between client and server")
        }
        _ => format!("on {from}, which refuses: let TCP 1723 pass between client and server"),
    })
}

/// Whose a code is, where the table of causes has nothing finer.
pub(crate) fn owner(facts: &Facts, code: Code) -> Owner {
    let refused_by_server =
        facts.encrypt.rejected.as_ref().is_some_and(|rejected| rejected.what.by == Side::Server);
    match code {
        Code::N01 | Code::E01 | Code::I02 | Code::R01 | Code::S11 => Owner::Client,
        Code::E03 | Code::A05 if !refused_by_server => Owner::Client,
        Code::N02 | Code::L02 | Code::G07 | Code::G08 | Code::M01 | Code::M03 => Owner::Provider,
        Code::G04 | Code::G06 | Code::I03 => Owner::ClientNetwork,
        Code::A01
        | Code::A02
        | Code::A03
        | Code::A04
        | Code::A06
        | Code::A08
        | Code::A10
        | Code::A11
        | Code::A13 => Owner::Accounts,
        Code::R08 | Code::R09 => Owner::Target,
        Code::N03 | Code::R03 => Owner::ServerNetwork,
        Code::S03 if facts.vantage == Vantage::Client => Owner::Client,
        _ => Owner::Server,
    }
}
