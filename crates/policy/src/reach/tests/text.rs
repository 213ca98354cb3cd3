//! Reading and writing rules.

use super::*;

#[test]
fn rules_are_read_and_written() {
    for (text, written) in [
        ("allow routes", "allow routes"),
        ("deny any log", "deny any log"),
        ("allow icmp", "allow icmp"),
        ("allow any icmp", "allow icmp"),
        ("allow  192.168.20.5/32 ", "allow 192.168.20.5"),
        ("allow 192.168.10.0/24 tcp 445,443", "allow 192.168.10.0/24 tcp 443,445"),
        ("allow 10.0.0.0/8 udp 53,1000-2000,2001 log", "allow 10.0.0.0/8 udp 53,1000-2001 log"),
        ("deny any 50", "deny any 50"),
        ("deny any 47", "deny any gre"),
        ("allow 10.1.2.3 icmp log", "allow 10.1.2.3 icmp log"),
        ("allow any tcp log", "allow any tcp log"),
    ] {
        let rule = Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(rule.to_string(), written);
        assert_eq!(Rule::parse(written), Ok(rule));
    }
}

#[test]
fn an_error_has_its_place_and_what_was_expected() {
    for (text, part, expected, meant) in [
        ("", "", "allow or deny", None),
        ("alow any", "alow", "allow or deny", Some("allow")),
        ("permit any", "permit", "allow or deny", Some("allow")),
        ("allow", "", "routes, any, icmp", None),
        ("allow route", "route", "routes, any, icmp", Some("routes")),
        ("allow all", "all", "routes, any, icmp", Some("any")),
        ("allow 10.0.0.7/8", "10.0.0.7/8", "first address", Some("10.0.0.0/8")),
        ("allow 10.0.0.0/33", "10.0.0.0/33", "a length from 0 to 32", None),
        ("allow 10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0", "a length", Some("10.0.0.0/8")),
        ("allow fe80::1", "fe80::1", "a network or an address", None),
        ("allow any tpc 443", "tpc", "tcp, udp", Some("tcp")),
        ("allow any 443", "443", "tcp or udp before", Some("tcp 443")),
        ("allow any 256", "256", "tcp or udp before", Some("tcp 256")),
        ("allow any tcp 443,70000", "70000", "a port from 0 to 65535", None),
        ("allow any tcp +443", "+443", "a port from 0 to 65535", None),
        ("allow any tcp 080", "080", "a port from 0 to 65535", None),
        ("allow any +6", "+6", "tcp, udp", None),
        ("allow any 06 443", "06", "tcp or udp before", Some("tcp 06")),
        ("allow 10.0.0.0/+8", "10.0.0.0/+8", "a length from 0 to 32", None),
        ("allow\u{a0}any", "allow\u{a0}any", "allow or deny", Some("allow")),
        ("allow any tcp\u{2003}443", "tcp\u{2003}443", "tcp, udp", None),
        ("allow any tcp 443,,80", "", "a port from 0 to 65535", None),
        ("allow any tcp 90-80", "90-80", "first-last", Some("80-90")),
        ("allow any icmp 8", "8", "log, or the end", None),
        ("allow any tcp 80 lgo", "lgo", "log, or the end", Some("log")),
        ("allow any log tcp", "tcp", "nothing after log", None),
    ] {
        let error = Rule::parse(text).expect_err(text);
        assert_eq!(&text[error.at.clone()], part, "{text}: {error:?}");
        assert!(error.expected.contains(expected), "{text}: {error:?}");
        assert_eq!(error.meant.as_deref(), meant, "{text}: {error:?}");
    }
}

#[test]
fn a_text_without_end_is_refused() {
    let text = format!("allow any tcp {}", "1,".repeat(5_000));
    assert_eq!(Rule::parse(&text).unwrap_err().at, 0..text.len());
    let text = format!("allow any tcp {}9", "1,".repeat(64));
    assert!(Rule::parse(&text).unwrap_err().message.contains("at most 64"));
}

#[test]
fn services_of_the_server_are_read_and_written() {
    for text in ["none", "all", "ping", "ping+dns", "dns+tcp/443+tcp/8000-8080+udp/123"] {
        assert_eq!(ServerReach::parse(text).unwrap().to_string(), text);
    }
    for (text, part, meant) in [
        ("pign+dns", "pign", Some("ping")),
        ("ping + tcp", "tcp", None),
        ("ping+tcp/99999", "tcp/99999", None),
        ("ping+", "", None),
        ("ping+all", "all", None),
        ("icmp", "icmp", Some("ping")),
    ] {
        let error = ServerReach::parse(text).expect_err(text);
        assert_eq!((&text[error.at.clone()], error.meant.as_deref()), (part, meant), "{error:?}");
    }
}

proptest! {
    #[test]
    fn a_written_rule_reads_the_same(rule in any_rule()) {
        prop_assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
    }

    #[test]
    fn any_text_is_read_or_has_a_place(text in "[a-z0-9./, é-]{0,40}") {
        if let Err(error) = Rule::parse(&text) {
            prop_assert!(text.get(error.at).is_some());
        }
        if let Err(error) = ServerReach::parse(&text) {
            prop_assert!(text.get(error.at).is_some());
        }
    }
}
