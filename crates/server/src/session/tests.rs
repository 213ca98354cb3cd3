use std::sync::Arc;

use adit_crypto::mppe::Strength;
use adit_diag::note::LayerUp;

use adit_config::{Checked, Source};

use super::*;

fn session() -> Session {
    let from = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 40_000);
    Session::new(SessionId(41), from, Ipv4Addr::new(203, 0, 113, 10), Timestamp::UNIX_EPOCH)
}

fn agreed() -> Up {
    Up {
        name: Arc::from(&b"alice"[..]),
        method: None,
        server_proved: true,
        encryption: Some((Strength::Bits128, true)),
        local: Ipv4Addr::new(10, 99, 0, 1),
        peer: Ipv4Addr::new(10, 99, 0, 14),
        dns: vec![Ipv4Addr::new(192, 168, 10, 5)],
        wins: Vec::new(),
        mtu: 1396,
    }
}

#[test]
fn the_row_of_a_new_session_has_its_origin_and_the_control_layer() {
    let row = session().row();
    assert_eq!((row.id, row.state), (SessionId(41), State::At(Layer::Control)));
    assert_eq!(row.from, Ipv4Addr::new(198, 51, 100, 7));
    assert_eq!((row.user.as_str(), row.address, row.code), ("", None, None));
    assert_eq!((row.up_s, row.mppe, row.started), (0, 0, Utc(Timestamp::UNIX_EPOCH)));
}

#[test]
fn the_state_is_the_layer_in_set_up_and_up_afterwards() {
    let session = session();
    for layer in [Layer::Gre, Layer::Lcp, Layer::Auth] {
        session.known().layer = Some(layer);
        assert_eq!(session.row().state, State::At(layer));
    }
    session.known().up = Some(agreed());
    let row = session.row();
    assert_eq!((row.state, row.address, row.mppe), (State::Up, Some(Ipv4Addr::new(10, 99, 0, 14)), 128));
}

#[test]
fn the_code_is_shown_as_soon_as_it_is_known() {
    let session = session();
    session.known().code = Some(Code::G01);
    assert_eq!(session.row().code, Some(Code::G01));
}

#[test]
fn everything_reachable_differs_from_nothing_known_yet() {
    let session = session();
    assert!(!session.detail().reach_any, "a session in set-up may reach nothing");
    session.known().up = Some(agreed());
    let reach = |access: &str| {
        let text = format!("[pool]\nnet = \"10.99.0.0/24\"\n[access]\n{access}\n");
        let config = Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap();
        Some(Arc::new(config.reach(None, Arc::default())))
    };
    session.known().reach = reach("tunnel = \"all\"");
    assert!(session.detail().reach_any);
    session.known().reach = reach("routes = [\"10.0.0.0/8\"]");
    let detail = session.detail();
    assert_eq!((detail.reach_any, detail.reach), (false, vec!["10.0.0.0/8".parse().unwrap()]));
    assert_eq!((detail.mtu, detail.dns), (1396, vec![Ipv4Addr::new(192, 168, 10, 5)]));
}

#[test]
fn the_record_counts_from_the_start_of_the_session() {
    let session = session();
    session.record(session.started_at + Duration::from_millis(1500), &Note::LayerUp(LayerUp::Gre));
    // An instant before the start of the session must not panic: times in the record never decrease.
    session.record(session.started_at - Duration::from_millis(1), &Note::DhcpAnswered);
    let steps = session.detail().steps;
    assert_eq!(steps.iter().map(|step| step.at_ms).collect::<Vec<_>>(), [1500, 1500]);
    let (stored, omitted) = session.known().stored_record();
    assert_eq!((stored.len(), omitted), (2, 0));
    assert_eq!((stored[0].who.as_str(), stored[0].layer.as_str()), ("note", "PPP"));
    assert_eq!(stored[0].text, "gre ok: the peer's GRE arrives");
    assert_eq!(stored[0].note, Some(Note::LayerUp(LayerUp::Gre)));
}

#[test]
fn findings_are_those_of_the_counters_and_those_of_the_machine() {
    let session = session();
    {
        let mut known = session.known();
        known.counters = adit_diag::Counters { rx_frames: 6, lost: 3, ..adit_diag::Counters::default() };
        known.noticed.push(Finding::SizeProbe { lost: 1400, passes: 1300 });
    }
    let codes: Vec<_> = session.detail().findings.into_iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::G07, Code::M01]);
    session.known().up_at = Some(Instant::now());
    let codes: Vec<_> = session.detail().findings.into_iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::M01], "a call that is up may lose three packets");
}

#[test]
fn orders_wait_in_the_queue() {
    let session = session();
    session.end(Why::AdminReset, None, "kick".to_owned());
    session.cut();
    assert!(matches!(session.queue.try_next(), Some(Message::End { why: Why::AdminReset, .. })));
    assert!(matches!(session.queue.try_next(), Some(Message::Cut)));
}
