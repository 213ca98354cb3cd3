use super::*;
use crate::Code;
use crate::note::Destination;

#[test]
fn every_kind_has_one_word() {
    for kind in EventKind::ALL {
        assert_eq!(kind.word().parse(), Ok(*kind));
        assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
    }
    assert_eq!("auth.failed".parse::<EventKind>(), Err(UnknownKind));
}

#[test]
fn facts_bear_their_kind_and_come_back() {
    let failed = Failed {
        why: Some(Why::Failed),
        after_ms: Some(1_049),
        cause: Cause::Login(crate::LoginRefusal::WrongPassword),
        vendor: "Microsoft".to_owned(),
        findings: vec![
            Finding::Loss { lost: 310, sent: 1030 },
            Finding::Denied {
                packets: 3,
                key: "access.routes".to_owned(),
                last: Destination { address: [192, 168, 20, 5].into(), protocol: 6, port: 3389 },
            },
        ],
    };
    let facts = EventFacts::AuthFail(failed);
    let json = serde_json::to_string(&facts).unwrap();
    assert!(json.starts_with(r#"{"kind":"auth.fail","why":"failed","after_ms":1049,"#), "{json}");
    assert_eq!(serde_json::from_str::<EventFacts>(&json).unwrap(), facts);
    let shown: Vec<String> =
        facts.fields(Some(Code::A01)).iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        shown.join(" "),
        "layer=auth why=failed after_s=1.0 detail=wrong password vendor=Microsoft findings=G07,R02"
    );
}

#[test]
fn an_empty_detail_is_not_shown() {
    let ended = Ended {
        why: Why::UserRequest,
        up_s: 7,
        rx_bytes: 1,
        tx_bytes: 2,
        cause: "".into(),
        findings: Vec::new(),
    };
    let facts = EventFacts::SessionEnd(ended);
    assert_eq!(facts.kind(), EventKind::SessionEnd);
    let keys: Vec<String> = facts.fields(None).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["why", "up_s", "rx", "tx"]);
}

#[test]
fn a_denied_packet_is_shown_with_its_rule() {
    let last = Some(Destination { address: [192, 168, 10, 20].into(), protocol: 6, port: 3389 });
    let (key, rule) = ("groups.staff.acl[3]".to_owned(), "deny any log".to_owned());
    let facts = EventFacts::AclDeny(RuleMatched { key, rule, packets: 3, last });
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<EventFacts>(&json).unwrap(), facts);
    let shown: Vec<String> =
        facts.fields(Some(Code::R02)).iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        shown.join(" "),
        "layer=route key=groups.staff.acl[3] rule=deny any log packets=3 last=192.168.10.20 tcp/3389"
    );
}

#[test]
fn a_refused_configuration_names_the_sessions() {
    let lost = |session| LostSession { session, user: "alice".to_owned(), address: [10, 99, 0, 14].into() };
    let failed = ReloadFailed { detail: "no".to_owned(), sessions: vec![lost(7), lost(8)], omitted: 3 };
    let facts = EventFacts::ConfigFail(failed);
    let json = serde_json::to_string(&facts).unwrap();
    assert!(json.starts_with(r#"{"kind":"config.fail","detail":"no","#), "{json}");
    assert_eq!(serde_json::from_str::<EventFacts>(&json).unwrap(), facts);
    let shown: Vec<String> = facts.fields(None).iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(shown, ["detail=no", "sessions=s7 alice 10.99.0.14, s8 alice 10.99.0.14", "more=3"]);
}

#[test]
fn a_fault_and_its_end_are_shown_alike() {
    let fault = |lasted_s| HostFault { part: HostPart::Address, detail: "gone".to_owned(), lasted_s };
    let shown =
        |facts: EventFacts| facts.fields(None).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert_eq!(shown(EventFacts::ServerFault(fault(None))), ["address", "gone"]);
    assert_eq!(shown(EventFacts::ServerRepair(fault(Some(4)))), ["address", "gone", "4"]);
    assert_eq!(serde_json::to_string(&HostPart::Address).unwrap(), "\"address\"");
}

#[test]
fn a_ban_names_network_end_and_administrator() {
    let network = "203.0.113.0/24".parse().unwrap();
    let banned = |by: Option<&str>, reason: &str| {
        let by = by.map(str::to_owned);
        EventFacts::AddressBanned(Banned { network, lasts_s: 3_600, by, reason: reason.to_owned() })
    };
    let shown = |facts: &EventFacts, code| {
        facts.fields(code).iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    let by_server = banned(None, "");
    assert_eq!(shown(&by_server, Some(Code::A04)), "layer=auth network=203.0.113.0/24 lasts_s=3600");
    let by_root = banned(Some("root"), "scan");
    assert_eq!(shown(&by_root, None), "network=203.0.113.0/24 lasts_s=3600 by=root reason=scan");
    for facts in [by_server, by_root, EventFacts::AccountLocked { lasts_s: 9 }] {
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<EventFacts>(&json).unwrap(), facts, "{json}");
    }
}
