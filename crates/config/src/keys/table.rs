//! The table of keys.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use crate::keys::{Key, Kind};
use crate::tree::{Node, Spot, take};

const fn secs(from: u64, to: u64) -> RangeInclusive<Duration> {
    Duration::from_secs(from)..=Duration::from_secs(to)
}

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

const METHODS: &[&str] = &["mschap-v2", "mschap-v1", "chap-md5", "pap"];
const ENCRYPTION: &[&str] = &["require", "allow", "off"];

const POOL: &[&str] = &["pool", "pools.*"];
const ACCESS: &[&str] = &["access", "groups.*"];

/// Builds one row of the table.
const fn key(
    sections: &'static [&'static str],
    name: &'static str,
    kind: Kind,
    default: &'static str,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key { sections, name, kind, default, example, about }
}

#[rustfmt::skip]
pub(crate) static KEYS: &[Key] = &[
    key(&[""], "version", Kind::Number(i64::MIN..=i64::MAX), "1", "", "format of this file"),

    key(&["store"], "url", Kind::StoreUrl, "\"sqlite:/var/lib/adit/adit.db\"", "", "database of accounts, leases, sessions and events"),
    key(&["store"], "seal_key", Kind::Secret, "{ file = \"/var/lib/adit/seal.key\" }", "{ credential = \"adit-seal\" }", "the key that seals password hashes, made at first start"),

    key(&["server"], "name", Kind::Name, "", "\"vpn.example.org\"", "name that clients connect to"),
    key(&["server"], "listen", Kind::Listen, "", "[\"203.0.113.10:1723\"]", "listening address or interface, or several"),
    key(&["server"], "interface", Kind::Interface, "", "\"eth0\"", "accept only calls that arrive on this interface"),
    key(&["server"], "hostname", Kind::Text(63), "\"adit\"", "", "PPTP host name sent to clients"),
    key(&["server.echo"], "every", Kind::DurationOrNever(secs(5, HOUR)), "\"60s\"", "", "keep-alive of the control connection"),
    key(&["server.echo"], "lost", Kind::Number(1..=20), "3", "", "unanswered keep-alives that end the connection"),
    key(&["server"], "shutdown_grace", Kind::Duration(secs(0, 600)), "\"30s\"", "", "time limit for ending all sessions when the server stops"),

    key(POOL, "net", Kind::Prefix, "", "\"10.99.0.0/24\"", "the network that client addresses come from"),
    key(POOL, "range", Kind::Ranges, "", "\"10.99.0.10-10.99.0.250\"", "addresses given to clients; default: all but the first nine and the last four, in a net below a /24 all"),
    key(POOL, "server", Kind::Address, "", "\"10.99.0.1\"", "the server's end of every tunnel; default: the first address"),
    key(POOL, "sticky", Kind::DurationOrNever(secs(60, 3650 * DAY)), "\"30d\"", "", "a returning user gets the same address within this time, if free"),
    key(POOL, "dns", Kind::Addresses(2), "[]", "[\"192.168.10.5\", \"192.168.10.6\"]", "DNS servers sent to clients; IPCP allows no more than two"),
    key(POOL, "wins", Kind::Addresses(2), "[]", "", "WINS servers sent to clients"),
    key(POOL, "domain", Kind::Name, "", "\"corp.example.org\"", "DNS domain sent to clients, by DHCPINFORM"),
    key(POOL, "source", Kind::SupportedWord(&["static"], &["dhcp", "radius"]), "\"static\"", "", "source of addresses"),

    key(ACCESS, "pool", Kind::PoolName, "\"default\"", "", "the pool that addresses come from"),
    key(ACCESS, "tunnel", Kind::Word(&["split", "all"]), "\"split\"", "", "split: only `routes` go through the tunnel; all: all traffic"),
    key(ACCESS, "routes", Kind::Prefixes, "[]", "[\"192.168.10.0/24\"]", "networks that clients receive as routes, and may reach unless `acl` has other rules"),
    key(ACCESS, "acl", Kind::Rules, "", "[\"allow 192.168.10.0/24 tcp 443,445\", \"allow icmp\", \"deny any log\"]", "rules for packets of clients, the first that matches decides; default: allow routes, deny any"),
    key(ACCESS, "server", Kind::ServerReach, "\"ping+dns\"", "\"ping+dns+tcp/443\"", "services that clients may reach at any address of this host; none | all | ping, dns, tcp/PORT, udp/PORT joined by +"),
    key(ACCESS, "client_to_client", Kind::Bool, "false", "", "clients may reach each other, as far as the rules allow it"),
    key(ACCESS, "idle", Kind::DurationOrNever(secs(60, 30 * DAY)), "\"2h\"", "", "idle timeout of a session"),
    key(ACCESS, "max", Kind::DurationOrNever(secs(60, 365 * DAY)), "\"24h\"", "", "maximum duration of a session"),
    key(ACCESS, "sessions", Kind::Number(1..=1000), "1", "", "concurrent sessions of one user"),
    key(ACCESS, "on_second", Kind::Word(&["replace", "refuse"]), "\"replace\"", "", "at the limit, a new session replaces the oldest or is refused"),
    key(ACCESS, "from", Kind::Sources, "[\"any\"]", "[\"198.51.100.0/24\"]", "networks that users may connect from"),
    key(ACCESS, "mfa", Kind::SupportedWord(&["none", "append"], &["portal"]), "\"none\"", "", "append: a second factor is required, its code follows the password; none: only of users who have one"),
    key(&["groups.*.link"], "mppe", Kind::Word(ENCRYPTION), "", "\"allow\"", "encryption of this group"),

    key(&[""], "test", Kind::ReachTests, "[]", "[{ as = \"group:staff\", allow = [\"192.168.10.20:443\"], deny = [\"8.8.8.8:53/udp\"] }]", "what users may reach, checked by `adit check`; also written as [[test]]"),

    key(&["auth"], "methods", Kind::Words(METHODS), "[\"mschap-v2\"]", "", "in order of preference; all but mschap-v2 are weak"),
    key(&["auth"], "sources", Kind::SupportedWords(&["local", "radius"], &["ldap", "winbind", "chap-secrets"]), "[\"local\"]", "", "account sources, in the order in which they are queried"),
    key(&["auth"], "domain", Kind::Domain, "\"strip\"", "\"require:CORP\"", "CORP\\bob is bob, or another user, or the only form accepted"),
    key(&["auth.radius"], "servers", Kind::RadiusServers(1), "", "[\"10.0.0.7\", \"10.0.0.8:1812\"]", "RADIUS servers in the order in which they are asked, with or without :port"),
    key(&["auth.radius"], "secret", Kind::Secret, "", "{ file = \"/etc/adit/radius.secret\" }", "the secret shared with these servers; at least 16 characters"),
    key(&["auth.radius"], "timeout", Kind::Duration(secs(1, 120)), "\"5s\"", "\"60s\"", "how long one server has for its answer; longer if a user approves on a telephone"),
    key(&["auth.radius"], "retries", Kind::Number(0..=10), "2", "", "how often a request is sent again within `timeout`"),
    key(&["auth.radius"], "accept_unsigned", Kind::RadiusServers(0), "[]", "[\"10.0.0.7\"]", "servers whose replies count without Message-Authenticator, which an attacker between can forge (CVE-2024-3596)"),
    key(&["auth.radius"], "nas_identifier", Kind::Text(63), "", "\"vpn1\"", "NAS-Identifier; default: server.name or server.hostname"),
    key(&["auth.radius"], "on_unavailable", Kind::Word(&["refuse", "next"]), "\"refuse\"", "", "if no server answers: refuse the login (A07), or ask the next source"),
    key(&["auth.password"], "min_length", Kind::Number(1..=256), "14", "", "shortest password of a local account"),
    key(&["auth.password"], "blocklist", Kind::BoolOrTexts, "true", "[\"purple harbour kettle\"]", "refuse passwords that are easy to guess, and those of a list; needs no network"),
    key(&["auth.password"], "max_age", Kind::DurationOrNever(secs(DAY, 3650 * DAY)), "\"365d\"", "", "a password older than this has expired"),
    key(&["auth.password"], "generate", Kind::Word(&["words", "random"]), "\"words\"", "", "style of generated passwords"),
    key(&["auth.lockout"], "tries", Kind::Number(0..=100), "5", "", "failed logins that lock an account for addresses from which its user did not log in; 0 is never"),
    key(&["auth.lockout"], "window", Kind::Duration(secs(60, HOUR)), "\"10m\"", "", "a failed login is forgotten when none followed for so long"),
    key(&["auth.lockout"], "lock", Kind::Duration(secs(60, DAY)), "\"15m\"", "", "the first lock; each further one lasts twice as long, up to 24 hours"),
    key(&["auth.lockout.address"], "tries", Kind::Number(0..=1000), "20", "", "failed logins within `window` that ban an address; four times as many ban its /24 network; 0 is never"),
    key(&["auth.lockout.address"], "ban", Kind::Duration(secs(60, 30 * DAY)), "\"1h\"", "", "the first ban; each further one lasts twice as long, up to 24 hours"),
    key(&["auth.lockout.address"], "ignore", Kind::Prefixes, "[]", "[\"192.168.10.0/24\"]", "networks that are never banned"),

    key(&["link"], "mtu", Kind::Number(576..=1500), "1400", "", "largest packet inside the tunnel"),
    key(&["link"], "mss", Kind::Mss, "\"clamp\"", "", "segment size of TCP connections through the tunnel"),
    key(&["link"], "mppe", Kind::Word(ENCRYPTION), "\"require\"", "", "encryption"),
    key(&["link"], "mppe_bits", Kind::Numbers(&[128, 56, 40]), "[128]", "[128, 40]", "key sizes in order of preference"),
    key(&["link"], "mppe_stateless", Kind::Bool, "true", "", "new key for every packet; false lets old devices keep one"),
    key(&["link.echo"], "every", Kind::DurationOrNever(secs(5, HOUR)), "\"30s\"", "", "LCP echo: finds dead clients, keeps GRE state alive in NATs"),
    key(&["link.echo"], "lost", Kind::Number(1..=20), "4", "", "unanswered echoes that end a session"),
    key(&["link.reorder"], "packets", Kind::Number(0..=256), "32", "", "GRE packets kept while one is missing"),
    key(&["link.reorder"], "wait", Kind::Duration(Duration::ZERO..=Duration::from_secs(2)), "\"100ms\"", "", "longest wait for a missing packet"),
    key(&["link"], "setup", Kind::Duration(secs(5, 300)), "\"30s\"", "", "timeout of the set-up of a call"),
    key(&["link"], "ipv6", Kind::Bool, "false", "", "negotiate IPv6 inside the tunnel too"),
    key(&["link"], "windowing", Kind::Bool, "false", "", "send no faster than the client acknowledges, within its window; many acknowledge badly"),
    key(&["link"], "io", Kind::Word(&["auto", "socket", "xdp"]), "\"auto\"", "", "GRE packet I/O; xdp is faster and bypasses this host's firewall; auto: xdp where that changes nothing"),
    key(&["link"], "cipher", Kind::Word(&["auto", "assembly", "portable"]), "\"auto\"", "", "form of RC4 for MPPE; auto: the faster one, measured at start"),
    key(&["link"], "workers", Kind::AutoOr(&[1, 2, 4, 8]), "\"auto\"", "", "threads for packets; auto: by the number of cores"),

    key(&["limits"], "sessions", Kind::Number(1..=65_535), "200", "", "concurrent sessions"),
    key(&["limits"], "starting", Kind::Number(1..=4_096), "1024", "", "concurrent calls in set-up; more are queued"),
    key(&["limits"], "calls_per_minute_per_address", Kind::Number(0..=100_000), "20", "", "failed logins per minute from one address; more are delayed; 0 is no limit"),
    key(&["limits"], "same_nat", Kind::Word(&["allow", "refuse"]), "\"allow\"", "", "several clients behind one address"),

    key(&["log"], "level", Kind::Word(&["error", "warn", "info", "debug"]), "\"info\"", "", "the least severe line that is written; debug adds every step of a call"),
    key(&["log"], "to", Kind::LogTargets, "[\"stderr\"]", "{ file = \"/var/log/adit.log\" }", "log destinations"),
    key(&["log"], "format", Kind::Word(&["kv", "json"]), "\"kv\"", "", "log format"),

    key(&["retention"], "events", Kind::Duration(secs(DAY, 3650 * DAY)), "\"90d\"", "", "logins, session ends, failures"),
    key(&["retention"], "sessions", Kind::Duration(secs(DAY, 3650 * DAY)), "\"400d\"", "", "session records"),
];

/// Parses a value of the table as a node; its location has no meaning.
pub(crate) fn node(text: &str) -> Option<Node> {
    let parsed = DeValue::parse(text).ok()?;
    let spot = Spot { file: usize::MAX, span: parsed.span() };
    Some(Node { value: take(parsed.get_ref(), usize::MAX), spot })
}
