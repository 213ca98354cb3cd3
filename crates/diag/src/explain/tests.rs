use super::*;

fn codes(query: &str) -> Vec<String> {
    match explain(query) {
        Ok(Explanation::Code(entry)) => vec![entry.code.to_string()],
        Ok(Explanation::Foreign(pages)) => pages.into_iter().map(|page| page.key).collect(),
        Err(unknown) => panic!("{unknown}"),
    }
}

fn first(query: &str) -> Code {
    match explain(query) {
        Ok(Explanation::Foreign(pages)) => pages[0].causes[0].code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn our_own_codes_in_any_case_and_inside_a_line() {
    assert_eq!(codes("G01"), ["G01"]);
    assert_eq!(codes(" g01 "), ["G01"]);
    assert_eq!(codes("2026-11-22T18:02:40Z auth.fail user=bob from=198.51.100.7 code=A01 tries=1"), ["A01"]);
}

#[test]
fn numbers_of_windows_and_keys() {
    assert_eq!(codes("619"), ["windows:619"]);
    assert_eq!(codes("error 619"), ["windows:619"]);
    assert_eq!(codes("Windows:619"), ["windows:619"]);
    assert_eq!(codes("windows 619"), ["windows:619"]);
    assert_eq!(
        codes("Error 619: A connection to the remote computer could not be established"),
        ["windows:619"]
    );
    assert_eq!(codes("pppd:16"), ["pppd:16"]);
    assert_eq!(codes("pppd exit code 16"), ["pppd:16"]);
    assert_eq!(codes("pptp:result:3"), ["pptp:start:3", "pptp:call:3"]);
    for question in ["0x26b", "error: 0x26B", "Error Code 619", "ras 619", "VPN error 619", "619."] {
        assert_eq!(codes(question), ["windows:619"], "{question}");
    }
    for question in
        ["exit 16", "exit code 16", "exit status 16", "pppd: exited with status 16", "pppd exit 16"]
    {
        assert_eq!(codes(question), ["pppd:16"], "{question}");
    }
    for question in ["event 20209", "Event ID: 20209", "EventID 20209", "RRAS event 20209"] {
        assert_eq!(codes(question), ["event:20209"], "{question}");
    }
    for question in ["NPS 65", "NPS reason 65", "Reason code: 65", "reason 65", "IAS reason code 65"] {
        assert_eq!(codes(question), ["nps:65"], "{question}");
    }
    assert_eq!(codes("RADIUS terminate cause 5"), ["radius:terminate:5"]);
    assert_eq!(codes("Acct-Terminate-Cause = Session-Timeout"), ["radius:terminate:5"]);
    assert_eq!(codes("Lost-Carrier"), ["radius:terminate:2"]);
    assert_eq!(codes("SCCRP result 4"), ["pptp:start:4"]);
    assert_eq!(codes("CDN result 3"), ["pptp:disconnect:3"]);
    assert_eq!(codes("OCRP result 2 error 4"), ["pptp:call:2", "pptp:general:4"]);
    assert_eq!(codes("StopCCRQ reason 3"), ["pptp:stop:3"]);
    assert_eq!(codes("pptp cause 17"), ["pptp:cause:17"]);
    assert_eq!(codes("E=691 R=0"), ["mschap:691"]);
    assert_eq!(codes("routeros:peer-request"), ["routeros:\"terminating... - peer request\""]);
    assert_eq!(codes("wire:syn-unanswered"), ["wire:syn-unanswered"]);
    assert_eq!(codes("pptp:general:6"), ["pptp:general:6"]);
    assert_eq!(codes("pptp:disconnect:4"), ["pptp:disconnect:4"]);
    assert_eq!(codes("mschap:691"), ["mschap:691"]);
    assert_eq!(codes("E=691"), ["mschap:691"]);
    assert_eq!(codes("E=648 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=expired"), ["mschap:648"]);
    assert_eq!(codes("radius:terminate:5"), ["radius:terminate:5"]);
    assert_eq!(codes("16"), ["pppd:16", "nps:16"]);
    assert_eq!(codes("20209"), ["event:20209"]);
}

#[test]
fn what_the_classic_ones_mean_first() {
    for (query, code) in [
        ("619", Code::G01),
        ("691", Code::A01),
        ("720", Code::I01),
        ("721", Code::G01),
        ("734", Code::E01),
        ("741", Code::E03),
        ("742", Code::E02),
        ("743", Code::E01),
        ("778", Code::A12),
        ("800", Code::C01),
        ("806", Code::G01),
        ("809", Code::C01),
        ("868", Code::N01),
        ("pppd:15", Code::L04),
        ("pppd:19", Code::A01),
        ("LCP: timeout sending Config-Requests", Code::G01),
    ] {
        assert_eq!(first(query), code, "{query}");
    }
}

#[test]
fn quoted_log_lines() {
    assert_eq!(
        codes("\"Nov 22 18:02:11 gw pppd[812]: LCP: timeout sending Config-Requests\""),
        ["pppd:\"LCP: timeout sending Config-Requests\""]
    );
    assert_eq!(
        codes("timeout sending config-requests"),
        ["pppd:\"IPCP: timeout sending Config-Requests\"", "pppd:\"LCP: timeout sending Config-Requests\"",]
    );
    assert_eq!(codes("Unsupported protocol 0x3a61 received"), ["pppd:\"Unsupported protocol\""]);
    assert_eq!(
        codes("MPPE required, but kernel has no support."),
        ["pppd:\"MPPE required, but kernel has no support\""]
    );
    assert_eq!(codes("pppd:\"Modem hangup\""), ["pppd:\"Modem hangup\""]);
    assert_eq!(
        codes("terminating... - peer is not responding"),
        ["routeros:\"terminating... - peer is not responding\""]
    );
    // What changes may stand in the middle.
    assert_eq!(
        codes("Peer alice failed CHAP authentication"),
        ["pppd:\"Peer * failed CHAP authentication\""]
    );
}

#[test]
fn the_number_with_which_windows_hangs_up_is_read() {
    let line = |end: &str| format!("pppd[812]: LCP terminated by peer (^?M-^GM-^J^@<M-Mt{end})");
    assert_eq!(codes(&line("^@^@^BM-f")), ["windows:742"]);
    assert_eq!(codes(&line("^@^@^@^@")), ["windows:631"]);
    // Cut short, or an unknown number: the line itself.
    for end in ["", "^@^@", "^@^@M-", "M-^?M-^?M-^?M-^?", "^@^@^Ü^@"] {
        assert_eq!(codes(&line(end)), ["pppd:\"LCP terminated by peer\""], "{end}");
    }
}

#[test]
fn what_is_not_pptp_is_reported_as_such() {
    let page = explain("789").unwrap().to_string();
    assert!(page.contains("Not PPTP"), "{page}");
    assert!(!page.contains("Tell apart"));
}

#[test]
fn unknown_ones_have_a_near_one_and_never_a_guess() {
    let unknown = explain("G1").unwrap_err();
    assert!(unknown.to_string().starts_with("nothing is known about \"G1\": did you mean G01"), "{unknown}");
    assert!(explain("pppd:160").unwrap_err().near.iter().any(|near| near.starts_with("pppd:1")));
    assert!(explain("612").unwrap_err().near.iter().any(|near| near.starts_with("windows:6")));
    assert_eq!(explain("").unwrap_err().near, [""; 0]);
    assert!(explain("xyzzy").is_err());
    assert!(explain("the").is_err());
    assert!(explain(&"ü".repeat(100_000)).is_err());
}

#[test]
fn as_people_see_it() {
    let page = explain("619").unwrap().to_string();
    assert!(page.starts_with("619  Windows   the port was disconnected; the connection could not be made\n"));
    assert!(
        page.contains("     Layer      usually G (gre), sometimes E (encrypt), I (address), C (control)\n"),
        "{page}"
    );
    assert!(
        page.contains(
            "     Tell apart no LCP line in the server's record of that minute\n                  → G01  No GRE heard\n"
        ),
        "{page}"
    );
    assert!(page.contains("windows:721"), "{page}");
}
