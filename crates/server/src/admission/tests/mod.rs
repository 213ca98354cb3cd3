//! Tests of the admission: the decisions on a virtual clock, and the messages to the tasks.

mod flood;

use std::time::Duration;

use adit_config::Checked;

use super::*;
use flood::{Attack, Flood, Sources, World};

pub(super) fn limits(starting: u32, per_minute: u32) -> Limits {
    let limits = Checked::built_in().into_config().unwrap().limits;
    Limits { starting, calls_per_minute_per_address: per_minute, ..limits }
}

fn at(last: u8) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, last), 40_000)
}

/// A user's address that is in no flood.
const USER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const FLOODS: [Sources; 3] = [Sources::Adjacent(4_000), Sources::Scattered(4_000), Sources::Adjacent(256)];
/// The descriptors of the server in these tests.
const DESCRIPTORS: u64 = 20_000;

/// The longest login during a flood, of users who logged in before and of others, from addresses that begin with `base`
/// and differ by `step`.
fn longest_from((base, step): (Ipv4Addr, u32), flood: Flood) -> [Duration; 2] {
    let mut world = World::new(DESCRIPTORS);
    let user = |n: u32| Ipv4Addr::from(u32::from(base) + n * step);
    (0..8).filter(|n| n % 2 == 0).for_each(|n| world.state.remember(user(n)));
    world.flood(Some(flood));
    world.run(Duration::from_millis(500));
    for n in 0..8 {
        world.dial(user(n));
        world.run(Duration::from_millis(1_500));
    }
    world.finish(Duration::from_secs(60));
    let took: Vec<_> = world.took().into_iter().map(|took| took.expect("a user is never up")).collect();
    let longest = |first| took.iter().skip(first).step_by(2).max().copied().unwrap();
    println!("{flood:?}: known {:?}, unknown {:?}", longest(0), longest(1));
    [longest(0), longest(1)]
}

/// The same for users of different networks outside the flood.
fn longest(attack: Attack, sources: Sources) -> [Duration; 2] {
    longest_from((USER, 256), Flood::of(attack, sources))
}

/// No login takes two seconds during a flood whose connections never become set-ups.
#[track_caller]
fn delays_no_login(attack: Attack) {
    for sources in FLOODS {
        let longest = longest(attack, sources);
        assert!(longest.iter().all(|took| *took < Duration::from_secs(2)), "{sources:?}: {longest:?}");
    }
}

#[test]
fn connections_that_are_closed_at_once_delay_no_login() {
    delays_no_login(Attack::Close);
}

#[test]
fn connections_without_a_complete_message_delay_no_login() {
    delays_no_login(Attack::Silent);
}

#[test]
fn connections_that_are_closed_while_they_wait_delay_no_login() {
    delays_no_login(Attack::Leave);
}

/// A known user is not delayed by set-ups that make no progress, another one by a bounded time.
#[track_caller]
fn delays_unknown_users_only(attack: Attack) {
    for sources in FLOODS {
        let [known, unknown] = longest(attack, sources);
        assert!(known < Duration::from_secs(2), "{sources:?}: {known:?}");
        // No slot can be free before the first set-ups are stalled. A user who arrives among thousands of networks that were
        // never seen looks like one of them.
        let limit = if matches!(sources, Sources::Scattered(_)) { 30 } else { 10 };
        assert!(unknown < Duration::from_secs(limit), "{sources:?}: {unknown:?}");
    }
}

#[test]
fn control_connections_without_a_call_delay_unknown_users_only() {
    delays_unknown_users_only(Attack::Started);
}

#[test]
fn calls_without_gre_delay_unknown_users_only() {
    delays_unknown_users_only(Attack::Called);
}

#[test]
fn negotiations_without_end_delay_unknown_users_only() {
    delays_unknown_users_only(Attack::LcpLoop);
}

#[test]
fn a_user_in_the_network_of_a_flood_logs_in() {
    let inside = (Ipv4Addr::new(11, 0, 0, 200), 1);
    for attack in [Attack::Silent, Attack::Called, Attack::LcpLoop] {
        let longest = longest_from(inside, Flood::of(attack, Sources::Adjacent(200)));
        assert!(longest.iter().all(|took| *took < Duration::from_secs(15)), "{attack:?}: {longest:?}");
    }
}

#[test]
fn a_user_behind_the_address_of_a_flood_logs_in_within_15_seconds() {
    for attack in
        [Attack::Close, Attack::Silent, Attack::Leave, Attack::Started, Attack::Called, Attack::LcpLoop]
    {
        let flood = Flood { open: 100_000, rate: 500, ..Flood::of(attack, Sources::One(USER)) };
        let mut world = World::new(DESCRIPTORS);
        world.state.remember(USER);
        world.flood(Some(flood));
        world.run(Duration::from_secs(15));
        for _ in 0..10 {
            world.dial(USER);
            world.run(Duration::from_secs(2));
        }
        world.finish(Duration::from_secs(60));
        let took: Vec<_> = world.took().into_iter().map(|took| took.expect("the user is never up")).collect();
        println!("{attack:?}: {took:?}");
        assert!(took.iter().all(|took| *took < Duration::from_secs(15)), "{attack:?}: {took:?}");
    }
}

#[test]
fn connections_that_closed_again_delay_no_user_behind_the_same_address() {
    let mut world = World::new(DESCRIPTORS);
    let flood = Flood { open: 3_000, rate: 10_000, ..Flood::of(Attack::Leave, Sources::One(USER)) };
    world.flood(Some(flood));
    world.run(Duration::from_secs(1));
    world.flood(Some(Flood { open: 0, ..flood }));
    world.dial(USER);
    world.finish(Duration::from_secs(10));
    let took = world.took()[0].expect("the user is not up");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn few_descriptors_are_never_exceeded_and_a_user_still_logs_in() {
    for attack in [Attack::Silent, Attack::Called] {
        let mut world = World::new(256);
        world.state.remember(USER);
        world.flood(Some(Flood::of(attack, Sources::Adjacent(4_000))));
        world.run(Duration::from_secs(10));
        world.dial(USER);
        world.run(Duration::from_secs(5));
        assert!(world.took()[0].is_some(), "{attack:?}");
        assert!(world.most <= 64, "{} set-ups", world.most);
    }
}

#[test]
fn everything_is_free_after_a_flood() {
    for attack in [Attack::Silent, Attack::Leave, Attack::LcpLoop] {
        let mut world = World::new(DESCRIPTORS);
        let flood = Flood { open: 1_500, ..Flood::of(attack, Sources::Adjacent(1_000)) };
        world.flood(Some(flood));
        world.run(Duration::from_secs(2));
        // It opens no more connections.
        world.flood(Some(Flood { open: 0, ..flood }));
        world.run(Duration::from_secs(50));
        assert!(world.state.is_empty(), "{attack:?}: {:?}", world.state.numbers(Instant::now()));
    }
}

#[test]
fn failed_logins_alone_count_against_an_address() {
    let now = Instant::now();
    let mut state = State::new(&limits(1024, 20), Capacity::new(DESCRIPTORS));
    let mut up = 0;
    let mut dial = |state: &mut State, from: SocketAddrV4, outcome: Outcome| {
        let id = state.arrive(*from.ip(), 0).id.unwrap();
        assert_eq!(state.message_complete(now, id), None);
        let admitted = state.admit(now, 1);
        for id in &admitted {
            if outcome == Outcome::LoginRefused {
                state.end(now, *id, outcome);
                state.end(now, *id, Outcome::Failed);
            } else {
                state.end(now, *id, outcome);
            }
        }
        up += usize::from(!admitted.is_empty());
        up
    };
    for _ in 0..200 {
        dial(&mut state, at(1), Outcome::Up);
        dial(&mut state, at(2), Outcome::Failed);
    }
    let mut guesses = 0;
    let before = dial(&mut state, at(3), Outcome::LoginRefused) - 1;
    assert_eq!(before, 400, "neither users nor calls that fail are delayed");
    for _ in 0..50 {
        guesses = dial(&mut state, at(3), Outcome::LoginRefused);
    }
    assert_eq!(guesses, 420, "guesses are");
}

async fn admit_all(admission: &Arc<Admission>) -> Vec<Admitted> {
    tokio::time::timeout(Duration::from_secs(10), admission.admit()).await.unwrap()
}

fn admission(starting: u32) -> Arc<Admission> {
    Admission::new(&limits(starting, 0), Capacity::new(DESCRIPTORS))
}

/// A connection that waits.
fn waiting(admission: &Arc<Admission>, from: SocketAddrV4) -> Arrival {
    let arrival = admission.arrive(from, 0).unwrap();
    arrival.message_complete();
    arrival
}

#[tokio::test]
async fn a_storm_larger_than_the_limit_is_admitted_to_the_last() {
    let admission = admission(32);
    let mut arrivals: Vec<_> = (0..250).map(|n| waiting(&admission, at(n))).collect();
    let mut started = 0;
    while started < 250 {
        let admitted = admit_all(&admission).await;
        assert!(admission.inner().state.in_set_up() <= 32);
        for admitted in admitted {
            started += 1;
            admitted.start(SessionId(started), Timestamp::UNIX_EPOCH);
        }
        // The calls come up in the order in which they were admitted.
        for arrival in &mut arrivals {
            if let Ok(Verdict::Admitted { slot, .. }) = arrival.verdict.try_recv() {
                slot.reached(Stage::Called);
                slot.call_up();
            }
        }
    }
    drop(arrivals);
    assert!(admission.inner().state.is_empty() && admission.inner().tasks.is_empty());
}

#[tokio::test]
async fn a_crowd_that_waits_for_an_account_source_keeps_no_client_out() {
    let admission = admission(8);
    let mut held = Vec::new();
    for n in 0..100 {
        let mut arrival = waiting(&admission, at(n));
        for admitted in admit_all(&admission).await {
            admitted.start(SessionId(n.into()), Timestamp::UNIX_EPOCH);
        }
        let Verdict::Admitted { slot, .. } = arrival.verdict().await else { panic!("not admitted") };
        slot.reached(Stage::Login);
        slot.set_waiting(true);
        held.push(slot);
    }
    for slot in &held {
        slot.set_waiting(false);
    }
    assert_eq!(admission.inner().state.in_set_up(), 100, "they count again");
    drop(held);
    assert!(admission.inner().state.is_empty());
}

#[tokio::test]
async fn a_closed_connection_leaves_the_queue_and_an_admitted_one_cannot() {
    let admission = admission(8);
    let gone = waiting(&admission, at(1));
    assert_eq!(admission.numbers().waiting, 1);
    assert!(gone.leave());
    assert_eq!(admission.numbers(), Numbers::default());
    drop(gone);
    let mut late = waiting(&admission, at(2));
    let admitted = admit_all(&admission).await;
    assert!(!late.leave(), "its row is being made");
    for admitted in admitted {
        admitted.start(SessionId(2), Timestamp::UNIX_EPOCH);
    }
    assert!(matches!(late.verdict().await, Verdict::Admitted { .. }));
    drop(late);
    assert!(admission.inner().state.is_empty());
}

#[tokio::test]
async fn an_admitted_connection_whose_task_has_ended_frees_its_slot() {
    let admission = admission(8);
    let arrival = waiting(&admission, at(1));
    let admitted = admit_all(&admission).await;
    drop(arrival);
    for admitted in admitted {
        admitted.start(SessionId(1), Timestamp::UNIX_EPOCH);
    }
    assert!(admission.inner().state.is_empty());
}

#[tokio::test]
async fn a_set_up_without_progress_is_ended_for_one_that_waits() {
    let admission = admission(1);
    let mut silent = waiting(&admission, at(1));
    for admitted in admit_all(&admission).await {
        admitted.start(SessionId(1), Timestamp::UNIX_EPOCH);
    }
    let Verdict::Admitted { slot, id, started } = silent.verdict().await else { panic!("not admitted") };
    let session = Arc::new(Session::new(id, at(1), Ipv4Addr::LOCALHOST, started));
    slot.session_started(Arc::clone(&session));
    let _other = waiting(&admission, at(2));
    let admitted = admit_all(&admission).await;
    assert_eq!(admitted[0].from, at(2));
    assert!(matches!(
        session.queue.try_next(),
        Some(crate::message::Message::End { code: Some(Code::C05), .. })
    ));
    assert!(matches!(session.queue.try_next(), Some(crate::message::Message::Cut)));
    assert_eq!(admission.numbers().evicted, 1);
    drop((slot, admitted));
}
