//! The judge: whether a conversation went as expected.

use adit_diag::Code;
use adit_tunnel::events::Up;

use crate::conversation::{Encryption, Report, Side};
use crate::nat::Translation;
use crate::rewrite::Rewrite;
use crate::scenario::{Fault, Scenario};

/// The expected result, by the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The call is set up, carries data in both directions, and ends in order.
    Works,
    /// The client ends with one of these codes; the server, if it had a connection, with one of the second
    /// list.
    Fails {
        /// The codes of the client.
        client: &'static [Code],
        /// The codes of the server; empty for any.
        server: &'static [Code],
    },
    /// The call may come up or not; if not, there must be a code.
    Anything,
}

/// The timeouts of all layers, which the loss of many packets may cause.
const TIMEOUTS: &[Code] = &[
    Code::G01,
    Code::G02,
    Code::G03,
    Code::G05,
    Code::L01,
    Code::L04,
    Code::L05,
    Code::A14,
    Code::E01,
    Code::E02,
    Code::E03,
    Code::E05,
    Code::I05,
    Code::I06,
];

/// The expected result of this fault.
pub fn expectation(fault: Fault) -> Expectation {
    use Code::*;
    let fails = |client, server| Expectation::Fails { client, server };
    match fault {
        Fault::None | Fault::MtuHole | Fault::Nat(Translation::Helper | Translation::LastSender) => {
            Expectation::Works
        }
        Fault::GreOut => fails(&[G02], &[G02]),
        Fault::GreIn => fails(&[G01], &[G03]),
        Fault::GreBoth | Fault::GreRejected => fails(&[G01], &[G01]),
        Fault::Nat(Translation::Unmatched) => fails(&[G01], &[G03]),
        Fault::Nat(Translation::ForgetsKey) => fails(&[G04], &[G04]),
        Fault::Rewritten(Rewrite::Source(_)) => fails(&[G03], &[G03]),
        Fault::Rewritten(Rewrite::Key) => fails(&[G02], &[G04]),
        Fault::Rewritten(Rewrite::Request) => fails(&[G04], &[G04]),
        Fault::Nat(Translation::ForgetsReply) => fails(&[G04], &[G04]),
        Fault::NoTcp | Fault::Mute => fails(&[C01], &[]),
        Fault::Banner => fails(&[C04], &[]),
        Fault::TcpRejected | Fault::Deaf => fails(&[C02], &[]),
        Fault::WrongPassword | Fault::UnknownName => fails(&[A01], &[A01]),
        Fault::Barred(A02) => fails(&[A02], &[A02]),
        Fault::Barred(A03) => fails(&[A03], &[A03]),
        Fault::Barred(A06) => fails(&[A06], &[A06]),
        Fault::Barred(_) => fails(&[A11], &[A11]),
        Fault::SilentDirectory => fails(&[A14, A07], &[A07, A14]),
        Fault::NoMethod => fails(&[A05], &[A05]),
        Fault::ClientClear => fails(&[E01], &[E01]),
        Fault::ServerClear => fails(&[E02], &[E02]),
        Fault::Strengths => fails(&[E03], &[E03]),
        Fault::PoolEmpty => fails(&[I01, I05, I06], &[I01]),
        Fault::Full => fails(&[C05], &[C05]),
        Fault::GreLater(_)
        | Fault::TcpLater(_)
        | Fault::TcpReset(_)
        | Fault::Crash(_)
        | Fault::Crowd
        | Fault::Forgetful(_)
        | Fault::Damage(..) => Expectation::Anything,
    }
}

/// Judges the report of a scenario.
///
/// # Errors
/// The first deviation from the expected result.
pub fn judge(scenario: &Scenario, report: &Report) -> Result<(), String> {
    if let Some(violation) = report.violations.first() {
        return Err(violation.clone());
    }
    if !matches!(scenario.fault, Fault::Damage(..)) {
        undamaged(scenario, report)?;
    }
    match expectation(scenario.fault) {
        Expectation::Works => works(scenario, report),
        Expectation::Fails { client, server } => fails(scenario, report, client, server),
        Expectation::Anything => anything(scenario, report),
    }
}

/// Checks a conversation in which no packet was changed: both sides agree, and what arrived is what was sent.
fn undamaged(scenario: &Scenario, report: &Report) -> Result<(), String> {
    // A router that gives the packets of one call to another can keep the last Configure-Ack of CCP from its
    // owner, whose encryption may be optional: then one end encrypts, and refuses what the other sends in clear.
    let crossed = scenario.fault == Fault::Crowd;
    let differ = |(ours, theirs): &&(Encryption, Encryption)| {
        ours != theirs && !(crossed && (ours.is_none() || theirs.is_none()))
    };
    if let Some((ours, theirs)) = report.encryption.iter().find(differ) {
        return Err(format!("the client encrypts {ours:?}, the server {theirs:?}"));
    }
    match report.clients.iter().chain(&report.servers).find_map(|side| side.damaged.as_ref()) {
        Some(damaged) => Err(format!("a packet arrived damaged: {damaged}")),
        None => Ok(()),
    }
}

fn works(scenario: &Scenario, report: &Report) -> Result<(), String> {
    for client in &report.clients {
        // On a lossy line it may not come up on both sides.
        if client.code.is_some_and(|code| scenario.is_lossy() && TIMEOUTS.contains(&code)) {
            continue;
        }
        let Some(up) = &client.up else {
            return Err(format!("the client did not come up: {:?} {:?}", client.code, client.call));
        };
        let server = partner(report, up).ok_or("no connection of the server came up with this client")?;
        equal(scenario, report, client, server)?;
        ended_well(scenario, client)?;
        ended_well(scenario, server)?;
    }
    Ok(())
}

/// The server's side of a client's call.
fn partner<'a>(report: &'a Report, up: &Up) -> Option<&'a Side> {
    report.servers.iter().find(|side| side.up.as_ref().is_some_and(|server| server.peer == up.local))
}

/// Checks that both sides have the same state, and that data passed.
fn equal(scenario: &Scenario, report: &Report, client: &Side, server: &Side) -> Result<(), String> {
    let (Some(ours), Some(theirs)) = (&client.up, &server.up) else {
        return Err("one side is not up".to_owned());
    };
    let same = [
        ("local address", ours.local == theirs.peer),
        ("peer address", ours.peer == theirs.local),
        ("method", ours.method == theirs.method),
        ("name", ours.name == theirs.name),
    ];
    if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
        return Err(format!("the {what} is not equal: {ours:?} and {theirs:?}"));
    }
    if report.encryption.iter().any(|(encryption, _)| encryption.is_some() != scenario.is_encrypted()) {
        return Err(format!("encryption: {:?}", report.encryption));
    }
    arrived("client to server", scenario, client, server)?;
    arrived("server to client", scenario, server, client)
}

fn arrived(what: &str, scenario: &Scenario, from: &Side, to: &Side) -> Result<(), String> {
    if !to.received.is_sorted_by(|a, b| a < b) {
        return Err(format!("{what}: not in order: {:?}", to.received));
    }
    if to.received.iter().any(|number| *number >= from.sent) {
        return Err(format!("{what}: more than was sent"));
    }
    // Headers of IP and UDP, GRE, PPP and MPPE are not in the length of a datagram.
    let hole = scenario.fault == Fault::MtuHole && scenario.datagram_len + 28 > 600 - 44;
    let count = to.received.len();
    if hole || from.sent == 0 {
        Ok(())
    } else if count == 0 {
        Err(format!("{what}: none of {} datagrams arrived", from.sent))
    } else if !scenario.is_lossy() && count != from.sent as usize {
        Err(format!("{what}: {count} of {} datagrams arrived", from.sent))
    } else {
        Ok(())
    }
}

fn ended_well(scenario: &Scenario, side: &Side) -> Result<(), String> {
    match side.code {
        None => Ok(()),
        // The link's Terminate-Request was lost, so the control connection reported the end.
        Some(Code::C08) => Ok(()),
        Some(code) if scenario.is_lossy() && TIMEOUTS.contains(&code) => Ok(()),
        Some(code) => Err(format!("ended with {code}: {:?}", side.call)),
    }
}

fn fails(scenario: &Scenario, report: &Report, client: &[Code], server: &[Code]) -> Result<(), String> {
    // If the link's Terminate-Request is lost, the control connection reports the end.
    let unlucky = |code: Code| {
        scenario.is_lossy() && (TIMEOUTS.contains(&code) || matches!(code, Code::C08 | Code::L03))
    };
    let mute = matches!(scenario.fault, Fault::Barred(_)) && !scenario.gives_reason();
    let check = |who: &str, side: &Side, codes: &[Code]| match side.code {
        Some(code) if codes.is_empty() || codes.contains(&code) || unlucky(code) => Ok(()),
        Some(Code::A01) if mute => Ok(()),
        Some(code) => Err(format!("the {who} says {code}, not {codes:?}: {:?}", side.call)),
        None => Err(format!("the {who} has no code: {:?} {:?}", side.call, side.closed)),
    };
    for side in &report.clients {
        check("client", side, client)?;
    }
    for side in report.servers.iter().filter(|_| !server.is_empty()) {
        check("server", side, server)?;
    }
    Ok(())
}

fn anything(scenario: &Scenario, report: &Report) -> Result<(), String> {
    for client in &report.clients {
        let Some(up) = &client.up else {
            if client.code.is_none() {
                return Err(format!("the client did not come up and has no code: {:?}", client.closed));
            }
            continue;
        };
        let codes = afterwards(scenario.fault);
        // Nothing was decrypted before the peer fell silent. What an attacker sends then looks as if the keys differed.
        let is_noise_alone = scenario.bursts > 0 && client.received.is_empty();
        if is_noise_alone && client.code == Some(Code::E05) {
            continue;
        }
        if !codes.is_empty() && !client.code.is_some_and(|code| codes.contains(&code)) {
            return Err(format!("the client ended with {:?}, not {codes:?}: {:?}", client.code, client.call));
        }
        let server = partner(report, up);
        let tampered = matches!(scenario.fault, Fault::Damage(..) | Fault::Crowd);
        if let (Some(server), false) = (server, tampered) {
            equal_names(up, server)?;
        }
    }
    Ok(())
}

/// The codes of a client whose call was up when this fault occurred; empty for any code or none.
fn afterwards(fault: Fault) -> &'static [Code] {
    match fault {
        Fault::GreLater(_) => &[Code::G05, Code::L04, Code::C08],
        // The other side may give up first, and stop sending GRE.
        Fault::TcpLater(_) => &[Code::C06, Code::L04],
        Fault::TcpReset(_) => &[Code::C06],
        Fault::Crash(_) => &[Code::C06, Code::L04, Code::G05],
        _ => &[],
    }
}

fn equal_names(ours: &Up, server: &Side) -> Result<(), String> {
    match &server.up {
        Some(theirs) if ours.peer == theirs.local && ours.method == theirs.method => Ok(()),
        theirs => Err(format!("not equal: {ours:?} and {theirs:?}")),
    }
}
