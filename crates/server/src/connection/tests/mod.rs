//! Tests of the machine of a connection, without kernel and store.

mod fakes;
mod shell;
mod world;

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adit_api::session::State as SessionState;
use adit_diag::{Code, LoginRefusal};
use adit_store::Change;
use adit_tunnel::events::{Answer, Command, Unmatched, Why};

use super::machine::Input;
use super::state::State;
use crate::event_writer::Entry;
use crate::message::Message;
use fakes::PASSWORD;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_call_comes_up_with_slot_routes_and_event_in_order() {
    let mut world = World::new(PASSWORD);
    world.settle();
    assert!(world.is_up());
    let fake = &world.fake;
    let order = [
        "slot Called",
        "path open 4711 198.51.100.7",
        "slot Linked",
        "slot Lcp",
        "slot Login",
        "slot Answered",
        "slot call up",
        "slot free",
        "route add 192.168.77.0/24",
        "event session.up",
    ];
    let at: Vec<usize> = order.iter().map(|line| fake.position(line)).collect();
    assert!(at.is_sorted(), "{:#?}", fake.log());
    assert_eq!(world.handles.registry.up_and_starting(), (1, 0));
    let row = world.session.row();
    assert_eq!((row.state, row.user.as_str()), (SessionState::Up, "alice"));
    assert_eq!(row.address, Some(Ipv4Addr::new(10, 99, 0, 14)));
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_behind() {
    let mut world = World::new(PASSWORD);
    world.settle();
    world.fake.packets.store(17, Ordering::Relaxed);
    world.client.handle_command(world.now.instant, Command::Stop { why: Why::UserRequest });
    world.run(MINUTE);
    assert!(world.is_finished);
    let fake = &world.fake;
    // The address may be assigned to another client as soon as it is released: no route may still lead to
    // this one.
    let order = [
        "path close 4711",
        "route remove 192.168.77.0/24",
        "release s41",
        "row released pool 10.99.0.14",
        "event session.end",
        "row ended",
    ];
    let at: Vec<usize> = order.iter().map(|line| fake.position(line)).collect();
    assert!(at.is_sorted(), "{:#?}", fake.log());
    let end = world.end();
    assert_eq!((end.why.as_str(), end.by.as_str(), end.code), ("user-request", "received", None));
    assert_eq!(world.handles.registry.len(), 0);
    let packets = world.session.known().counters.rx_packets;
    assert_eq!(packets, 18, "packets that passed after the last look count");
}

#[test]
fn a_route_that_cannot_be_added_is_noted_and_not_removed() {
    let mut world = World::new(PASSWORD);
    world.fake.has_no_route.store(true, Ordering::Relaxed);
    world.settle();
    assert!(world.is_up());
    let note = "no route to 192.168.77.0/24 behind this client: no such device";
    assert!(world.record().iter().any(|text| text == note), "{:#?}", world.record());
    world.client.handle_command(world.now.instant, Command::Stop { why: Why::UserRequest });
    world.run(MINUTE);
    assert!(!world.fake.log().iter().any(|line| line.starts_with("route remove")));
}

#[test]
fn a_wrong_password_is_the_cause_though_the_client_hangs_up() {
    let mut world = World::new("wrong");
    world.run(MINUTE);
    assert!(world.is_finished);
    let end = world.end();
    assert_eq!((end.why.as_str(), end.code.as_deref()), ("failed", Some("A01")));
    assert_eq!(end.detail, "wrong password");
    assert_eq!(end.refusal, Some(LoginRefusal::WrongPassword));
    world.fake.position("event auth.fail");
    world.fake.position("slot login refused");
    assert_eq!(world.handles.registry.failed(), [(Code::A01, 1)]);
    // The slot is held until everything is over.
    assert!(world.fake.position("slot free") > world.fake.position("row ended"));
}

#[test]
fn a_draining_server_refuses_the_call() {
    let mut world = World::new(PASSWORD);
    world.handles.registry.draining.store(true, Ordering::Relaxed);
    world.run(MINUTE);
    let end = world.end();
    assert_eq!(end.code.as_deref(), Some("C05"));
    assert!(end.detail.contains("drained"), "{}", end.detail);
    assert!(!world.fake.log().iter().any(|line| line.starts_with("path")), "no path was opened");
}

#[test]
fn without_a_call_id_the_call_is_refused_and_the_slot_stays_until_the_end() {
    let mut world = World::new(PASSWORD);
    world.fake.has_no_call_id.store(true, Ordering::Relaxed);
    world.run(MINUTE);
    assert_eq!(world.end().code.as_deref(), Some("C05"));
    assert!(world.fake.position("slot free") > world.fake.position("row ended"));
}

#[test]
fn an_administrator_ends_a_session_in_order() {
    let mut world = World::new(PASSWORD);
    world.settle();
    let reason = "maintenance".to_owned();
    world.message(Message::End { why: Why::AdminReset, code: None, reason });
    world.run(MINUTE);
    assert!(world.is_finished);
    let end = world.end();
    assert_eq!((end.why.as_str(), end.by.as_str()), ("admin-reset", "sent"));
    assert_eq!(end.detail, "maintenance", "the reason is in the record of the session");
    let fields = world.fake.fields("session.end");
    assert!(fields.contains(&("detail".to_owned(), "maintenance".to_owned())), "{fields:?}");
    assert!(world.record().iter().any(|text| text == "admin-reset: maintenance"));
}

#[test]
fn an_order_before_any_call_is_the_end_of_the_session() {
    let mut world = World::new(PASSWORD);
    let reason = "others wait".to_owned();
    world.message(Message::End { why: Why::Failed, code: Some(Code::C05), reason });
    world.run(MINUTE);
    let end = world.end();
    assert_eq!(
        (end.why.as_str(), end.code.as_deref(), end.detail.as_str()),
        ("failed", Some("C05"), "others wait")
    );
}

#[test]
fn an_evicted_set_up_leaves_a_row_and_neither_event_nor_record() {
    let mut world = World::new(PASSWORD);
    world.has_gre = false;
    world.settle();
    world.session.known().is_evicted = true;
    let reason = "others wait".to_owned();
    world.message(Message::End { why: Why::Failed, code: Some(Code::C05), reason });
    world.message(Message::Cut);
    world.settle();
    assert!(world.is_finished, "it is not waited for the client");
    assert_eq!(world.end().code.as_deref(), Some("C05"));
    assert!(!world.fake.log().iter().any(|line| line.starts_with("event")), "{:#?}", world.fake.log());
    let entries = world.fake.entries.lock().unwrap();
    let records = entries.iter().filter_map(|entry| match entry {
        Entry::Change(Change::End(.., steps, omitted)) => Some((steps.len(), *omitted > 0)),
        _ => None,
    });
    assert_eq!(records.collect::<Vec<_>>(), [(0, true)]);
}

#[test]
fn a_cut_session_gives_everything_back_without_waiting_for_the_client() {
    let mut world = World::new(PASSWORD);
    world.settle();
    let reason = "the server is being stopped".to_owned();
    world.message(Message::End { why: Why::Shutdown, code: None, reason });
    world.message(Message::Cut);
    world.settle();
    assert!(world.is_finished, "no time has passed");
    assert_eq!(world.end().why, "shutdown");
    for line in ["path close 4711", "route remove 192.168.77.0/24", "release s41"] {
        world.fake.position(line);
    }
    assert_eq!(world.handles.registry.len(), 0);
}

#[test]
fn a_connection_cut_before_a_call_is_reported() {
    let mut world = World::new(PASSWORD);
    world.message(Message::Cut);
    world.settle();
    assert_eq!(world.end().detail, "closed before a call was made");
    world.fake.position("event call.end");
}

#[test]
fn a_client_that_vanishes_loses_its_session() {
    let mut world = World::new(PASSWORD);
    world.settle();
    world.machine.handle_input(world.now, Input::ControlClosed);
    world.settle();
    assert!(world.is_finished);
    assert_eq!(world.end().why, "lost-carrier");
    world.fake.position("release s41");
}

#[test]
fn a_login_that_waits_for_long_leaves_its_slot_to_others() {
    let mut world = World::new(PASSWORD);
    world.answers_login = false;
    world.settle();
    world.run(Duration::from_secs(1));
    assert!(!world.fake.log().iter().any(|line| line == "slot waits"), "a second is not long");
    world.run(Duration::from_secs(10));
    world.fake.position("slot waits");
    assert!(!world.is_finished);
    let unavailable = Answer::Unavailable { detail: "no answer".to_owned() };
    world.answer(world.open_question.unwrap(), (unavailable, crate::message::Learned::default()));
    assert!(world.fake.position("slot waits no more") > world.fake.position("slot waits"));
    world.run(MINUTE);
    assert!(world.is_finished);
}

#[test]
fn an_address_that_comes_after_the_end_of_the_call_goes_back() {
    let mut world = World::new(PASSWORD);
    world.answers_address = false;
    world.settle();
    let id = world.open_question.unwrap();
    world.message(Message::End { why: Why::AdminReset, code: None, reason: "kick".to_owned() });
    while !matches!(world.machine.state, State::Ending(_)) {
        let next = world.machine.poll_timeout().unwrap();
        world.has_gre = false;
        let wait = next.saturating_duration_since(world.now.instant);
        world.now.instant += wait;
        world.machine.handle_timeout(world.now);
        let mut output = Vec::new();
        while !matches!(world.machine.state, State::Ending(_))
            && world.machine.poll_effect(world.now, &mut output).is_some()
        {}
    }
    assert!(!world.fake.log().iter().any(|line| line.starts_with("release")), "there was nothing to release");
    world.answer(id, fakes::lend());
    world.fake.position("release s41");
    world.fake.position("row released pool 10.99.0.14");
}

#[test]
fn an_address_that_was_not_read_goes_back_with_the_session() {
    let mut world = World::new(PASSWORD);
    world.answers_address = false;
    world.settle();
    let (answer, learned) = fakes::lend();
    let id = world.open_question.unwrap();
    let answered = crate::message::Answered { id, answer, learned };
    assert!(world.session.queue.push(Message::Answer(Box::new(answered))));
    world.message(Message::Cut);
    world.settle();
    world.fake.position("release s41");
    assert!(!world.session.queue.push(Message::Cut), "an ended session takes no messages");
}

#[test]
fn data_in_clear_where_encryption_was_agreed_ends_the_call() {
    let mut world = World::new(PASSWORD);
    world.settle();
    world.message(Message::EncryptionBroken);
    world.run(MINUTE);
    assert_eq!(world.end().code.as_deref(), Some("E05"));
}

#[test]
fn a_call_without_gre_is_suspected_while_it_lasts_and_named_at_its_end() {
    let mut world = World::new(PASSWORD);
    world.has_gre = false;
    world.settle();
    world.run(Duration::from_secs(10));
    let suspected = world.session.known().code;
    assert_eq!(suspected.map(Code::layer), Some(adit_diag::Layer::Gre));
    world.run(MINUTE);
    let end = world.end();
    assert_eq!(end.code, suspected.map(|code| code.to_string()));
    assert!(world.session.known().up_at.is_none());
}

#[test]
fn gre_with_a_foreign_call_id_changes_the_verdict_of_a_call_in_set_up() {
    let end = |unmatched: Option<Unmatched>| {
        let mut world = World::new(PASSWORD);
        world.has_gre = false;
        *world.fake.unmatched.lock().unwrap() = unmatched;
        world.run(MINUTE);
        world.end().code
    };
    assert_ne!(end(Some(Unmatched::CallId(9))), end(None));
}

#[test]
fn dhcp_is_heard_only_while_the_call_is_up() {
    let mut world = World::new(PASSWORD);
    let refused =
        |world: &World| world.record().iter().any(|text| text.starts_with("DHCP packet not answered"));
    world.message(Message::Dhcp(vec![0; 3]));
    assert!(!refused(&world));
    world.settle();
    world.message(Message::Dhcp(vec![0; 3]));
    assert!(refused(&world));
}

#[test]
fn keep_alives_do_not_fill_the_record_of_a_session_that_is_up() {
    let mut world = World::with(PASSWORD, "[server]\necho = { every = \"20s\", lost = 3 }\n");
    world.settle();
    let before = world.record().len();
    for _ in 0..100 {
        world.advance(Duration::from_secs(10));
    }
    assert!(world.is_up());
    assert_eq!(world.record().len(), before, "{:#?}", world.record());
}

#[test]
fn garbage_ends_a_connection_and_is_counted_by_its_code() {
    let mut world = World::new(PASSWORD);
    world.machine.handle_input(world.now, Input::Control(b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n"));
    world.run(MINUTE);
    assert!(world.is_finished);
    let code = world.end().code.unwrap();
    assert_eq!(world.handles.registry.failed().len(), 1);
    assert_eq!(world.handles.registry.failed()[0].0.to_string(), code);
}
