//! Sample values of each kind, to test the effect of keys.

use crate::keys::Kind;
use crate::read::{quote, show_duration};

/// Values that a key of this kind accepts, or refuses because they are planned: at least two, if there are two.
pub(super) fn samples(kind: &Kind) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| quote(text)).collect::<Vec<_>>();
    let lists = |texts: &[&str]| texts.iter().map(|text| format!("[{}]", quote(text))).collect::<Vec<_>>();
    let plain = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    match kind {
        Kind::Text(_) => texts(&["gateway", "x"]),
        Kind::Word(words) => texts(words),
        Kind::Words(words) => lists(words),
        Kind::SupportedWord(words, planned) => texts(&[*words, *planned].concat()),
        Kind::SupportedWords(words, planned) => lists(&[*words, *planned].concat()),
        Kind::Number(limits) => vec![limits.start().to_string(), limits.end().to_string()],
        Kind::Numbers(allowed) => allowed.iter().map(|number| format!("[{number}]")).collect(),
        Kind::Bool => plain(&["true", "false"]),
        Kind::BoolOrTexts => plain(&["true", "false", "[\"vwT8rjLq2mXz0pKd5c\"]"]),
        Kind::Duration(limits) | Kind::DurationOrNever(limits) => {
            let mut values = vec![*limits.start(), *limits.end()];
            if matches!(kind, Kind::DurationOrNever(_)) {
                values.push(std::time::Duration::ZERO);
            }
            values.into_iter().map(|value| quote(&show_duration(value))).collect()
        }
        Kind::Address => texts(&["10.99.0.2", "10.99.0.3"]),
        Kind::Addresses(_) => lists(&["192.168.40.5", "192.168.40.6"]),
        Kind::Prefix => texts(&["10.97.0.0/24", "10.96.0.0/24"]),
        Kind::Prefixes => lists(&["192.168.20.0/24", "192.168.30.0/24"]),
        Kind::Sources => lists(&["any", "198.51.100.0/24"]),
        Kind::Rules => plain(&["[\"allow 192.168.10.7 tcp 443\"]", "[\"deny icmp log\", \"allow routes\"]"]),
        Kind::ServerReach => texts(&["none", "ping", "ping+tcp/443", "all"]),
        Kind::ReachTests => plain(&["[{ as = \"default\", deny = [\"192.168.10.7:443\"] }]", "[]"]),
        Kind::Ranges => texts(&["10.99.0.20-10.99.0.30", "10.99.0.40-10.99.0.50"]),
        Kind::Listen => texts(&["203.0.113.11", "203.0.113.10:1724", "eth7"]),
        Kind::RadiusServers(_) => plain(&["[\"10.0.0.7\"]", "[\"10.0.0.8:1645\", \"10.0.0.7\"]"]),
        Kind::Interface => texts(&["eth7", "eth8"]),
        Kind::Name => texts(&["vpn.example.net", "vpn.example.com"]),
        Kind::PoolName => texts(&["default", "other"]),
        Kind::Secret => plain(&["{ file = \"/x/key\" }", "{ env = \"KEY\" }", "{ credential = \"key\" }"]),
        Kind::StoreUrl => texts(&["sqlite:/x/a.db", "sqlite:/x/b.db"]),
        Kind::Domain => texts(&["strip", "keep", "require:CORP"]),
        Kind::Mss => plain(&["\"clamp\"", "\"off\"", "1300"]),
        Kind::AutoOr(allowed) => {
            std::iter::once(quote("auto")).chain(allowed.iter().map(i64::to_string)).collect()
        }
        Kind::LogTargets => plain(&["\"stderr\"", "{ file = \"/x/log\" }"]),
    }
}
