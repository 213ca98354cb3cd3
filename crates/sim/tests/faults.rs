//! Every fault once, on a line without losses: which code each side gives it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::Duration;

use adit_crypto::Rng;
use adit_diag::Code;
use adit_diag::note::Finding;
use adit_sim::conversation::{Report, play};
use adit_sim::nat::Translation;
use adit_sim::rewrite::Rewrite;
use adit_sim::scenario::{Fault, Scenario};

fn with(fault: Fault) -> Report {
    let mut scenario = Scenario::plain(1, &mut Rng::from_number(1));
    scenario.inject(fault);
    let report = play(scenario, true);
    assert!(report.violations.is_empty(), "{fault:?}: {:?}", report.violations);
    report
}

/// The codes of the client and of the server, and what each says.
#[track_caller]
fn codes(fault: Fault, client: Option<Code>, server: Option<Code>) -> (String, String) {
    let report = with(fault);
    let text = || report.lines.join("\n");
    assert_eq!(report.clients[0].code, client, "{}\nclient with {fault:?}", text());
    let theirs = report.servers.first();
    assert_eq!(theirs.and_then(|side| side.code), server, "{}\nserver with {fault:?}", text());
    let detail = |side: Option<&adit_sim::conversation::Side>| {
        let end = side.and_then(|side| side.call.as_ref().or(side.closed.as_ref()));
        end.map(|end| end.detail.clone()).unwrap_or_default()
    };
    (detail(report.clients.first()), detail(theirs))
}

#[test]
fn nothing_breaks() {
    let report = with(Fault::None);
    assert_eq!((report.clients[0].code, report.servers[0].code), (None, None));
    let numbers: Vec<u32> = (0..8).collect();
    assert_eq!((&report.clients[0].received, &report.servers[0].received), (&numbers, &numbers));
    assert!(report.elapsed < Duration::from_secs(10));
}

#[test]
fn c088_blocked_gre_is_reported_with_its_direction() {
    use Code::{G01, G02, G03};
    let (client, server) = codes(Fault::GreBoth, Some(G01), Some(G01));
    assert!(
        client.contains("no GRE packet has come back") && server.contains("no GRE packet"),
        "{client} {server}"
    );
    // From the client to the server.
    let (client, server) = codes(Fault::GreOut, Some(G02), Some(G02));
    assert!(client.contains("none of ours was ever answered"), "{client}");
    assert!(server.contains("the peer hears our GRE, as it says by Set-Link-Info"), "{server}");
    // From the server to the client.
    let (_, server) = codes(Fault::GreIn, Some(G01), Some(G03));
    assert!(server.contains("none of ours was ever answered"), "{server}");
    let (client, _) = codes(Fault::GreRejected, Some(G01), Some(G01));
    assert!(client.contains("198.51.100.1 answered our GRE: administratively prohibited"), "{client}");
}

#[test]
fn blocked_gre_is_distinguished_from_a_dead_peer() {
    let after = Duration::from_secs(20);
    let (client, server) = codes(Fault::GreLater(after), Some(Code::G05), Some(Code::G05));
    assert!(format!("{client}{server}").contains("TCP 1723 was answered"), "{client}; {server}");
    let report = with(Fault::Crash(after));
    assert!(matches!(report.clients[0].code, Some(Code::C06 | Code::L04)), "{:?}", report.clients[0].call);
}

#[test]
fn translators() {
    use Code::{G01, G03, G04};
    for works in [Translation::Helper, Translation::LastSender] {
        codes(Fault::Nat(works), None, None);
    }
    codes(Fault::Nat(Translation::Unmatched), Some(G01), Some(G03));
    let (client, _) = codes(Fault::Nat(Translation::ForgetsKey), Some(G04), Some(G04));
    assert!(client.contains("the peer's GRE names call"), "{client}");
    let (client, _) = codes(Fault::Nat(Translation::ForgetsReply), Some(G04), Some(G04));
    assert!(client.contains("the reply to call"), "{client}");
}

#[test]
fn things_that_are_changed_on_the_way() {
    use Code::{G02, G03, G04};
    // A server with two addresses, whose GRE leaves by the other one.
    let other = [192, 0, 2, 77].into();
    let (client, _) = codes(Fault::Rewritten(Rewrite::Source(other)), Some(G03), Some(G03));
    assert!(client.contains("GRE of this call arrives from 192.0.2.77"), "{client}");
    let (_, server) = codes(Fault::Rewritten(Rewrite::Key), Some(G02), Some(G04));
    assert!(server.contains("which was never agreed on"), "{server}");
    let (client, server) = codes(Fault::Rewritten(Rewrite::Request), Some(G04), Some(G04));
    assert!(
        client.contains("the reply to call") && server.contains("which is not its own"),
        "{client}; {server}"
    );
}

#[test]
fn tcp() {
    use Code::{C01, C02, C04, C06};
    codes(Fault::NoTcp, Some(C01), None);
    codes(Fault::TcpRejected, Some(C02), None);
    codes(Fault::Deaf, Some(C02), None);
    codes(Fault::Mute, Some(C01), None);
    let report = with(Fault::Banner);
    assert_eq!(report.clients[0].code, Some(C04));
    assert!(report.clients[0].closed.as_ref().unwrap().detail.contains("SSH-2.0"));
    let after = Duration::from_secs(20);
    codes(Fault::TcpLater(after), Some(C06), Some(C06));
    codes(Fault::TcpReset(after), Some(C06), Some(C06));
}

#[test]
fn accounts() {
    use Code::{A01, A02, A03, A05, A06, A07, A11, C05, I01};
    codes(Fault::WrongPassword, Some(A01), Some(A01));
    codes(Fault::UnknownName, Some(A01), Some(A01));
    for code in [A02, A03, A06, A11] {
        codes(Fault::Barred(code), Some(code), Some(code));
    }
    codes(Fault::NoMethod, Some(A05), Some(A05));
    codes(Fault::Full, Some(C05), Some(C05));
    codes(Fault::PoolEmpty, Some(I01), Some(I01));
    let report = with(Fault::SilentDirectory);
    assert_eq!(report.servers[0].code, Some(A07));
}

#[test]
fn encryption() {
    use Code::{E01, E02, E03};
    codes(Fault::ClientClear, Some(E01), Some(E01));
    codes(Fault::ServerClear, Some(E02), Some(E02));
    codes(Fault::Strengths, Some(E03), Some(E03));
}

#[test]
fn a_path_that_eats_large_packets_does_not_stop_small_ones() {
    codes(Fault::MtuHole, None, None);
    let mut scenario = Scenario::plain(1, &mut Rng::from_number(1));
    scenario.inject(Fault::MtuHole);
    scenario.idle = Duration::from_secs(60);
    let found = play(scenario, true).servers[0].found.clone();
    assert!(matches!(found[..], [Finding::SizeProbe { .. }]), "{found:?}");
    // Nothing of it on a healthy path, nor on one that loses three packets in a hundred.
    let mut scenario = Scenario::plain(1, &mut Rng::from_number(1));
    scenario.idle = Duration::from_secs(60);
    (scenario.up.loss, scenario.down.loss) = (30, 30);
    assert_eq!(play(scenario, true).servers[0].found, []);
}
