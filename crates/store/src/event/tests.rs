use adit_diag::LoginRefusal;
use adit_diag::event::Failed;
use adit_diag::note::{Cause, Why};

use super::*;

fn refused(user: &str) -> NewEvent {
    let failed = Failed {
        why: Some(Why::Failed),
        after_ms: Some(420),
        cause: Cause::Login(LoginRefusal::WrongPassword),
        vendor: "Microsoft Windows NT".into(),
        findings: Vec::new(),
    };
    let mut event = NewEvent::new("2026-11-22T18:02:40.250Z".parse().unwrap(), EventFacts::AuthFail(failed));
    event.user = Some(user.into());
    event.code = Some(Code::A01);
    event
}

#[test]
fn one_event_is_one_line() {
    let mut event = refused("bob");
    event.from = Some("198.51.100.7".parse().unwrap());
    event.session = Some(SessionId(39));
    assert_eq!(
        event.to_string(),
        "2026-11-22T18:02:40Z auth.fail   user=bob from=198.51.100.7 code=A01 layer=auth why=failed after_s=0.4 \
         detail=\"wrong password\" vendor=\"Microsoft Windows NT\" call=s39"
    );
}

#[test]
fn an_event_of_another_version_is_a_line_too() {
    let event = Event {
        id: 7,
        at: "2026-11-22T18:02:40Z".parse().unwrap(),
        kind: Recorded::from("auth.throttle".to_owned()),
        user: None,
        from: None,
        code: Some(Recorded::from("Z99".to_owned())),
        session: None,
        fields: vec![("for_s".into(), "60".into())],
        facts: None,
    };
    assert_eq!(event.to_string(), "2026-11-22T18:02:40Z auth.throttle code=Z99 for_s=60");
    assert_eq!(event.known_code(), None);
}

#[test]
fn no_name_can_forge_a_field_or_a_line() {
    let line = refused("x code=A01 from=192.0.2.1\n2026 \"\\\u{2028}").to_string();
    assert!(
        line.starts_with(
            "2026-11-22T18:02:40Z auth.fail   user=\"x code\\x3dA01 from\\x3d192.0.2.1\\x0a2026 \\\"\\\\\\u{2028}\" code=A01 "
        ),
        "{line}"
    );
    assert_eq!(line.matches("from=").count(), 0);
    assert_eq!(line.lines().count(), 1);
}
