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
