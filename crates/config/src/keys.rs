//! Every key of the file: its sections, the values it accepts, its default, and a description.

mod kind;
mod samples;
mod table;

pub(crate) use kind::Kind;
pub(crate) use table::KEYS;

use crate::tree::Node;

/// A configuration key.
#[derive(Debug)]
pub struct Key {
    /// The tables that may contain it; `*` is any name.
    pub sections: &'static [&'static str],
    /// Its name.
    pub name: &'static str,
    /// The kind of its values.
    pub(crate) kind: Kind,
    /// The default as TOML; empty for none.
    pub default: &'static str,
    /// An example as TOML; empty where the default is one.
    pub example: &'static str,
    /// Description in one line.
    pub about: &'static str,
}

impl Key {
    /// The accepted values, as text for the user.
    pub fn takes(&self) -> String {
        self.kind.takes()
    }

    /// Values to try, as TOML: the limits and words that the key accepts, and words that it refuses because they are
    /// planned. For checks that every key has an effect.
    pub fn samples(&self) -> Vec<String> {
        samples::samples(&self.kind)
    }

    /// The default, or the example.
    pub fn sample(&self) -> &'static str {
        if self.default.is_empty() { self.example } else { self.default }
    }
}

/// All keys, in the order of the annotated file.
pub fn keys() -> &'static [Key] {
    KEYS
}

/// The default of the key at a path, as a node that belongs to no file.
pub(crate) fn default_node<S: AsRef<str>>(path: &[S]) -> Option<Node> {
    match slot(path) {
        Slot::Key(key) => table::node(key.default),
        _ => None,
    }
}

/// The meaning of a path.
#[derive(Debug)]
pub(crate) enum Slot {
    /// A key.
    Key(&'static Key),
    /// A table that contains keys or tables.
    Table,
    /// Unknown in this version.
    Unknown,
}

/// Looks up a path.
pub(crate) fn slot<S: AsRef<str>>(path: &[S]) -> Slot {
    let Some((name, above)) = path.split_last() else { return Slot::Table };
    let key = KEYS.iter().find(|key| {
        key.name == name.as_ref() && key.sections.iter().any(|section| matches(section, above) == Some(true))
    });
    if let Some(key) = key {
        return Slot::Key(key);
    }
    let inside = KEYS.iter().flat_map(|key| key.sections).any(|section| matches(section, path).is_some());
    if inside { Slot::Table } else { Slot::Unknown }
}

/// `Some(true)`: the path is this section. `Some(false)`: the section is below the path.
fn matches<S: AsRef<str>>(section: &str, path: &[S]) -> Option<bool> {
    let mut parts = section.split('.').filter(|part| !part.is_empty());
    for name in path {
        let part = parts.next()?;
        if part != "*" && part != name.as_ref() {
            return None;
        }
    }
    Some(parts.next().is_none())
}

/// Names of the keys and tables directly inside a table, keys first; without free names.
pub(crate) fn names_in<S: AsRef<str>>(path: &[S]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for key in KEYS {
        for section in key.sections {
            let name = match matches(section, path) {
                Some(true) => key.name,
                Some(false) => match section.split('.').filter(|part| !part.is_empty()).nth(path.len()) {
                    Some(name) if name != "*" => name,
                    _ => continue,
                },
                None => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Keys and tables that are planned for a later version: they are unknown, and the message explains that they are not
/// a typing error.
pub(crate) const PLANNED: &[&str] = &[
    "access.hours",
    "access.nat",
    "access.rate",
    "alerts",
    "auth.chap_secrets",
    "auth.eap_tls",
    "auth.ldap",
    "auth.mfa",
    "auth.password.change",
    "auth.radius.accounting",
    "auth.radius.coa",
    "groups.*.hours",
    "groups.*.members",
    "groups.*.nat",
    "groups.*.rate",
    "history",
    "log.privacy",
    "metrics",
    "migrate",
    "pool.dhcp",
    "pool.proxy_arp",
    "pools.*.dhcp",
    "pools.*.proxy_arp",
    "retention.captures",
    "retention.history",
    "risk",
    "verify",
    "web",
];

/// Whether a path is one of [`PLANNED`].
pub(crate) fn is_planned<S: AsRef<str>>(path: &[S]) -> bool {
    PLANNED.iter().any(|planned| matches(planned, path) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots() {
        assert!(matches!(slot(&["server", "listen"]), Slot::Key(_)));
        assert!(matches!(slot(&["version"]), Slot::Key(_)));
        assert!(matches!(slot(&["groups", "staff", "link", "mppe"]), Slot::Key(_)));
        assert!(matches!(slot(&["groups", "staff", "link"]), Slot::Table));
        assert!(matches!(slot(&["groups", "staff"]), Slot::Table));
        assert!(matches!(slot(&["groups"]), Slot::Table));
        assert!(matches!(slot(&["groups", "staff", "link", "mtu"]), Slot::Unknown));
        assert!(matches!(slot(&["server", "lisen"]), Slot::Unknown));
        assert!(matches!(slot(&["web"]), Slot::Unknown));
    }

    #[test]
    fn names() {
        assert_eq!(names_in(&["store"]), ["url", "seal_key"]);
        assert!(names_in::<&str>(&[]).starts_with(&["version", "store", "server"]));
        assert_eq!(names_in(&["groups"]), [""; 0], "any name is good there");
        assert!(names_in(&["groups", "staff"]).contains(&"link"));
    }

    #[test]
    fn nothing_planned_is_there_already() {
        for planned in PLANNED {
            let path: Vec<&str> =
                planned.split('.').map(|part| if part == "*" { "x" } else { part }).collect();
            assert!(matches!(slot(&path), Slot::Unknown), "{planned}");
            assert!(is_planned(&path));
        }
    }

    #[test]
    fn every_sample_is_good_or_planned() {
        for key in KEYS {
            for text in key.samples() {
                let problems = key.kind.check(&table::node(&text).unwrap());
                let is_planned =
                    problems.iter().any(|problem| problem.label == "not supported in this version");
                assert!(problems.is_empty() || is_planned, "{} = {text}: {problems:?}", key.name);
            }
        }
    }

    #[test]
    fn every_default_and_example_is_good() {
        for key in KEYS {
            assert!(!key.sample().is_empty(), "{} has neither default nor example", key.name);
            assert!(!key.about.is_empty() && !key.about.ends_with('.'), "{}", key.name);
            for text in [key.default, key.example].into_iter().filter(|text| !text.is_empty()) {
                let problems = key.kind.check(&table::node(text).unwrap());
                assert!(problems.is_empty(), "{} = {text}: {problems:?}", key.name);
            }
        }
    }
}
