//! Tests that every key of the configuration has an effect: each key is set to each of its samples, and the
//! parts that use it are compared.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;

use adit_config::{Checked, Config, Key, Limits, Log, LogTarget, PasswordPolicy, Source};
use adit_diag::{Code, EventFacts, Note};
use adit_policy::account::{Account, decide};
use adit_policy::admission::Capacity;
use adit_policy::lockout::{Rules, Verdict};
use adit_policy::reach::{Keys, Reach};
use adit_policy::{Lockout, name};
use adit_store::{NewEvent, SessionId};
use adit_wire::{LocalCallId, PeerCallId};
use jiff::Timestamp;

use crate::admission::Admission;
use crate::event_writer::LogLines;
use crate::registry::Registry;
use crate::session::Session;
use crate::{convert, host, listener};

const BASE: &str = r#"
[server]
listen = "203.0.113.10"
[pool]
net = "10.99.0.0/24"
[pools.other]
net = "10.98.0.0/24"
[access]
routes = ["192.168.10.0/24"]
[groups.staff]
pool = "other"
"#;

/// Keys that are used where this test does not look, and the file with the test that observes them, below `crates`.
const ELSEWHERE: &[(&str, &str)] = &[
    ("store.url", "adit/src/settings.rs"),
    ("store.seal_key", "adit/src/settings.rs"),
    ("server.name", "adit/src/commands/serve.rs"),
    ("server.shutdown_grace", "adit/tests/hostile/stop.rs"),
    ("auth.password.generate", "admin/src/accounts/password.rs"),
    ("test", "config/tests/good.rs"),
    ("auth.radius.servers", "auth/tests/radius.rs"),
    ("auth.radius.secret", "auth/tests/radius.rs"),
    ("auth.radius.timeout", "auth/tests/radius.rs"),
    ("auth.radius.retries", "auth/tests/radius.rs"),
    ("auth.radius.accept_unsigned", "auth/tests/radius.rs"),
    ("auth.radius.nas_identifier", "auth/tests/radius.rs"),
    ("auth.radius.on_unavailable", "auth/tests/radius.rs"),
    ("pool.sticky", "store/tests/suite/leases.rs"),
    ("pools.other.sticky", "store/tests/suite/leases.rs"),
    ("pool.domain", "adit/tests/tunnel/cases.rs"),
    ("pools.other.domain", "adit/tests/tunnel/cases.rs"),
];

const CALLER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 40_000);

/// The settings that the parts of the server derive from a configuration, as text to compare.
fn effects(config: &Config) -> Vec<String> {
    let path = convert::path(config, LocalCallId::new(1), PeerCallId::new(2), 64);
    let address_of = |name: &str| vec![Ipv4Addr::new(192, 0, 2, name.len() as u8)];
    let anywhere = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let mut effects = vec![
        format!("{:?}", convert::tunnel(config)),
        format!("{path:?}"),
        format!("{:?}", convert::dataplane(config, None, None)),
        format!("{:?}", convert::retention(config)),
        format!("{:?}", host::addresses(config)),
        format!("{:?}", host::resolve(&config.server.listen, address_of)),
        format!("{:?}", listener::open(anywhere, config.server.interface.as_deref()).map(drop)),
        format!("{:?}", [&b"CORP\\bob"[..], b"bob"].map(|sent| name::login_name(sent, &config.auth.domain))),
    ];
    effects.extend(of_passwords(&config.auth.password));
    effects.extend(of_lockout(&config.auth.lockout));
    effects.extend(of_limits(&config.limits));
    effects.extend(of_log(&config.log));
    for group in std::iter::once(None).chain(config.groups.keys().map(|group| Some(group.as_str()))) {
        effects.extend(of_access(config, group));
    }
    effects.extend(config.pools.values().map(|pool| format!("{} addresses", pool.size())));
    effects
}

fn of_passwords(policy: &PasswordPolicy) -> Vec<String> {
    let account = Account { password_changed: Some(0), ..Account::new("bob") };
    let days = [2, 500, 4_000].map(|day| decide(&account, &policy.account_rules(), day * 86_400).is_ok());
    let passwords = ["kq7Zt", "vwT8rjLq2mXz0pKd5c", "Password2024Password"];
    let checked = passwords.map(|password| policy.rules.check("bob", password));
    vec![format!("{days:?}"), format!("{checked:?}")]
}

/// What becomes of many failed logins of one user and of many users at several paces, from addresses of networks that a
/// sample may ignore.
fn of_lockout(rules: &Rules) -> Vec<String> {
    let mut effects = Vec::new();
    for (users, pace) in [(1, 1), (1, 90_000), (100, 1), (100, 20_000)] {
        for from in [[192, 168, 20, 5], [192, 168, 30, 5]].map(Ipv4Addr::from) {
            let mut lockout = Lockout::new(rules.clone());
            for n in 1..200 {
                let now = n * pace;
                effects.push(match lockout.begin(now, &format!("user{}", n % users), from) {
                    Ok(ticket) => format!("{:?}", lockout.end(now, ticket, Verdict::Failed { exists: true })),
                    Err(refusal) => format!("{refusal:?}"),
                });
            }
        }
    }
    effects
}

fn of_limits(limits: &Limits) -> Vec<String> {
    let registry = Registry::default();
    let session = |id| {
        let session = Session::new(SessionId(id), CALLER, Ipv4Addr::LOCALHOST, Timestamp::UNIX_EPOCH);
        let session = Arc::new(session);
        session.known().user = Some(format!("user{id}"));
        session.known().call_ids = Some((LocalCallId::new(1), PeerCallId::new(1)));
        session
    };
    let caller = session(0);
    let alone = format!("{:?}", registry.refusal(limits, &caller));
    let other = session(1);
    registry.add(Arc::clone(&other));
    registry.call_up(other);
    let beside_one = format!("{:?}", registry.refusal(limits, &caller));
    (2..300).for_each(|id| registry.call_up(session(id)));
    let beside_many = format!("{:?}", registry.refusal(limits, &caller));
    vec![format!("{:?}", Admission::new(limits, Capacity::new(20_000))), alone, beside_one, beside_many]
}

/// Whether the targets can be opened, and what is written for a login, a failed call and a failed host.
fn of_log(log: &Log) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log");
    let opened = LogLines::open(log).map(drop);
    let mut lines = LogLines::open(&Log { to: vec![LogTarget::File(file.clone())], ..log.clone() }).unwrap();
    for code in [None, Some(Code::G01), Some(Code::S06)] {
        let event = NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::ServerStart);
        lines.write(&NewEvent { code, ..event });
    }
    lines.write_step(&crate::event_writer::Step {
        at: Timestamp::UNIX_EPOCH,
        session: SessionId(1),
        note: Note::DhcpAnswered,
    });
    vec![format!("{opened:?}"), fs::read_to_string(&file).unwrap()]
}

fn of_access(config: &Config, group: Option<&str>) -> Vec<String> {
    let access = config.access_for(group);
    let reach = config.reach(group, Arc::default());
    let live = |count: u64| access.admit(&(0..count).collect::<Vec<_>>());
    vec![
        format!("{:?}", convert::terms(config, access, Vec::new())),
        // The rules, without the keys that name them.
        format!("{:?}", Reach { keys: Keys::default(), ..reach }),
        format!("{:?}", convert::pool(config, access).map(|pool| &pool.name)),
        format!("{:?} {:?} {:?}", live(1), live(2), live(1_000)),
        format!("{:?}", access.allows_from("bob", *CALLER.ip())),
        format!("{:?}", access.allows_factor("bob", false)),
    ]
}

/// A configuration without the keys that set what may be reached: they are for messages only.
fn without_keys(config: &Config) -> Config {
    let mut config = config.clone();
    for access in std::iter::once(&mut config.access).chain(config.groups.values_mut()) {
        access.keys = Keys::default();
    }
    config
}

fn set(section: &str, key: &Key, value: &str) -> Checked {
    let change = format!("[{section}]\n{} = {value}\n", key.name);
    let change = change.strip_prefix("[]\n").unwrap_or(&change);
    Checked::parse(vec![Source::new("adit.toml", BASE), Source::new("change.toml", change)])
}

#[tokio::test]
async fn each_key_has_an_effect() {
    let base = Checked::parse(vec![Source::new("adit.toml", BASE)]).into_config().unwrap();
    let before = effects(&base);
    assert_eq!(before, effects(&base), "what changes by itself shows nothing");
    let mut without = Vec::new();
    for key in adit_config::keys() {
        for section in key.sections {
            let section = section.replace("pools.*", "pools.other").replace("groups.*", "groups.staff");
            let path = [section.as_str(), key.name].join(".");
            if ELSEWHERE.iter().any(|(known, _)| *known == path) {
                continue;
            }
            let mut has_effect = false;
            for value in key.samples() {
                match set(&section, key, &value).into_config() {
                    Ok(config) if without_keys(&config) == without_keys(&base) => {}
                    Ok(config) if effects(&config) == before => without.push(format!("{path} = {value}")),
                    // Another effect, or an error with the reason.
                    Ok(_) | Err(_) => has_effect = true,
                }
            }
            if !has_effect {
                without.push(path);
            }
        }
    }
    assert!(without.is_empty(), "without effect: {without:#?}");
}

#[test]
fn keys_that_are_used_elsewhere_are_observed_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (key, file) in ELSEWHERE {
        let text = fs::read_to_string(crates.join(file)).unwrap();
        let tests = if file.contains("/tests/") { &text } else { text.split_once("#[cfg(test)]").unwrap().1 };
        let name = key.rsplit('.').next().unwrap();
        assert!(tests.contains(name), "{file} does not test {key}");
    }
}
