//! Conversion of the tree to typed values: the configured value, else the default.

use std::collections::BTreeMap;
use std::time::Duration;

use adit_password::{PasswordRules, PasswordStyle, Strength, site_words};
use adit_policy::pool::{default_range, default_server};
use adit_policy::reach::Keys;
use adit_policy::{Access, Encryption, Mfa, OnSecond, PoolConfig, Tunnel, lockout};

use crate::keys::{self, Kind, Slot, default_node};
use crate::model::{
    Auth, AuthSource, Cipher, Config, Echo, Io, Limits, Link, Log, LogFormat, LogLevel, PasswordPolicy,
    Radius, Reorder, Retention, SameNat, Server, Store,
};
use crate::read::{self, Read};
use crate::tree::Node;
use crate::words;

/// The typed configuration. `None` if a value is not readable; [`crate::walk`] has reported it.
pub(crate) fn resolve(tree: &Node) -> Option<Config> {
    let at = Section { tree, path: &[], under: None };
    let access = access(&at.section(&["access"]), encryption(&at.section(&["link"]))?)?;
    let (server, pools) = (server(&at)?, pools(&at)?);
    let site = site_words(site_names(&server, &pools));
    Some(Config {
        store: Store {
            url: at.section(&["store"]).get("url", read::store_url)?,
            seal_key: at.section(&["store"]).get("seal_key", read::secret)?,
        },
        groups: groups(&at, &access)?,
        access,
        tests: at.section(&[]).get("test", read::reach_tests)?,
        auth: auth(&at, site)?,
        server,
        pools,
        link: link(&at)?,
        limits: limits(&at.section(&["limits"]))?,
        log: log(&at.section(&["log"]))?,
        retention: Retention {
            events: at.section(&["retention"]).duration("events")?,
            sessions: at.section(&["retention"]).duration("sessions")?,
        },
    })
}

/// A table, and the table that it inherits values from.
#[derive(Clone, Copy)]
struct Section<'a> {
    tree: &'a Node,
    path: &'a [&'a str],
    under: Option<&'a [&'a str]>,
}

impl<'a> Section<'a> {
    fn section(&self, path: &'a [&'a str]) -> Section<'a> {
        Section { tree: self.tree, path, under: None }
    }

    /// The configured node: in this table, else in the one it inherits from.
    fn node(&self, name: &str) -> Option<&'a Node> {
        let find = |path: &[&str]| self.tree.find(&[path, &[name]].concat()).map(|entry| &entry.node);
        find(self.path).or_else(|| find(self.under?))
    }

    /// The key with the path of the table that sets it: the inherited one if this table does not.
    fn key(&self, name: &str) -> String {
        let is_set = |path: &[&str]| self.tree.find(&[path, &[name]].concat()).is_some();
        let path = match self.under {
            Some(under) if !is_set(self.path) => under,
            _ => self.path,
        };
        [path, &[name]].concat().join(".")
    }

    /// The configured value, or the default.
    fn get<T>(&self, name: &str, read: impl Fn(&Node) -> Read<T>) -> Option<T> {
        match self.node(name) {
            Some(node) => read(node).ok(),
            None => read(&default_node(&[self.path, &[name]].concat())?).ok(),
        }
    }

    /// The value of a key without a default; the outer `None` is a value that is not readable.
    fn optional<T>(&self, name: &str, read: impl Fn(&Node) -> Read<T>) -> Option<Option<T>> {
        match self.node(name) {
            Some(node) => read(node).ok().map(Some),
            None => Some(None),
        }
    }

    fn kind(&self, name: &str) -> Option<&'static Kind> {
        match keys::slot(&[self.path, &[name]].concat()) {
            Slot::Key(key) => Some(&key.kind),
            _ => None,
        }
    }

    fn word(&self, name: &str) -> Option<&'static str> {
        match self.kind(name)? {
            Kind::Word(words) => self.get(name, |node| read::word(node, words)),
            Kind::SupportedWord(words, planned) => {
                self.get(name, |node| read::supported_word(node, words, planned))
            }
            _ => None,
        }
    }

    fn number<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        let Kind::Number(limits) = self.kind(name)? else { return None };
        T::try_from(self.get(name, |node| read::number(node, limits))?).ok()
    }

    fn boolean(&self, name: &str) -> Option<bool> {
        self.get(name, read::boolean)
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        let Kind::Duration(limits) = self.kind(name)? else { return None };
        self.get(name, |node| read::duration(node, limits))
    }

    fn duration_or_never(&self, name: &str) -> Option<Option<Duration>> {
        let Kind::DurationOrNever(limits) = self.kind(name)? else { return None };
        self.get(name, |node| read::duration_or_never(node, limits))
    }
}

fn server(at: &Section<'_>) -> Option<Server> {
    let section = at.section(&["server"]);
    Some(Server {
        name: section.optional("name", read::name)?,
        listen: section.optional("listen", read::listens)?.unwrap_or_default(),
        interface: section.optional("interface", read::interface_name)?,
        hostname: section.get("hostname", |node| read::text(node, 63))?,
        echo: echo(&at.section(&["server", "echo"]))?,
        shutdown_grace: section.duration("shutdown_grace")?,
    })
}

fn echo(section: &Section<'_>) -> Option<Echo> {
    Some(Echo { every: section.duration_or_never("every")?, lost: section.number("lost")? })
}

fn pools(at: &Section<'_>) -> Option<BTreeMap<String, PoolConfig>> {
    let mut pools = BTreeMap::new();
    if at.tree.find(&["pool"]).is_some()
        && let Some(pool) = pool(&at.section(&["pool"]), "default")?
    {
        pools.insert(pool.name.clone(), pool);
    }
    let named = at.tree.find(&["pools"]).and_then(|entry| entry.node.table());
    for name in named.into_iter().flat_map(|table| table.keys()) {
        if let Some(pool) = pool(&at.section(&["pools", name]), name)? {
            pools.insert(pool.name.clone(), pool);
        }
    }
    Some(pools)
}

/// The inner `None` is a pool without a network.
fn pool(section: &Section<'_>, name: &str) -> Option<Option<PoolConfig>> {
    let Some(net) = section.optional("net", read::prefix)? else { return Some(None) };
    // Leases of a DHCP server or of RADIUS need another kind of pool.
    if section.word("source")? != "static" {
        return None;
    }
    let server = section.optional("server", read::address)?.unwrap_or_else(|| default_server(net));
    let ranges = section.optional("range", read::ranges)?;
    Some(Some(PoolConfig {
        name: name.to_owned(),
        net,
        ranges: ranges.unwrap_or_else(|| vec![default_range(net, server)]),
        server,
        sticky: section.duration_or_never("sticky")?.unwrap_or_default(),
        dns: section.get("dns", |node| read::list(node, &(0..=2), read::address))?,
        wins: section.get("wins", |node| read::list(node, &(0..=2), read::address))?,
        domain: section.optional("domain", read::name)?,
    }))
}

fn access(section: &Section<'_>, encryption: Encryption) -> Option<Access> {
    let tunnel = if section.word("tunnel")? == "all" { Tunnel::All } else { Tunnel::Split };
    let from = section.get("from", |node| read::list(node, &(1..=1024), read::source_net))?;
    Some(Access {
        pool: section.get("pool", read::pool_name)?,
        tunnel,
        routes: section.get("routes", |node| read::list(node, &(0..=1024), read::prefix))?,
        idle: section.duration_or_never("idle")?,
        max: section.duration_or_never("max")?,
        sessions: section.number("sessions")?,
        on_second: if section.word("on_second")? == "refuse" { OnSecond::Refuse } else { OnSecond::Replace },
        // "any" together with a network means any.
        from: if from.contains(&None) { Vec::new() } else { from.into_iter().flatten().collect() },
        mfa: if section.word("mfa")? == "append" { Mfa::Append } else { Mfa::None },
        encryption,
        acl: section.optional("acl", read::rules)?,
        server: section.get("server", read::server_reach)?,
        client_to_client: section.boolean("client_to_client")?,
        keys: Keys {
            server: section.key("server"),
            client_to_client: section.key("client_to_client"),
            acl: section.node("acl").map(|_| section.key("acl")),
            // With all traffic in the tunnel the routes decide nothing.
            routes: section.key(if tunnel == Tunnel::All { "tunnel" } else { "routes" }),
        },
    })
}

fn groups(at: &Section<'_>, defaults: &Access) -> Option<BTreeMap<String, Access>> {
    let mut groups = BTreeMap::new();
    let named = at.tree.find(&["groups"]).and_then(|entry| entry.node.table());
    for name in named.into_iter().flat_map(|table| table.keys()) {
        let path = ["groups", name.as_str()];
        let section = Section { tree: at.tree, path: &path, under: Some(&["access"]) };
        let link = ["groups", name.as_str(), "link"];
        let link = Section { tree: at.tree, path: &link, under: Some(&["link"]) };
        let own = match link.node("mppe") {
            Some(_) => encryption(&link)?,
            None => defaults.encryption,
        };
        groups.insert(name.clone(), access(&section, own)?);
    }
    Some(groups)
}

fn encryption(section: &Section<'_>) -> Option<Encryption> {
    Some(match section.word("mppe")? {
        "off" => Encryption::Off,
        "allow" => Encryption::Allow,
        _ => Encryption::Require,
    })
}

/// The names of the server and of the sites that it serves.
fn site_names<'a>(
    server: &'a Server,
    pools: &'a BTreeMap<String, PoolConfig>,
) -> impl Iterator<Item = &'a str> {
    let domains = pools.values().filter_map(|pool| pool.domain.as_deref());
    server.name.as_deref().into_iter().chain([server.hostname.as_str()]).chain(domains)
}

/// `site`: words that an attacker knows of the server and its site.
fn auth(at: &Section<'_>, site: Vec<String>) -> Option<Auth> {
    let section = at.section(&["auth"]);
    let password = at.section(&["auth", "password"]);
    let list = |name| match section.kind(name)? {
        Kind::Words(words) => {
            section.get(name, |node| read::list(node, &(1..=words.len()), |item| read::word(item, words)))
        }
        Kind::SupportedWords(words, planned) => {
            section.get(name, |node| read::supported_words(node, words, planned))
        }
        _ => None,
    };
    let source = |word: &str| match word {
        "local" => Some(AuthSource::Local),
        "radius" => Some(AuthSource::Radius),
        _ => None,
    };
    Some(Auth {
        methods: list("methods")?.into_iter().filter_map(words::method).collect(),
        sources: list("sources")?.into_iter().map(source).collect::<Option<_>>()?,
        domain: section.get("domain", read::domain_rule)?,
        password: PasswordPolicy {
            rules: PasswordRules {
                min_length: password.number("min_length")?,
                strength: password
                    .get("blocklist", read::blocklist)?
                    .map(|blocked| Strength { site, blocked }),
            },
            max_age: password.duration_or_never("max_age")?,
            generate: match password.word("generate")? {
                "random" => PasswordStyle::Random,
                _ => PasswordStyle::Words,
            },
        },
        lockout: lockout(at)?,
        radius: radius(&at.section(&["auth", "radius"]))?,
    })
}

/// The inner `None`: there are no servers, or no secret, which [`crate::check`] reports.
fn radius(section: &Section<'_>) -> Option<Option<Radius>> {
    let servers = section.optional("servers", |node| read::radius_servers(node, 1))?;
    let secret = section.optional("secret", read::secret)?;
    let (Some(servers), Some(secret)) = (servers, secret) else { return Some(None) };
    Some(Some(Radius {
        servers,
        secret,
        timeout: section.duration("timeout")?,
        retries: section.number("retries")?,
        accept_unsigned: section.get("accept_unsigned", |node| read::radius_servers(node, 0))?,
        nas_identifier: section.optional("nas_identifier", |node| read::text(node, 63))?,
        is_optional: section.word("on_unavailable")? == "next",
    }))
}

fn lockout(at: &Section<'_>) -> Option<lockout::Rules> {
    let section = at.section(&["auth", "lockout"]);
    let address = at.section(&["auth", "lockout", "address"]);
    Some(lockout::Rules {
        tries: section.number("tries")?,
        window: section.duration("window")?,
        lock: section.duration("lock")?,
        address: lockout::AddressRules {
            tries: address.number("tries")?,
            ban: address.duration("ban")?,
            ignore: address.get("ignore", |node| read::list(node, &(0..=1024), read::prefix))?,
        },
    })
}

fn link(at: &Section<'_>) -> Option<Link> {
    let section = at.section(&["link"]);
    let reorder = at.section(&["link", "reorder"]);
    let Kind::Numbers(bits) = section.kind("mppe_bits")? else { return None };
    let bits = section.get("mppe_bits", |node| read::number_list(node, bits))?;
    Some(Link {
        mtu: section.number("mtu")?,
        mss: section.get("mss", read::mss)?,
        mppe_bits: bits.into_iter().filter_map(|bits| u8::try_from(bits).ok()).collect(),
        mppe_stateless: section.boolean("mppe_stateless")?,
        echo: echo(&at.section(&["link", "echo"]))?,
        reorder: Reorder { packets: reorder.number("packets")?, wait: reorder.duration("wait")? },
        setup: section.duration("setup")?,
        ipv6: section.boolean("ipv6")?,
        windowing: section.boolean("windowing")?,
        io: match section.word("io")? {
            "socket" => Io::Socket,
            "xdp" => Io::Xdp,
            _ => Io::Auto,
        },
        cipher: match section.word("cipher")? {
            "assembly" => Cipher::Assembly,
            "portable" => Cipher::Portable,
            _ => Cipher::Auto,
        },
        workers: section
            .get("workers", |node| match section.kind("workers") {
                Some(Kind::AutoOr(allowed)) => read::auto_or(node, allowed),
                _ => Ok(None),
            })?
            .and_then(|number| u8::try_from(number).ok()),
    })
}

fn limits(section: &Section<'_>) -> Option<Limits> {
    Some(Limits {
        sessions: section.number("sessions")?,
        starting: section.number("starting")?,
        calls_per_minute_per_address: section.number("calls_per_minute_per_address")?,
        same_nat: if section.word("same_nat")? == "refuse" { SameNat::Refuse } else { SameNat::Allow },
    })
}

fn log(section: &Section<'_>) -> Option<Log> {
    Some(Log {
        level: match section.word("level")? {
            "error" => LogLevel::Error,
            "warn" => LogLevel::Warn,
            "debug" => LogLevel::Debug,
            _ => LogLevel::Info,
        },
        to: section.get("to", |node| read::one_or_list(node, &(1..=8), read::log_target))?,
        format: if section.word("format")? == "json" { LogFormat::Json } else { LogFormat::Kv },
    })
}
