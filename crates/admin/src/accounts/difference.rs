//! Differences between two states of an account as text, for the log and for the user.

use adit_api::accounts::Account;
use ipnet::Ipv4Net;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A property that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the property.
    pub field: &'static str,
    /// The old value, as text.
    pub from: String,
    /// The new value, as text.
    pub to: String,
}

/// The differences between two states of an account; without `before`, the non-default properties of a new one.
pub fn differences(before: Option<&Account>, after: &Account, zone: &TimeZone) -> Vec<Difference> {
    match before {
        Some(before) => changed(before, after, zone),
        None => special(after, zone),
    }
}

fn changed(before: &Account, after: &Account, zone: &TimeZone) -> Vec<Difference> {
    let words = |account: &Account| {
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        [
            ("group", account.group.clone().unwrap_or_else(|| "none".into())),
            ("address", account.address.map_or_else(|| "dynamic".into(), |address| address.to_string())),
            ("networks", networks_text(&account.networks)),
            ("expires", account.expires.map_or_else(|| "never".into(), |end| last_day(end, zone))),
            ("vpn", yes(account.vpn)),
            ("must-change", yes(account.must_change)),
            ("note", if account.note.is_empty() { "none".into() } else { account.note.clone() }),
        ]
    };
    let pairs = words(before).into_iter().zip(words(after));
    let changes = pairs.filter(|((_, from), (_, to))| from != to);
    changes.map(|((field, from), (_, to))| Difference { field, from, to }).collect()
}

fn special(new: &Account, zone: &TimeZone) -> Vec<Difference> {
    let fact = |field, to: Option<String>| to.map(|to| Difference { field, from: "none".into(), to });
    [
        fact("group", new.group.clone()),
        fact("address", new.address.map(|address| address.to_string())),
        fact("networks", (!new.networks.is_empty()).then(|| networks_text(&new.networks))),
        fact("expires", new.expires.map(|end| last_day(end, zone))),
        fact("vpn", (!new.vpn).then(|| "no".into())),
        fact("note", (!new.note.is_empty()).then(|| new.note.clone())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Networks as text.
pub fn networks_text(networks: &[Ipv4Net]) -> String {
    if networks.is_empty() {
        return "none".into();
    }
    networks.iter().map(Ipv4Net::to_string).collect::<Vec<_>>().join(" ")
}

/// The last valid day before `end`; an end at midnight belongs to the previous day.
pub fn last_day(end: Timestamp, zone: &TimeZone) -> String {
    (end - SignedDuration::from_millis(1)).to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d").to_string()
}
