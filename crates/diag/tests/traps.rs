//! The traps that an explainer falls into, one test each.

#![allow(clippy::panic, reason = "a test that fails says why")]

use adit_diag::{Explanation, Foreign, explain};

/// The page on one line, as wrapping is not what is tested here.
fn flat(page: &Foreign) -> String {
    page.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn pages(question: &str) -> Vec<Foreign> {
    match explain(question) {
        Ok(Explanation::Foreign(pages)) => pages,
        other => panic!("{question}: {other:?}"),
    }
}

#[test]
fn one_number_is_never_one_cause() {
    for number in ["619", "691", "720", "734", "800"] {
        let page = pages(number).remove(0);
        assert!(page.causes.len() >= 3, "{number}");
        assert!(page.layers().len() >= 2 || number == "691", "{number}");
        let text = page.to_string();
        assert!(text.contains("Tell apart"), "{text}");
        // Each cause has a test of its own, and the likeliest stands first.
        let mut tests: Vec<&str> = page.causes.iter().map(|cause| cause.when.as_str()).collect();
        tests.sort_unstable();
        tests.dedup();
        assert_eq!(tests.len(), page.causes.len(), "{number}");
        assert!(page.causes.is_sorted_by_key(|cause| cause.rank), "{number}");
    }
    assert!(pages("691")[0].causes.iter().any(|cause| cause.code.as_str() == "A05"), "a method mismatch");
    let client = pages("720").remove(0).causes;
    assert!(client.iter().any(|cause| cause.when.contains("WAN Miniport")), "a broken client");
}

#[test]
fn what_fell_through_to_l2tp_is_not_the_error() {
    for number in [766, 781, 786, 787, 788, 789, 790, 791, 792, 793, 835] {
        let page = pages(&number.to_string()).remove(0);
        assert!(page.causes.is_empty(), "{number}");
        let text = flat(&page);
        assert!(text.contains("Not PPTP") && text.contains("Set "), "{text}");
        assert!(text.contains("type to PPTP and read the real error"), "{text}");
    }
}

#[test]
fn a_stage_and_a_code_are_reported_together() {
    for stage in [20221, 20222, 20223, 20224, 20225, 20227] {
        let page = pages(&format!("event {stage}")).remove(0);
        assert!(page.causes.is_empty() && page.note.is_some(), "{stage}");
    }
    let both = pages("Event ID 20224, then event id 20227: the error code returned on failure is 691");
    let keys: Vec<&str> = both.iter().map(|page| page.key.as_str()).collect();
    assert_eq!(keys, ["event:20224", "event:20227", "windows:691"]);
    assert!(
        both[0].note.as_deref().unwrap().contains("link is up") || both[0].wording.contains("link is up")
    );
}

#[test]
fn port_47_is_the_classic_mistake() {
    for question in
        ["open port 47", "how do I forward TCP 47", "iptables -A INPUT -p tcp --dport 47", "udp port 47"]
    {
        let page = pages(question).remove(0);
        assert_eq!(page.causes[0].code.as_str(), "S03", "{question}");
        assert!(flat(&page).contains("number of a protocol"), "{question}");
    }
}

#[test]
fn thirty_seconds_are_ten_requests() {
    let page = pages("LCP: timeout sending Config-Requests").remove(0);
    let note = page.note.as_deref().unwrap();
    assert!(
        note.contains("ten requests") && note.contains("three seconds") && note.contains("30 seconds"),
        "{note}"
    );
    assert_eq!(page.causes[0].code.as_str(), "G01");
}

#[test]
fn a_hang_up_is_a_consequence() {
    let page = pages("pppd:16").remove(0);
    assert!(flat(&page).contains("who closed TCP 1723 first"));
    // In a whole log the line that is the cause wins over those that follow from it.
    let log =
        "pppd[1]: LCP: timeout sending Config-Requests pppd[1]: Connection terminated. pppd[1]: Modem hangup";
    assert_eq!(pages(log)[0].key, "pppd:\"LCP: timeout sending Config-Requests\"");
    let log = "pptpd[2]: CTRL: Reaping child PPP[3] pppd[3]: Peer bob failed CHAP authentication pppd[3]: Modem hangup";
    assert_eq!(pages(log)[0].causes[0].code.as_str(), "A01");
}

#[test]
fn a_session_that_dies_of_silence() {
    let page = pages("the vpn drops after 3 min idle").remove(0);
    assert_eq!(page.causes[0].code.as_str(), "G05");
    let text = flat(&page);
    assert!(text.contains("30 s") && text.contains("180 s") && text.contains("LCP echoes"), "{text}");
    let g05 = explain("G05").unwrap().to_string();
    assert!(g05.contains("keep-alive of TCP 1723 does not"), "{g05}");
}

#[test]
fn a_server_that_answers_from_another_address() {
    for question in ["wire:gre-other-address", "GRE: bind() failed, may not work if we are multi-homed"] {
        assert_eq!(pages(question)[0].causes[0].code.as_str(), "G03", "{question}");
    }
    let page = explain("G03").unwrap().to_string();
    assert!(page.contains("Server with several addresses"), "{page}");
}
