//! Sessions get the rules of their group, and every change of them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use adit_config::{Checked, Source};
use adit_diag::event::EventFacts;
use adit_policy::reach::{Decider, Hits, Outcome};
use adit_store::SessionId;
use adit_wire::PeerCallId;

use super::report::Reported;
use super::*;

const CALL_ID: LocalCallId = LocalCallId::new(7);

/// The commands that paths got.
#[derive(Default)]
struct Paths(Mutex<Vec<(LocalCallId, Arc<Reach>)>>);

impl Paths {
    fn last(&self) -> Arc<Reach> {
        Arc::clone(&self.0.lock().unwrap().last().unwrap().1)
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl SetReach for Paths {
    fn set_reach(&self, call_id: LocalCallId, reach: Arc<Reach>) {
        self.0.lock().unwrap().push((call_id, reach));
    }
}

fn config(access: &str) -> Arc<Config> {
    let text = format!(
        "[pool]\nnet = \"10.99.0.0/24\"\n[access]\n{access}\n[groups.staff]\nacl = [\"allow 10.1.0.0/16 tcp\"]\n"
    );
    Arc::new(Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap())
}

fn session(registry: &Registry, group: Option<&str>) -> Arc<Session> {
    let from = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 40_000);
    let session =
        Arc::new(Session::new(SessionId(1), from, Ipv4Addr::LOCALHOST, jiff::Timestamp::UNIX_EPOCH));
    session.known().call_ids = Some((CALL_ID, PeerCallId::new(9)));
    session.known().group = group.map(str::to_owned);
    registry.add(Arc::clone(&session));
    session
}

fn outcome(reach: &Reach, to: &str) -> Outcome {
    reach.answer(to.parse().unwrap()).outcome
}

#[test]
fn a_running_session_gets_a_change_of_its_rules() {
    let (registry, paths) = (Registry::default(), Paths::default());
    let table = ReachTable::new(config("routes = [\"192.168.10.0/24\"]"), Locals::default());
    let session = session(&registry, None);
    table.set_config(config("routes = [\"192.168.10.0/24\"]"), &registry, &paths);
    assert_eq!(paths.count(), 0, "before the login there are no rules");
    table.apply(&session, CALL_ID, &paths);
    assert_eq!(outcome(&paths.last(), "192.168.10.1:22"), Outcome::Allowed);
    let before = paths.last();
    table.set_config(config("routes = [\"192.168.10.0/24\"]\nserver = \"none\""), &registry, &paths);
    assert!(Arc::ptr_eq(&before.acl, &paths.last().acl), "rules that stay the same keep their counters");
    table.set_config(config("routes = [\"192.168.20.0/24\"]"), &registry, &paths);
    assert_eq!(outcome(&paths.last(), "192.168.10.1:22"), Outcome::Denied);
    assert_eq!(paths.count(), 3);
    assert_eq!(session.detail().reach, ["192.168.20.0/24".parse().unwrap()]);
}

#[test]
fn a_session_has_the_rules_of_its_group_and_of_access_without_one() {
    let (registry, paths) = (Registry::default(), Paths::default());
    let table = ReachTable::new(config("routes = [\"192.168.10.0/24\"]"), Locals::default());
    table.apply(&session(&registry, Some("staff")), CALL_ID, &paths);
    assert_eq!(outcome(&paths.last(), "10.1.2.3:22"), Outcome::Allowed);
    table.apply(&session(&registry, Some("removed")), CALL_ID, &paths);
    assert_eq!(outcome(&paths.last(), "10.1.2.3:22"), Outcome::Denied);
    assert_eq!(outcome(&paths.last(), "192.168.10.1:22"), Outcome::Allowed);
}

#[test]
fn an_address_that_is_added_later_is_the_server() {
    let (registry, paths) = (Registry::default(), Paths::default());
    let table = ReachTable::new(config("tunnel = \"all\""), Locals::default());
    table.apply(&session(&registry, None), CALL_ID, &paths);
    assert_eq!(outcome(&paths.last(), "192.0.2.1:22"), Outcome::Allowed);
    let acl = Arc::clone(&paths.last().acl);
    table.set_locals(Locals::new(["192.0.2.1/32".parse().unwrap()]), &registry, &paths);
    assert_eq!(outcome(&paths.last(), "192.0.2.1:22"), Outcome::Denied);
    assert!(Arc::ptr_eq(&acl, &paths.last().acl), "nothing is compiled again");
    table.set_locals(Locals::new(["192.0.2.1/32".parse().unwrap()]), &registry, &paths);
    assert_eq!(paths.count(), 2, "no change");
}

#[test]
fn denials_are_reported_once_a_minute_and_rules_with_log_each_time() {
    let access = "acl = [\"allow 192.168.10.0/24 tcp log\", \"deny 192.168.20.0/24\", \"allow any\"]";
    let reach = Arc::new(config(access).reach(None, Arc::default()));
    let mut hits = Hits::new(reach);
    let mut reported = Reported::default();
    let start = Instant::now();
    let mut due = |hits: &Hits, seconds: u64, is_over: bool| {
        let events = reported.due(hits, start + Duration::from_secs(seconds), is_over, 10);
        let shown = events.into_iter().map(|facts| match facts {
            EventFacts::AclDeny(matched) => {
                format!("deny {} {} {}", matched.key, matched.rule, matched.packets)
            }
            EventFacts::AclAllow(matched) => {
                format!("allow {} {} {}", matched.key, matched.rule, matched.packets)
            }
            other => format!("{other:?}"),
        });
        shown.collect::<Vec<_>>()
    };
    let deny = |hits: &mut Hits| hits.count(Decider::Rule(1), true, Some(1));
    deny(&mut hits);
    hits.count(Decider::Rule(2), false, Some(1));
    hits.count(Decider::Server, true, None);
    assert_eq!(
        due(&hits, 0, false),
        ["deny access.acl[1] deny 192.168.20.0/24 1"],
        "no broadcast, no plain allow"
    );
    deny(&mut hits);
    assert!(due(&hits, 5, false).is_empty());
    hits.count(Decider::Rule(0), false, Some(1));
    assert_eq!(due(&hits, 10, false), ["allow access.acl[0] allow 192.168.10.0/24 tcp log 1"]);
    hits.count(Decider::Rule(0), false, None);
    assert_eq!(due(&hits, 15, false), ["allow access.acl[0] allow 192.168.10.0/24 tcp log 1"]);
    assert_eq!(due(&hits, 60, false), ["deny access.acl[1] deny 192.168.20.0/24 1"]);
    assert!(due(&hits, 200, false).is_empty(), "nothing new");
    deny(&mut hits);
    assert_eq!(due(&hits, 201, false).len(), 1);
    deny(&mut hits);
    assert_eq!(due(&hits, 202, true).len(), 1, "nothing is lost at the end");
}
