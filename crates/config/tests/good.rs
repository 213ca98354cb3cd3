//! What is accepted, and what it means.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adit_config::{Checked, Config, HostFacts, HostNet, Io, Level, Listen, Mss, Source, keys};
use adit_diag::AuthMethod;
use adit_policy::{Encryption, Mfa, OnSecond, Tunnel};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> Checked {
    Checked::parse(vec![Source::new(path, fs::read_to_string(here(path)).unwrap())])
}

fn parse(text: &str) -> Checked {
    Checked::parse(vec![Source::new("adit.toml", text)])
}

fn config(checked: &Checked) -> &Config {
    checked.config().unwrap_or_else(|| panic!("{}", checked.render()))
}

#[test]
fn eight_lines_are_enough_and_have_no_findings() {
    let checked = read("examples/small.toml");
    assert!(checked.findings().is_empty(), "{}", checked.render());
    let config = config(&checked);
    assert_eq!(
        config.server.listen,
        [Listen::Address { address: "203.0.113.10".parse().unwrap(), port: 1723 }]
    );
    assert_eq!(config.pools["default"].server.to_string(), "10.99.0.1");
    assert_eq!(config.pools["default"].sticky, Duration::from_secs(30 * 86_400));
    assert_eq!(config.auth.methods, [AuthMethod::MsChapV2]);
    assert_eq!(config.access.encryption, Encryption::Require);
    assert_eq!(config.access.on_second, OnSecond::Replace);
    assert_eq!((config.access.sessions, config.access.tunnel), (1, Tunnel::Split));
    assert_eq!(config.access.idle, Some(Duration::from_secs(7_200)));
    assert_eq!((config.link.mtu, config.link.mss, config.link.ipv6), (1400, Mss::Clamp, false));
    assert_eq!(config.link.mppe_bits, [128]);
    assert_eq!(config.link.io, Io::Auto);
    assert_eq!(config.auth.password.rules.min_length, 14);
}

#[test]
fn the_annotated_file_has_every_key_and_every_default() {
    let checked = read("examples/full.toml");
    let loud: Vec<&str> = checked.findings().iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(loud, ["groups.legacy.link.mppe is \"allow\": calls without encryption are accepted"]);
    let settings = checked.effective();
    for key in keys() {
        let written = settings.iter().filter(|setting| setting.origin.is_some());
        let found = written.into_iter().any(|setting| setting.key.rsplit('.').next() == Some(key.name));
        assert!(found, "{} is not in the annotated file", key.name);
    }
    let text = fs::read_to_string(here("examples/full.toml")).unwrap();
    for setting in settings.iter().filter(|setting| setting.origin.is_some()) {
        let line = text.lines().nth(setting.origin.as_ref().unwrap().1 - 1).unwrap();
        if line.contains("# example") || line.starts_with("[groups") || line.starts_with("[pools") {
            continue;
        }
        let name = setting.key.rsplit('.').next().unwrap();
        let key = keys().iter().find(|key| {
            key.name == name && key.sections.contains(&setting.key.rsplit_once('.').map_or("", |(s, _)| s))
        });
        if let Some(key) = key.filter(|key| !key.default.is_empty()) {
            assert_eq!(
                setting.value, key.default,
                "{} in the annotated file is not the default",
                setting.key
            );
        }
    }
}

#[test]
fn a_group_inherits_what_it_does_not_set() {
    let checked = read("examples/full.toml");
    let config = config(&checked);
    let staff = config.access_for(Some("staff"));
    assert_eq!(staff.idle, Some(Duration::from_secs(1_800)));
    assert_eq!((staff.pool.as_str(), staff.sessions, staff.routes.len()), ("default", 1, 2));
    assert_eq!(staff.encryption, Encryption::Require);
    let legacy = config.access_for(Some("legacy"));
    assert_eq!((legacy.pool.as_str(), legacy.sessions, legacy.encryption), ("legacy", 2, Encryption::Allow));
    assert_eq!(config.access_for(Some("unknown")), &config.access);
    assert_eq!(config.access_for(None).routes.len(), 1);
}

#[test]
fn without_a_file_the_findings_name_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let checked = Checked::read_or_built_in(&dir.path().join("adit.toml"));
    assert!(checked.config().is_some());
    let codes: BTreeSet<&str> = checked.findings().iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, BTreeSet::from(["F15", "F22"]));
    assert!(checked.is_clean(Level::Error) && !checked.is_clean(Level::Warning));
}

#[test]
fn what_is_known_about_the_host_lies_over_the_built_in_text() {
    let checked = Checked::built_in_with(Source::new("(this host)", "[pool]\nnet = \"10.64.0.0/24\"\n"));
    assert_eq!(config(&checked).pools["default"].net.to_string(), "10.64.0.0/24");
    assert_eq!(checked.findings().len(), Checked::built_in().findings().len());
}

#[test]
fn conf_d_lies_over_the_file_key_by_key() {
    let base = fs::read_to_string(here("examples/small.toml")).unwrap();
    let checked = Checked::parse(vec![
        Source::new("adit.toml", base),
        Source::new(
            "conf.d/10-link.toml",
            "[link]\nmtu = 1380\necho.lost = 9\n[store]\nseal_key = { credential = \"seal\" }\n",
        ),
        Source::new("conf.d/20-link.toml", "[link]\nmtu = 1300\n[access]\nroutes = [\"192.168.10.0/23\"]\n"),
    ]);
    let config = config(&checked);
    assert_eq!((config.link.mtu, config.link.echo.lost), (1300, 9));
    assert_eq!(config.link.echo.every, Some(Duration::from_secs(30)));
    assert_eq!(config.access.routes[0].to_string(), "192.168.10.0/23");
    let notes: Vec<(&str, usize, &str)> =
        checked.findings().iter().map(|f| (f.file.as_str(), f.line, f.code.as_str())).collect();
    assert_eq!(notes, [("adit.toml", 8, "F19"), ("conf.d/10-link.toml", 2, "F19")]);
    let origin = |key: &str| checked.effective().into_iter().find(|setting| setting.key == key).unwrap();
    assert_eq!(origin("link.mtu").origin, Some(("conf.d/20-link.toml".to_owned(), 2)));
    assert_eq!(origin("link.mtu").value, "1300");
    assert_eq!(origin("pool.net").origin, Some(("adit.toml".to_owned(), 5)));
    assert_eq!(origin("store.seal_key").value, "{ credential = \"seal\" }");
    assert_eq!((origin("log.level").value.as_str(), origin("log.level").origin), ("\"info\"", None));
}

#[test]
fn many_ways_to_write_good_values() {
    let checked = parse(
        "[server]\nlisten = [\"203.0.113.10\", \"198.51.100.1:1724\", \"eth0\", \"eth0.100:1723\"]\n\
         echo = { every = 0 }\n[pool]\nnet = \"10.99.0.0/24\"\nserver = \"10.99.0.9\"\n\
         range = [\"10.99.0.10-10.99.0.99\", \"10.99.0.200 - 10.99.0.250\"]\nsticky = \"0\"\n\
         [access]\ntunnel = \"all\"\nidle = \"1h30m\"\nmax = 0\nfrom = [\"198.51.100.0/24\", \"any\"]\n\
         [auth]\ndomain = \"require:CORP\"\n[link]\nmss = 1_300\nmppe_bits = [56, 128]\n\
         [log]\nto = [\"stderr\", { file = \"/var/log/adit.log\" }]\nformat = \"json\"\n",
    );
    let config = config(&checked);
    let listens: Vec<String> = config.server.listen.iter().map(Listen::to_string).collect();
    assert_eq!(listens, ["203.0.113.10:1723", "198.51.100.1:1724", "eth0:1723", "eth0.100:1723"]);
    assert_eq!(config.server.echo.every, None);
    assert_eq!(config.pools["default"].ranges.len(), 2);
    assert_eq!(config.pools["default"].sticky, Duration::ZERO);
    assert_eq!((config.access.max, config.access.from.len()), (None, 0));
    assert_eq!(config.link.mss, Mss::Size(1300));
    assert_eq!(config.link.mppe_bits, [56, 128]);
    assert_eq!(config.log.to.len(), 2);
}

fn net(text: &str, interface: &str) -> HostNet {
    HostNet { net: text.parse().unwrap(), interface: interface.into(), ours: false }
}

fn host() -> HostFacts {
    HostFacts {
        interfaces: ["lo", "eth0", "eth1"].map(String::from).into(),
        addresses: vec![net("203.0.113.10/24", "eth0"), net("192.168.10.1/24", "eth1")],
        routes: vec![net("0.0.0.0/0", "eth0"), net("203.0.113.0/24", "eth0"), net("192.168.10.0/24", "eth1")],
    }
}

fn on_host(change: impl Fn(&str) -> String, host: &HostFacts) -> Vec<String> {
    let text = fs::read_to_string(here("examples/small.toml")).unwrap();
    let mut checked = parse(&change(&text));
    assert!(checked.config().is_some(), "{}", checked.render());
    checked.check_host(host);
    assert_eq!(checked.depth(), "host");
    let failed = checked.findings().iter().any(|finding| finding.level == Level::Error);
    assert_eq!(checked.config().is_none(), failed);
    checked.findings().iter().map(|f| format!("{} line {} {}", f.code, f.line, f.message)).collect()
}

#[test]
fn a_fitting_host_has_no_findings() {
    assert_eq!(on_host(str::to_owned, &host()), [""; 0]);
    let mut running = host();
    running.addresses.push(HostNet { ours: true, ..net("10.99.0.1/32", "adit0") });
    running.routes.push(HostNet { ours: true, ..net("10.99.0.0/24", "adit0") });
    assert_eq!(on_host(str::to_owned, &running), [""; 0], "our own device is no conflict");
}

#[test]
fn the_host_does_not_have_the_address_or_interface() {
    let moved = on_host(
        |text| text.replace("\"203.0.113.10\"", "[\"203.0.113.10\", \"203.0.113.11\", \"eth7\"]"),
        &host(),
    );
    assert_eq!(
        moved,
        [
            "S10 line 3 server.listen 203.0.113.11 is not an address of this host",
            "S10 line 3 server.listen \"eth7\" is not an interface of this host",
        ]
    );
    let wrong = on_host(|text| text.replace("[pool]", "interface = \"wan0\"\n[pool]"), &host());
    assert_eq!(wrong, ["S10 line 4 server.interface \"wan0\" is not on this host"]);
}

#[test]
fn the_pool_against_networks_of_the_host() {
    let pool = |with: &'static str| move |text: &str| text.replace("10.99.0.0/24", with);
    assert_eq!(
        on_host(pool("192.168.10.128/25"), &host()),
        ["P01 line 5 pool.net 192.168.10.128/25 lies inside 192.168.10.0/24 on eth1"]
    );
    assert_eq!(
        on_host(pool("192.168.0.0/16"), &host())[1],
        "P03 line 5 pool.net 192.168.0.0/16 is what D-Link, Netgear and TP-Link routers use at home (192.168.0.0/24)"
    );
    assert_eq!(
        on_host(pool("192.168.0.0/16"), &host())[0],
        "P01 line 5 pool.net 192.168.0.0/16 has 192.168.10.0/24 on eth1 inside it"
    );
    let mut docker = host();
    docker.routes.push(net("10.99.0.0/24", "br-1a2b"));
    assert_eq!(
        on_host(str::to_owned, &docker),
        ["P02 line 5 pool.net 10.99.0.0/24 is the same as a network of this host, on br-1a2b"]
    );
    let mut taken = host();
    taken.addresses.push(net("10.99.0.1/32", "lo"));
    assert_eq!(
        on_host(str::to_owned, &taken),
        ["P04 line 4 pool.server 10.99.0.1 is already an address of lo"]
    );
}

#[test]
fn windows_class_route() {
    let mut wide = host();
    wide.routes.push(net("10.20.0.0/16", "eth1"));
    assert_eq!(
        on_host(str::to_owned, &wide),
        [
            "P05 line 5 Windows clients will send all of 10.0.0.0/8 here, 10.20.0.0/16 too, not only 10.99.0.0/24"
        ]
    );
    let all = |text: &str| text.replace("routes = [\"192.168.10.0/24\"]", "tunnel = \"all\"");
    assert_eq!(on_host(all, &wide), [""; 0]);
}

#[test]
fn nothing_panics_on_cut_or_bent_files() {
    let mut texts: Vec<String> = vec![fs::read_to_string(here("examples/full.toml")).unwrap()];
    for entry in fs::read_dir(here("tests/broken")).unwrap() {
        texts.push(fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let mut seed = 1_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let junk = [
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "ü",
        "\0",
        "0",
        "-",
        ".",
        "1e999",
        "\\u",
        "99999999999999999999",
    ];
    for _ in 0..3_000 {
        let mut text = texts[next(texts.len())].clone();
        for _ in 0..1 + next(3) {
            let mut at = next(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match next(3) {
                0 => text.truncate(at),
                1 => text.insert_str(at, junk[next(junk.len())]),
                _ => {
                    text.pop();
                    if at < text.len() && text.is_char_boundary(at) {
                        text.remove(at);
                    }
                }
            }
        }
        let mut checked = parse(&text);
        checked.check_host(&host());
        checked.render();
        checked.effective();
    }
}

#[test]
fn huge_files_end_in_time() {
    let many = |line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        let mut n = 0;
        while text.len() < 1 << 20 {
            text.push_str(&line(n));
            n += 1;
        }
        text
    };
    for text in [
        many(&|n| format!("k{n}=1\n")),
        many(&|n| format!("[pools.p{n}]\nnet=\"10.0.0.0/24\"\n")),
        many(&|n| format!("[groups.g{n}]\nidle=1\n")),
        format!(
            "[access]\nroutes=[{}]",
            many(&|n| format!("\"{}.{}.{}.0/24\",", n >> 16, n >> 8 & 255, n & 255))
        ),
        many(&|_| "[".to_owned()),
        many(&|_| "a.".to_owned()),
        many(&|_| "= \n".to_owned()),
    ] {
        let checked = parse(&text);
        assert!(checked.config().is_none());
        assert!(checked.findings().len() <= 201);
        checked.render();
    }
}

#[test]
fn rules_services_and_tests_are_read() {
    let text = r#"
[server]
listen = "203.0.113.10"
[pool]
net = "10.99.0.0/24"
dns = ["192.168.10.5"]
[access]
routes = ["192.168.10.0/24"]
server = "ping+dns+tcp/443"
[groups.staff]
acl = ["allow 192.168.10.0/24 tcp 443,445", "allow 192.168.10.5 udp 53", "allow icmp", "deny any log"]
client_to_client = true
[groups.fax]
[[test]]
as = "group:staff"
allow = ["192.168.10.20:443", "8.8.8.8/icmp", "10.99.0.1:443", "10.99.0.9/icmp"]
deny = ["192.168.10.20:3389", "8.8.8.8:53/udp", "203.0.113.10:22"]
[[test]]
as = "default"
allow = ["192.168.10.20", "192.168.10.5:53/udp"]
deny = ["192.168.20.1", "10.99.0.9"]
"#;
    let checked = Checked::parse(vec![Source::new("adit.toml", text)]);
    assert_eq!(checked.render(), "");
    let config = checked.into_config().unwrap();
    let staff = &config.groups["staff"];
    assert_eq!(staff.acl.as_ref().unwrap().len(), 4);
    assert_eq!((staff.client_to_client, config.access.client_to_client), (true, false));
    assert_eq!(staff.keys.acl.as_deref(), Some("groups.staff.acl"));
    assert_eq!(
        (staff.keys.server.as_str(), staff.server.to_string().as_str()),
        ("access.server", "ping+dns+tcp/443")
    );
    assert_eq!(config.groups["fax"].keys.acl, None);
    assert_eq!(config.tests.len(), 2);
}

#[test]
fn the_list_of_access_is_inherited_with_the_routes_of_the_group() {
    use adit_policy::reach::{Locals, Outcome};
    let text = "[server]\nlisten = \"203.0.113.10\"\n[pool]\nnet = \"10.99.0.0/24\"\n[access]\nroutes = [\"192.168.10.0/24\"]\n\
                acl = [\"allow routes tcp\"]\n[groups.staff]\nroutes = [\"192.168.20.0/24\"]\n";
    let config = Checked::parse(vec![Source::new("adit.toml", text)]).into_config().unwrap();
    let reach = config.reach(Some("staff"), std::sync::Arc::new(Locals::default()));
    let outcome = |to: &str| reach.answer(to.parse().unwrap()).outcome;
    assert_eq!(outcome("192.168.20.1:22"), Outcome::Allowed);
    assert_eq!(outcome("192.168.20.1:22/udp"), Outcome::Denied);
    assert_eq!(outcome("192.168.10.1:22"), Outcome::Denied);
    assert_eq!(reach.keys.acl.as_deref(), Some("access.acl"));
}

#[test]
fn the_second_factor_of_a_group_is_read_and_its_price_is_noted() {
    let small = fs::read_to_string(here("examples/small.toml")).unwrap();
    let checked = parse(&format!("{small}\n[groups.staff]\nmfa = \"append\"\n[groups.fax]\n"));
    let notes: Vec<_> = checked.findings().iter().filter(|finding| finding.level == Level::Note).collect();
    let priced = notes.iter().filter(|note| note.message.contains("groups.staff.mfa is \"append\"")).count();
    assert_eq!(priced, 1, "{}", checked.render());
    let config = config(&checked);
    let mfa = [&config.access, &config.groups["staff"], &config.groups["fax"]].map(|access| access.mfa);
    assert_eq!(mfa, [Mfa::None, Mfa::Append, Mfa::None]);
}
