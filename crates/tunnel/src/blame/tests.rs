use super::*;

fn ended(code: Code) -> End {
    End { why: Why::Failed, by: Who::Neither, code: Some(code), detail: "nothing came".to_owned() }
}

fn neighbour(name: &str, same_call_id: bool) -> Neighbour {
    Neighbour { name: name.to_owned(), same_call_id, heard: true, began_behind: false }
}

#[test]
fn row_20_the_second_client_behind_one_router_is_g06() {
    for code in [Code::G01, Code::G02, Code::G03] {
        let end = behind_one_address(ended(code), &[neighbour("s41", true)]);
        assert_eq!(end.code, Some(Code::G06));
        assert_eq!(
            end.detail,
            "nothing came, while GRE of s41 from the same address works; both chose the same Call ID"
        );
    }
    // The first call, whose GRE packets went to the second.
    let second = Neighbour { began_behind: true, ..neighbour("s42", false) };
    let end = behind_one_address(ended(Code::G05), &[second]);
    assert_eq!(end.code, Some(Code::G06));
    assert!(end.detail.ends_with("since s42 called from the same address"), "{}", end.detail);
}

#[test]
fn a_neighbour_proves_nothing_where_it_fails_too_or_the_router_distinguishes_calls() {
    let deaf = Neighbour { heard: false, ..neighbour("s41", true) };
    assert_eq!(behind_one_address(ended(Code::G01), &[deaf]).code, Some(Code::G01));
    let two = [neighbour("s41", false), neighbour("s42", false)];
    assert_eq!(behind_one_address(ended(Code::G01), &two).code, Some(Code::G01));
    assert_eq!(behind_one_address(ended(Code::G05), &[neighbour("s41", true)]).code, Some(Code::G05));
    assert_eq!(behind_one_address(ended(Code::A01), &[neighbour("s41", true)]).code, Some(Code::A01));
    let fine = End { code: None, ..ended(Code::G01) };
    assert_eq!(behind_one_address(fine.clone(), &[neighbour("s41", true)]), fine);
}

fn judged(evidence: &Evidence) -> Code {
    evidence.judge(Side::Server, Code::L05, "no LCP").0
}

#[test]
fn row_15_nothing_at_all_proves_no_direction() {
    assert_eq!(judged(&Evidence::default()), Code::G01);
}

#[test]
fn row_13_16_18_22_a_client_that_reports_our_gre_proves_that_its_own_is_lost() {
    let mut evidence = Evidence::default();
    evidence.reported();
    assert_eq!(judged(&evidence), Code::G02);
    // An acknowledgment is stronger than any report.
    evidence.acknowledged();
    assert_eq!(judged(&evidence), Code::L05);
}

#[test]
fn row_21_a_call_id_that_changed_is_g04_wherever_it_shows() {
    let mut key = Evidence::default();
    key.unmatched(Unmatched::CallId(77));
    let mut reported = Evidence { heard: 4, ..Evidence::default() };
    reported.misnamed(1007);
    for evidence in [key, reported] {
        assert_eq!(judged(&evidence), Code::G04);
    }
    // A packet of another host is no evidence about a call whose own GRE arrives.
    let mut fine = Evidence { heard: 4, ..Evidence::default() };
    fine.unmatched(Unmatched::CallId(77));
    assert_eq!(judged(&fine), Code::G03);
}

#[test]
fn row_23_gre_from_another_address_names_it() {
    let mut evidence = Evidence::default();
    evidence.unmatched(Unmatched::Source(Ipv4Addr::new(203, 0, 113, 11)));
    let (code, detail) = evidence.judge(Side::Client, Code::L05, "no LCP");
    assert_eq!(code, Code::G03);
    assert!(detail.contains("203.0.113.11"), "{detail}");
}

const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// An LCP packet without options, as GRE carries it.
fn lcp(code: u8) -> [u8; 8] {
    [0xff, 0x03, 0xc0, 0x21, code, 1, 0, 4]
}

fn heard(frames: &[&[u8]]) -> Evidence {
    let mut evidence = Evidence::default();
    frames.iter().for_each(|frame| evidence.frame(frame));
    evidence
}

#[test]
fn a_call_whose_echoes_went_unanswered_before_the_peer_hung_up_lost_gre() {
    let now = Instant::now();
    let hung_up = |code| End { by: Who::Peer, why: Why::UserRequest, code, detail: "hung up".to_owned() };
    let after = |silence, end| silent(now + silence, now, end);
    for code in [None, Some(Code::C08)] {
        let end = after(SILENCE, hung_up(code));
        assert_eq!((end.why, end.by, end.code), (Why::LostCarrier, Who::Peer, Some(Code::G05)));
        assert_eq!(end.detail, "LCP echoes in GRE went unanswered for 10 s; then hung up");
        // A shorter silence is packet loss.
        let short = SILENCE.saturating_sub(Duration::from_millis(1));
        assert_eq!(after(short, hung_up(code)), hung_up(code));
        // In all other cases the side that ended the call knew the reason.
        for by in [Who::Us, Who::Neither] {
            let end = End { by, ..hung_up(code) };
            assert_eq!(after(SILENCE * 2, end.clone()), end);
        }
    }
    let has_its_reason = hung_up(Some(Code::L04));
    assert_eq!(after(SILENCE * 2, has_its_reason.clone()), has_its_reason);
}

#[test]
fn of_several_neighbours_only_one_with_the_same_call_id_is_to_blame() {
    let neighbours = [neighbour("s41", false), neighbour("s42", true)];
    let end = behind_one_address(ended(Code::G01), &neighbours);
    assert_eq!(end.code, Some(Code::G06));
    assert!(end.detail.contains("GRE of s42") && end.detail.ends_with("the same Call ID"), "{}", end.detail);
    // A call that receives no GRE does not count.
    let deaf = Neighbour { heard: false, ..neighbour("s43", false) };
    let end = behind_one_address(ended(Code::G02), &[deaf, neighbour("s41", false)]);
    assert_eq!(end.detail, "nothing came, while GRE of s41 from the same address works");
    assert_eq!(behind_one_address(ended(Code::G02), &[]), ended(Code::G02));
}

#[test]
fn a_link_that_falls_silent_is_blamed_on_a_neighbour_that_came_later_alone() {
    let later = Neighbour { began_behind: true, ..neighbour("s42", false) };
    for code in [Code::G05, Code::L04] {
        let end = behind_one_address(ended(code), std::slice::from_ref(&later));
        assert_eq!(end.code, Some(Code::G06), "{code}");
        assert_eq!(end.detail, "nothing came, since s42 called from the same address");
        assert_eq!(behind_one_address(ended(code), &[neighbour("s41", false)]), ended(code));
    }
}

#[test]
fn an_answer_to_our_request_proves_both_directions() {
    for code in [cp::CONFIGURE_ACK, cp::CONFIGURE_NAK, cp::CONFIGURE_REJECT] {
        assert_eq!(judged(&heard(&[&lcp(code)])), Code::L05, "{code}");
        // Later packets do not change the verdict.
        assert_eq!(judged(&heard(&[&lcp(code), &lcp(cp::CONFIGURE_REQUEST)])), Code::L05, "{code}");
    }
    let mut acknowledged = heard(&[&lcp(cp::CONFIGURE_REQUEST)]);
    acknowledged.acknowledged();
    assert_eq!(judged(&acknowledged), Code::L05);
}

#[test]
fn what_is_no_answer_to_our_lcp_request_proves_one_direction() {
    let ipcp_ack = [0xff, 0x03, 0x80, 0x21, cp::CONFIGURE_ACK, 1, 0, 4];
    let cut = [0xff, 0x03, 0xc0, 0x21, cp::CONFIGURE_ACK, 1, 0, 9];
    for frame in [&lcp(cp::CONFIGURE_REQUEST)[..], &lcp(cp::ECHO_REPLY), &ipcp_ack, &cut, &[]] {
        let evidence = heard(&[frame, frame, frame]);
        assert!(evidence.heard_anything());
        let (code, detail) = evidence.judge(Side::Server, Code::L05, "no LCP");
        assert_eq!(code, Code::G03, "{frame:?}");
        assert!(detail.starts_with("3 GRE packets of the peer arrived"), "{detail}");
        assert_eq!(evidence.judge(Side::Client, Code::L05, "no LCP").0, Code::G02, "{frame:?}");
    }
}

#[test]
fn an_acknowledgment_alone_is_something_heard() {
    let mut evidence = Evidence::default();
    assert!(!evidence.heard_anything());
    evidence.acknowledged();
    assert!(evidence.heard_anything());
}

#[test]
fn only_an_end_that_gre_can_explain_is_judged_anew() {
    let nothing = Evidence::default();
    for code in [Code::L01, Code::L03, Code::L05, Code::A05] {
        assert_eq!(nothing.judge(Side::Server, code, "it says").0, Code::G01, "{code}");
    }
    for code in [Code::L02, Code::L04, Code::A01, Code::E01, Code::C06] {
        let (judged, detail) = nothing.judge(Side::Server, code, "it says");
        assert_eq!((judged, detail.as_str()), (code, "it says"));
    }
    // If both directions work, it keeps its own code and detail.
    let fine = heard(&[&lcp(cp::CONFIGURE_ACK)]);
    assert_eq!(fine.judge(Side::Client, Code::L03, "it says"), (Code::L03, "it says".to_owned()));
}

#[test]
fn an_icmp_error_names_its_sender_and_its_reason() {
    let detail_of = |icmp| {
        let mut evidence = Evidence::default();
        evidence.unreachable(SERVER, icmp);
        // The first error is kept.
        evidence.unreachable(Ipv4Addr::LOCALHOST, 3);
        let (code, detail) = evidence.judge(Side::Client, Code::L05, "no LCP");
        assert_eq!(code, Code::G01);
        detail
    };
    assert_eq!(detail_of(2), "203.0.113.10 answered our GRE: protocol 47 unreachable");
    for icmp in [9, 10, 13] {
        let text = format!("administratively prohibited (ICMP type 3 code {icmp})");
        assert_eq!(detail_of(icmp), format!("203.0.113.10 answered our GRE: {text}"));
    }
    assert_eq!(detail_of(1), "203.0.113.10 answered our GRE: unreachable (ICMP type 3 code 1)");
    // GRE that arrives afterwards refutes it.
    let mut evidence = heard(&[&lcp(cp::CONFIGURE_REQUEST)]);
    evidence.unreachable(SERVER, 2);
    assert_eq!(evidence.judge(Side::Client, Code::L05, "no LCP").0, Code::G02);
}

#[test]
fn gre_gone_astray_is_lost_on_the_way_to_this_side() {
    let mut source = Evidence::default();
    source.unmatched(Unmatched::Source(SERVER));
    source.unmatched(Unmatched::Source(Ipv4Addr::LOCALHOST));
    let mut reported = Evidence::default();
    reported.reported();
    for evidence in [&source, &reported] {
        assert_eq!(evidence.judge(Side::Server, Code::L05, "no LCP").0, Code::G02);
        assert_eq!(evidence.judge(Side::Client, Code::L05, "no LCP").0, Code::G03);
    }
    assert!(source.judge(Side::Client, Code::L05, "").1.contains("arrives from 203.0.113.10"));
    let mut key = Evidence::default();
    key.unmatched(Unmatched::CallId(77));
    key.unmatched(Unmatched::CallId(78));
    assert!(key.judge(Side::Client, Code::L05, "").1.contains("names call 77"));
    // The same with an acknowledgment: it is GRE of this call.
    source.acknowledged();
    assert_eq!(source.judge(Side::Client, Code::L05, "no LCP").0, Code::L05);
}

#[test]
fn a_peer_that_denies_the_call_id_is_believed_until_it_answers() {
    let mut evidence = heard(&[&lcp(cp::CONFIGURE_REQUEST)]);
    evidence.misnamed(1007);
    let (code, detail) = evidence.judge(Side::Server, Code::A01, "it says");
    assert_eq!(code, Code::G04, "whatever it ended with");
    assert!(detail.contains("for call 1007"), "{detail}");
    evidence.frame(&lcp(cp::CONFIGURE_ACK));
    assert_eq!(evidence.judge(Side::Server, Code::A01, "it says").0, Code::A01);
}

#[test]
fn a_peer_whose_answers_are_overdue_is_sent_what_it_cannot_know() {
    let early = REPORT_AFTER.saturating_sub(Duration::from_millis(1));
    let request = heard(&[&lcp(cp::CONFIGURE_REQUEST)]);
    assert_eq!(request.gre_report(REPORT_AFTER), Some(GreReport::Heard));
    assert_eq!(request.gre_report(REPORT_AFTER * 2), Some(GreReport::Heard));
    assert_eq!(request.gre_report(early), None);
    // Nothing was received: there is nothing to report.
    assert_eq!(Evidence::default().gre_report(REPORT_AFTER), None);
    // The peer knows already.
    assert_eq!(heard(&[&lcp(cp::CONFIGURE_ACK)]).gre_report(REPORT_AFTER), None);
    let mut acknowledged = request.clone();
    acknowledged.acknowledged();
    assert_eq!(acknowledged.gre_report(REPORT_AFTER), None);

    let mut misnamed = Evidence::default();
    misnamed.unmatched(Unmatched::CallId(77));
    assert_eq!(misnamed.gre_report(REPORT_AFTER), Some(GreReport::Misnamed(77)));
    assert_eq!(misnamed.gre_report(early), None);
    // GRE of this call arrives: other GRE belongs to another host.
    misnamed.frame(&lcp(cp::CONFIGURE_REQUEST));
    assert_eq!(misnamed.gre_report(REPORT_AFTER), Some(GreReport::Heard));
}

#[test]
fn an_end_by_the_other_side_does_not_hide_that_gre_broke() {
    let end = |by| End { by, why: Why::UserRequest, code: None, detail: "hung up".to_owned() };
    let nothing = Evidence::default();
    for by in [Who::Peer, Who::Neither] {
        let explained = nothing.explain(Side::Server, end(by), true);
        assert_eq!((explained.why, explained.by, explained.code), (Why::Failed, by, Some(Code::G01)));
        assert!(explained.detail.ends_with("; then hung up"), "{}", explained.detail);
        // The peer did not wait for GRE: it may have been cancelled.
        assert_eq!(nothing.explain(Side::Server, end(by), false), end(by));
        // A Call ID that changed is certain at once.
        let mut misnamed = Evidence::default();
        misnamed.misnamed(1007);
        assert_eq!(misnamed.explain(Side::Server, end(by), false).code, Some(Code::G04));
    }
    assert_eq!(nothing.explain(Side::Server, end(Who::Us), true), end(Who::Us));
    // If GRE works, the end reported by LCP is kept.
    let fine = heard(&[&lcp(cp::CONFIGURE_ACK)]);
    assert_eq!(fine.explain(Side::Server, end(Who::Peer), true), end(Who::Peer));
}
