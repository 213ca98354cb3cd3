//! The fault matrix on prepared observations: every row that a vantage point can judge, and those where it must not.
//!
//! What is injected for real is in the tests of the program; here is the engine alone, with the rows whose features come
//! later among them.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use adit_diag::{AuthMethod, Code, Layer};
use adit_doctor::facts::*;
use adit_doctor::{Facts, Outcome, Side, Vantage, Verdict, judge};

use common::*;

/// Judges, and wants `code` as the first failure.
#[track_caller]
fn fails(f: &Facts, code: Code) -> Verdict {
    let verdict = judge(f);
    assert_eq!(verdict.first_failure, Some(code), "{verdict}\n{}", adit_doctor::text::why(&verdict));
    assert_eq!(verdict.exit_code(), code.exit_code());
    assert!(
        !verdict.headline.is_empty() && !verdict.next.is_empty() && !verdict.fixes.is_empty(),
        "{verdict:#?}"
    );
    let weights: u32 = verdict.causes.iter().map(|cause| u32::from(cause.weight)).sum();
    assert_eq!(weights, 100, "{:?}", verdict.causes);
    for line in verdict.to_string().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    verdict
}

/// Judges, and wants neither a failure nor a claim that it works.
#[track_caller]
fn unknown(f: &Facts) -> Verdict {
    let verdict = judge(f);
    assert_eq!((verdict.first_failure, verdict.outcome), (None, Outcome::NotProvable), "{verdict}");
    assert!(!verdict.next.is_empty());
    verdict
}

/// Judges, and wants nothing at all.
#[track_caller]
fn healthy(f: &Facts) {
    let verdict = judge(f);
    assert_eq!((verdict.first_failure, verdict.outcome), (None, Outcome::Healthy), "{verdict}");
    assert_eq!(verdict.findings, [], "{verdict}");
}

fn dialled(vantage: Vantage) -> Facts {
    up_to(vantage, Layer::Name)
}

#[test]
fn healthy_calls_have_no_finding() {
    for vantage in [D, PC, PS, R] {
        let mut f = up_to(vantage, Layer::Address);
        healthy(&f);
        hung_up(&mut f, Side::Client);
        closed(&mut f, How::Stop(1), Stage::InCall, secs(20));
        healthy(&f);
        // Two percent lost is the weather.
        f.gre.to_server = Way { packets: 1000, lost: 20, late: 20, ..f.gre.to_server };
        healthy(&f);
    }
}

#[test]
fn without_an_account_it_ends_after_lcp_and_is_healthy() {
    let mut f = up_to(D, Layer::Lcp);
    f.stop_after = Some(Layer::Lcp);
    f.lcp.terminated = Some(seen(Terminated { by: Side::Client, text: "no account".into() }));
    healthy(&f);
    assert_eq!(judge(&f).layer(Layer::Auth).unwrap().state, adit_doctor::State::NotTested);
}

#[test]
fn row_01_name_does_not_resolve() {
    let mut f = Facts::new(D, "vpn.example.org");
    f.name.asked = Some("vpn.example.org".into());
    for outcome in
        [Resolved::NoSuchName, Resolved::NoAnswer, Resolved::OnlyV6, Resolved::Failed("SERVFAIL".into())]
    {
        f.name.resolved = Some(seen(outcome));
        fails(&f, Code::N01);
    }
}

#[test]
fn rows_02_06_07_silence_on_tcp() {
    for vantage in [D, PC] {
        let mut f = dialled(vantage);
        f.tcp.connect = Some(seen(Connect::Silent { syns: 3, waited: secs(4) }));
        let verdict = fails(&f, Code::C01);
        assert_eq!(verdict.causes.len(), 3);
    }
}

#[test]
fn row_03_no_route_here() {
    let mut f = dialled(D);
    f.name.no_route = Some(seen("Network is unreachable".into()));
    fails(&f, Code::N02);
}

#[test]
fn rows_04_and_08_icmp_names_its_sender() {
    for (code, expected) in [(1, Code::N02), (0, Code::N02), (13, Code::C01), (9, Code::C01), (10, Code::C01)]
    {
        for vantage in [D, PC] {
            let mut f = dialled(vantage);
            f.tcp.connect = Some(seen(Connect::Unreachable { from: IpAddr::V4(HOME), code }));
            let verdict = fails(&f, expected);
            assert!(verdict.headline.contains("192.168.1.1"), "{verdict}");
            assert!(verdict.fixes[0].contains("192.168.1.1"), "{verdict}");
        }
    }
}

#[test]
fn row_05_refused() {
    for vantage in [D, PC, PS] {
        let mut f = dialled(vantage);
        f.tcp.connect = Some(seen(Connect::Refused { by_a_box: false }));
        fails(&f, Code::C02);
        f.tcp.connect = Some(seen(Connect::Refused { by_a_box: true }));
        assert!(fails(&f, Code::C02).headline.contains("device"));
    }
}

fn open(vantage: Vantage) -> Facts {
    let mut f = dialled(vantage);
    f.tcp.connect = Some(seen(Connect::Open { after: secs(0) }));
    f
}

#[test]
fn rows_09_10_11_something_else_on_1723() {
    for vantage in [D, PC, PS] {
        let mut f = open(vantage);
        f.control.requested = Some(seen(()));
        f.control.foreign = Some(seen("HTTP/1.1 400 Bad Request".into()));
        closed(&mut f, How::Fin, Stage::Requested, secs(0));
        fails(&f, Code::C04);

        let mut f = open(vantage);
        closed(&mut f, How::Reset { by_a_box: false }, Stage::Opened, secs(0));
        fails(&f, Code::C03);
        closed(&mut f, How::Reset { by_a_box: true }, Stage::Requested, secs(0));
        fails(&f, Code::C03);

        let mut f = open(vantage);
        f.control.requested = Some(seen(()));
        f.control.silent = Some(seen(secs(5)));
        assert!(fails(&f, Code::C01).headline.contains("Start-Control-Connection-Request"));
        f.control.acknowledged = Some(false);
        fails(&f, Code::M01);
    }
}

#[test]
fn row_12_the_call_is_refused() {
    for vantage in [D, PC, PS] {
        let mut f = up_to(vantage, Layer::Control);
        for (result, error) in [(2, 4), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)] {
            f.call.reply = Some(seen(CallReply { result, error, cause: 0 }));
            fails(&f, Code::C05);
        }
        f.call.reply = None;
        f.call.silent = Some(seen(secs(5)));
        fails(&f, Code::C10);
    }
}

#[test]
fn control_connection_refused() {
    for result in [2, 4, 5] {
        let mut f = open(D);
        f.control.reply = Some(seen(StartReply { result, error: 4, ..StartReply::default() }));
        fails(&f, Code::C07);
    }
    let mut f = open(PS);
    f.control.reply = Some(seen(StartReply { result: 3, ..StartReply::default() }));
    fails(&f, Code::C07);
    f.control.others = 1;
    fails(&f, Code::G06);
}

#[test]
fn row_13_gre_to_the_server_is_lost() {
    let mut f = granted(D, 6, 6);
    f.gre.to_client.arrival = Arrival::Proven;
    f.lcp.client_answers = 6;
    fails(&f, Code::G02);
    f.vantage = PC;
    fails(&f, Code::G02);
    fails(&granted(PS, 0, 6), Code::G02);
}

#[test]
fn row_14_gre_to_the_client_is_lost() {
    fails(&granted(D, 6, 0), Code::G01);
    fails(&granted(PC, 6, 0), Code::G01);
    let mut f = granted(PS, 6, 6);
    f.gre.to_server.arrival = Arrival::Proven;
    f.lcp.server_answers = 6;
    fails(&f, Code::G03);
    fails(&granted(PS, 6, 0), Code::G03);
}

#[test]
fn row_15_no_gre_at_all() {
    let verdict = fails(&granted(D, 6, 0), Code::G01);
    assert!(verdict.innocent.iter().any(|text| text.contains("password")), "{verdict}");
    assert_eq!(verdict.confidence, adit_doctor::Confidence::Medium);
    let mut f = granted(Vantage::Capture(adit_doctor::Position::Unknown), 6, 0);
    assert_eq!(fails(&f, Code::G01).confidence, adit_doctor::Confidence::Low);
    // A filtered capture without any GRE proves nothing.
    f.gre = Gre::default();
    unknown(&f);
}

#[test]
fn rows_16_and_18_gre_arrives_at_the_server_and_not_at_its_program() {
    let mut f = granted(PS, 6, 6);
    f.lcp.client_answers = 2;
    fails(&f, Code::G02);
}

#[test]
fn rows_20_21_call_ids() {
    for vantage in [D, PC, PS] {
        let mut f = granted(vantage, 6, 0);
        f.call.repeated_id = Some(seen(4711));
        fails(&f, Code::G04);
        let mut f = granted(vantage, 6, 6);
        f.gre.wrong_to_client = Some(seen(4711));
        fails(&f, Code::G04);
        f.gre.wrong_is_of_another_call = true;
        fails(&f, Code::G06);
        let mut f = granted(vantage, 6, 0);
        f.call.same_id = Some(seen(7));
        fails(&f, Code::G06);
    }
}

#[test]
fn row_23_answers_from_another_address() {
    for vantage in [D, PC, PS] {
        let mut f = granted(vantage, 6, 0);
        f.gre.from_elsewhere = Some(seen(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 11))));
        let verdict = fails(&f, Code::G03);
        assert!(verdict.headline.contains("203.0.113.11"));
        assert_eq!(verdict.causes.len(), 1);
    }
}

#[test]
fn row_24_gre_dies_after_a_silence() {
    for vantage in [D, PC, PS] {
        let mut f = up_to(vantage, Layer::Address);
        f.gre.stopped = Some(seen(GreStop { from: None, after_idle: secs(30), silent: secs(20) }));
        f.lcp.echo_lost =
            Some(seen(EchoLost { asked_by: Side::Client, count: 4, control_lives: Some(true) }));
        fails(&f, Code::G05);
    }
}

#[test]
fn row_25_protocol_unreachable() {
    for vantage in [D, PC, PS] {
        let mut f = granted(vantage, 6, 0);
        let error = IcmpError { from: IpAddr::V4(SERVER), kind: 3, code: 2, about: Side::Client, mtu: None };
        f.gre.errors = vec![seen(error)];
        assert!(fails(&f, Code::G01).headline.contains("203.0.113.10"));
    }
}

#[test]
fn row_26_the_servers_ppp_dies() {
    for vantage in [D, PC, PS] {
        let mut f = granted(vantage, 2, 0);
        closed(&mut f, How::Fin, Stage::InCall, secs(1));
        let verdict = fails(&f, Code::L03);
        assert!(verdict.headline.contains("not a firewall"));
    }
}

fn negotiating(vantage: Vantage) -> Facts {
    let mut f = up_to(vantage, Layer::Gre);
    f.lcp.client_requests = 6;
    f.lcp.server_requests = 6;
    f.lcp.client_answers = 6;
    f.lcp.server_answers = 6;
    f
}

#[test]
fn rows_27_to_29_lcp() {
    for vantage in [D, PC, PS] {
        let mut f = negotiating(vantage);
        f.auth.offered = vec![AuthProtocol::Method(AuthMethod::Pap)];
        f.auth.wanted = vec![AuthProtocol::Method(AuthMethod::MsChapV2)];
        f.auth.none = Some(seen(NoMethod { refused_by: Side::Client, rounds: 3 }));
        f.lcp.terminated =
            Some(seen(Terminated { by: Side::Server, text: "peer refused to authenticate".into() }));
        fails(&f, Code::A05);

        let mut f = negotiating(vantage);
        f.lcp.option_loop = Some(seen(OptionLoop {
            by: Side::Client,
            option: "MRU".into(),
            positions: ("1400".into(), "1500".into()),
            rounds: 8,
        }));
        fails(&f, Code::L01);

        let mut f = negotiating(vantage);
        f.lcp.looped_back = Some(seen(0x1234_5678));
        fails(&f, Code::L02);
    }
}

#[test]
fn row_30_the_peer_dies() {
    for vantage in [D, PC, PS] {
        let mut f = up_to(vantage, Layer::Address);
        f.lcp.echo_lost =
            Some(seen(EchoLost { asked_by: Side::Client, count: 4, control_lives: Some(false) }));
        fails(&f, Code::L04);
    }
}

#[test]
fn rows_31_to_41_logins() {
    let rows = [
        (691, "", Code::A01),
        (691, "account locked", Code::A04),
        (646, "not at this hour", Code::A06),
        (647, "alice is disabled", Code::A02),
        (647, "alice has expired", Code::A10),
        (648, "the password has expired", Code::A03),
        (649, "alice is already connected", Code::A08),
        (649, "alice may not use the VPN", Code::A11),
        (649, "alice may not call from this network", Code::A13),
        (709, "", Code::A03),
        (999, "no", Code::A01),
    ];
    for vantage in [D, PC, PS] {
        for (error, text, code) in rows {
            let mut f = up_to(vantage, Layer::Lcp);
            refuse(&mut f, error, text);
            f.lcp.terminated =
                Some(seen(Terminated { by: Side::Server, text: "Authentication failed".into() }));
            closed(&mut f, How::Stop(1), Stage::InCall, secs(3));
            let verdict = fails(&f, code);
            assert!(verdict.innocent.iter().any(|text| text.contains("protocol 47")), "{verdict}");
        }
    }
    let mut f = up_to(D, Layer::Lcp);
    f.auth.user = Some("CORP\\alice".into());
    refuse(&mut f, 691, "");
    assert!(fails(&f, Code::A01).causes.iter().any(|cause| cause.text.contains("domain")));
}

/// Rows 38 and 39: RADIUS stopped, or its secret wrong. The client sees the same; the server's record tells them apart.
#[test]
fn rows_38_39_the_directory_is_silent() {
    for vantage in [D, PC, PS] {
        let mut f = up_to(vantage, Layer::Lcp);
        f.auth.challenges = 1;
        f.auth.responses = 4;
        f.auth.silent = Some(seen(secs(8)));
        f.auth.path_lives = Some(true);
        fails(&f, Code::A07);
        f.auth.path_lives = None;
        fails(&f, Code::A14);
    }
    let mut f = up_to(R, Layer::Lcp);
    f.reported = Some(Reported {
        code: Code::A07,
        detail: "10.0.0.7 answers with a wrong authenticator: its secret differs".into(),
    });
    assert!(fails(&f, Code::A07).headline.contains("secret"));
}

#[test]
fn a_server_that_cannot_prove_itself() {
    let mut f = up_to(D, Layer::Address);
    f.auth.proof_is_wrong = Some(seen(()));
    fails(&f, Code::A12);
}

#[test]
fn rows_42_to_45_encryption() {
    for vantage in [D, PC, PS] {
        for (by, all_of_ccp, code) in [
            (Side::Client, false, Code::E01),
            (Side::Client, true, Code::E01),
            (Side::Server, false, Code::E02),
            (Side::Server, true, Code::E02),
        ] {
            let mut f = up_to(vantage, Layer::Auth);
            f.encrypt.rejected = Some(seen(Rejected { by, all_of_ccp }));
            f.lcp.terminated = Some(seen(Terminated { by: by.other(), text: "MPPE required".into() }));
            let verdict = fails(&f, code);
            assert!(verdict.innocent.iter().any(|text| text.contains("user and password")), "{verdict}");
        }
        let mut f = up_to(vantage, Layer::Auth);
        f.encrypt.client_offer = Some(seen(Bits(Bits::STATELESS | Bits::BITS_40)));
        f.encrypt.server_offer = Some(seen(Bits(Bits::STATELESS | Bits::BITS_128)));
        fails(&f, Code::E03);
        let mut f = up_to(vantage, Layer::Auth);
        f.encrypt.nak_loop = Some(seen(MppeLoop { rounds: 9, only_stateless: true }));
        fails(&f, Code::E07);
        let mut f = up_to(vantage, Layer::Address);
        f.encrypt.garbage = Some(seen("Protocol-Reject of 0x4d1b".into()));
        fails(&f, Code::E05);
        let mut f = up_to(vantage, Layer::Auth);
        f.lcp.terminated =
            Some(seen(Terminated { by: Side::Server, text: "MPPE required but not available".into() }));
        fails(&f, Code::E01);
    }
}

#[test]
fn rows_46_to_51_addresses() {
    for vantage in [D, PC, PS] {
        let mut f = up_to(vantage, Layer::Encrypt);
        f.lcp.terminated =
            Some(seen(Terminated { by: Side::Server, text: "no address left in the pool".into() }));
        fails(&f, Code::I01);
        let mut f = up_to(vantage, Layer::Encrypt);
        f.address.rejected = Some(seen(Side::Server));
        fails(&f, Code::I01);
        f.address.wanted = Some(Ipv4Addr::new(10, 1, 1, 1));
        fails(&f, Code::I02);
        let mut f = up_to(vantage, Layer::Encrypt);
        f.address.wanted = Some(Ipv4Addr::new(10, 1, 1, 1));
        f.address.naks = 5;
        fails(&f, Code::I02);
        let mut f = up_to(vantage, Layer::Address);
        f.address.assigned = Some(seen(Ipv4Addr::new(169, 254, 3, 4)));
        fails(&f, Code::I01);
        let mut f = up_to(vantage, Layer::Address);
        let net = "192.168.1.0/24".parse().unwrap();
        f.address.overlaps = vec![seen(Overlap {
            tunnel: net,
            local: net,
            whose: "eth0 of this host".into(),
            guessed: false,
        })];
        fails(&f, Code::I03);
        let mut f = up_to(vantage, Layer::Address);
        f.address.dns = Some(seen(Vec::new()));
        let verdict = judge(&f);
        assert_eq!((verdict.first_failure, verdict.findings[0].code), (None, Code::I04));
    }
}

fn target(last: [u8; 2], answer: Answer) -> adit_doctor::Seen<Target> {
    let address = Ipv4Addr::new(192, 168, last[0], last[1]);
    seen(Target { asked: format!("{address}:443"), address, port: Some(443), answer })
}

const SILENT: Answer = Answer::Silent { waited: std::time::Duration::from_secs(3) };

fn dns(answered: bool) -> adit_doctor::Seen<DnsTest> {
    seen(DnsTest { server: Ipv4Addr::new(192, 168, 10, 5), answered: answered.then_some(secs(0)) })
}

#[test]
fn rows_52_to_59_behind_the_tunnel() {
    let up = || up_to(D, Layer::Address);
    let unreachable = |code| Answer::Unreachable { from: IpAddr::V4(Ipv4Addr::new(10, 99, 0, 1)), code };

    let mut f = up();
    f.inside.dns = vec![dns(false)];
    f.inside.targets = vec![target([10, 20], Answer::Open { after: secs(0) })];
    fails(&f, Code::R04);

    let mut f = up();
    let name = NameTest {
        name: "files.corp".into(),
        server: Ipv4Addr::new(192, 168, 10, 5),
        found: Some(Vec::new()),
    };
    f.inside.dns = vec![dns(true)];
    f.inside.names = vec![seen(name)];
    fails(&f, Code::R05);

    let mut f = up();
    f.inside.dns = vec![dns(false)];
    f.inside.targets = vec![target([10, 20], SILENT)];
    f.inside.forwards = Some(false);
    fails(&f, Code::R06);
    f.inside.forwards = Some(true);
    fails(&f, Code::R03);

    let mut f = up();
    f.inside.targets = vec![target([10, 20], unreachable(13))];
    fails(&f, Code::R02);

    let mut f = up();
    f.inside.dns = vec![dns(true)];
    f.inside.forwards = Some(true);
    f.inside.targets = vec![target([10, 20], SILENT)];
    fails(&f, Code::R08);
    f.inside.targets = vec![target([10, 20], unreachable(1))];
    fails(&f, Code::R08);
    f.inside.targets = vec![target([10, 20], Answer::Refused)];
    fails(&f, Code::R09);
    f.inside.targets = vec![target([10, 20], unreachable(0))];
    fails(&f, Code::R01);
    f.inside.targets = vec![target([20, 20], Answer::Open { after: secs(0) })];
    f.inside.routes = Some(seen(vec!["192.168.10.0/24".parse().unwrap()]));
    fails(&f, Code::R01);
}

#[test]
fn rows_60_to_64_size_loss_and_loops() {
    for vantage in [D, PC, PS] {
        let mut f = up_to(vantage, Layer::Address);
        f.mtu.to_server = Bracket { passes: Some(seen(1260)), lost: Some(seen(1300)), is_outer: false };
        fails(&f, Code::M01);
        f.mtu.agreed = Some(1300);
        f.mtu.mss = Some(seen(1460));
        f.mtu.to_client.lost = Some(seen(1400));
        fails(&f, Code::M02);
        f.mtu.fragments_missing = Some(seen(12));
        fails(&f, Code::M03);

        let mut f = up_to(vantage, Layer::Address);
        f.gre.to_server = Way { packets: 700, lost: 300, ..f.gre.to_server };
        let verdict = judge(&f);
        assert_eq!((verdict.first_failure, verdict.findings[0].code), (None, Code::G07));
        assert!(verdict.findings[0].text.contains("from client to server"));
        // So much of it that silence shows nothing more; a refusal still does.
        f.inside.forwards = Some(true);
        f.inside.targets = vec![target([10, 20], SILENT)];
        fails(&f, Code::G07);
        f.inside.targets = vec![target([10, 20], Answer::Refused)];
        fails(&f, Code::R09);

        let mut f = up_to(vantage, Layer::Address);
        f.inside.tunnel_in_tunnel = Some(seen(()));
        fails(&f, Code::R01);
    }
}

#[test]
fn row_67_the_clients_own_filter() {
    let mut f = granted(D, 0, 3);
    f.gre.denied_here = Some(seen("Operation not permitted".into()));
    let verdict = fails(&f, Code::S03);
    assert_eq!(verdict.causes[0].owner, adit_doctor::Owner::Client);
    // A capture on the client shows no GRE of the client, and not why.
    unknown(&granted(PC, 0, 3));
}

#[test]
fn a_record_is_believed() {
    let codes = [
        Code::C05,
        Code::G02,
        Code::G05,
        Code::L01,
        Code::A01,
        Code::A04,
        Code::A08,
        Code::E03,
        Code::I01,
        Code::R02,
        Code::M01,
    ];
    for code in codes {
        let mut f = up_to(R, Layer::Control);
        f.reported = Some(Reported { code, detail: String::new() });
        let verdict = fails(&f, code);
        assert_eq!(verdict.confidence, adit_doctor::Confidence::High);
    }
}
