//! The configuration file that `adit init` writes.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// The values in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// Name or address that clients dial.
    pub(super) name: String,
    /// Listening address; `None` for all addresses.
    pub(super) listen: Option<Ipv4Addr>,
    /// Address pool for clients.
    pub(super) pool: Ipv4Net,
    /// Networks that clients may reach.
    pub(super) lan: Vec<Ipv4Net>,
    /// DNS servers for clients.
    pub(super) dns: Vec<Ipv4Addr>,
}

impl Draft {
    /// The text of the file.
    pub(super) fn text(&self) -> String {
        let listen = self.listen.map_or_else(|| "any".to_owned(), |listen| listen.to_string());
        let mut text = String::from("# Everything else is the safe default: adit.toml(5).\n");
        text.push_str(&format!("[server]\nname   = {}\nlisten = {}\n", quote(&self.name), quote(&listen)));
        text.push_str(&format!("[pool]\nnet    = {}\n", quote(&self.pool.to_string())));
        if !self.dns.is_empty() {
            text.push_str(&format!("dns    = {}\n", list(&self.dns)));
        }
        if !self.lan.is_empty() {
            text.push_str(&format!("[access]\nroutes = {}\n", list(&self.lan)));
        }
        text
    }
}

/// A TOML basic string.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| quote(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use adit_config::{Checked, Source};

    use super::*;

    fn draft() -> Draft {
        Draft {
            name: "vpn.example.org".into(),
            listen: Some([203, 0, 113, 10].into()),
            pool: "10.99.0.0/24".parse().unwrap(),
            lan: vec!["192.168.10.0/24".parse().unwrap(), "192.168.20.0/24".parse().unwrap()],
            dns: vec![[192, 168, 10, 5].into()],
        }
    }

    #[test]
    fn the_first_file_of_the_manual() {
        assert_eq!(
            draft().text(),
            "\
# Everything else is the safe default: adit.toml(5).
[server]
name   = \"vpn.example.org\"
listen = \"203.0.113.10\"
[pool]
net    = \"10.99.0.0/24\"
dns    = [\"192.168.10.5\"]
[access]
routes = [\"192.168.10.0/24\", \"192.168.20.0/24\"]
"
        );
    }

    #[test]
    fn whatever_is_answered_the_file_is_read_as_it_was_meant() {
        for name in ["vpn.example.org", "203.0.113.10"] {
            let draft = Draft { name: name.into(), listen: None, lan: vec![], dns: vec![], ..draft() };
            let checked = Checked::parse(vec![Source::new("t", draft.text())]);
            let config = checked.config().unwrap_or_else(|| panic!("{}", checked.render()));
            assert_eq!(config.server.name.as_deref(), Some(name));
        }
        for name in ["a\"b", "a\\b", "a\nb\u{7f}"] {
            let text = Draft { name: name.into(), ..draft() }.text();
            let table: toml::Table = text.parse().unwrap();
            assert_eq!(table["server"]["name"].as_str(), Some(name));
        }
    }
}
