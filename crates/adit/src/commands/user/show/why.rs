//! Every effective value of a user, with its origin and the values that it overrides.

use adit_admin::accounts::networks_text;
use adit_api::accounts::Account;
use adit_config::{Checked, Setting};
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::user::words::expires_text;
use crate::output::Output;
use crate::settings::Settings;

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Effective {
    /// The key of the configuration without its section, or the property of the account.
    key: String,
    /// The value in effect; a value of the configuration is TOML.
    #[serde(flatten)]
    value: Value,
    /// The values that it overrides, the nearest first.
    over: Vec<Value>,
}

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Value {
    /// The value.
    value: String,
    /// Where it is set.
    origin: Origin,
    /// The group or the line of the configuration; null for a built-in value and for the user.
    place: Option<String>,
}

/// Where a value is set; a later origin overrides an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    /// In the program.
    BuiltIn,
    /// In the section `[access]`.
    Access,
    /// In the section of the user's group.
    Group,
    /// In the account.
    User,
}

/// The effective values of an account: the rules of the configuration, then its own properties.
pub(super) fn effective(account: &Account, settings: &Settings, output: &Output) -> Vec<Effective> {
    let configured = settings.file().map(Checked::effective).unwrap_or_default();
    let mut all = rules(account.group.as_deref(), &Checked::built_in().effective(), &configured);
    all.extend(properties(account, output));
    all
}

/// The rules of `[access]` and of a group.
fn rules(group: Option<&str>, built_in: &[Setting], configured: &[Setting]) -> Vec<Effective> {
    let section = group.map(|group| format!("groups.{group}."));
    let mut rules: Vec<Effective> = Vec::new();
    let defaults = built_in.iter().map(|setting| (setting, Origin::BuiltIn, "access."));
    let access = configured.iter().map(|setting| (setting, Origin::Access, "access."));
    let own = section
        .iter()
        .flat_map(|section| configured.iter().map(move |setting| (setting, Origin::Group, section.as_str())));
    for (setting, origin, prefix) in defaults.chain(access).chain(own) {
        let Some(key) = setting.key.strip_prefix(prefix) else { continue };
        // A value of the configuration without a line is the built-in one.
        if origin != Origin::BuiltIn && setting.origin.is_none() {
            continue;
        }
        let place = setting.origin.as_ref().map(|(file, line)| {
            let file = file.rsplit('/').next().unwrap_or(file);
            format!("{}, {file} line {line}", prefix.trim_end_matches('.'))
        });
        let value = Value { value: setting.value.clone(), origin, place };
        match rules.iter_mut().find(|rule| rule.key == key) {
            Some(rule) => {
                let over = std::mem::replace(&mut rule.value, value);
                rule.over.insert(0, over);
            }
            None => rules.push(Effective { key: key.to_owned(), value, over: Vec::new() }),
        }
    }
    rules
}

/// The properties of the account that restrict or extend what it may do.
fn properties(account: &Account, output: &Output) -> Vec<Effective> {
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let disabled = match account.disabled.as_deref() {
        Some("") => Some("yes".to_owned()),
        reason => reason.map(str::to_owned),
    };
    let address = account.address.map(|address| address.to_string());
    let networks = (!account.networks.is_empty()).then(|| networks_text(&account.networks));
    let expires = account.expires.map(|_| expires_text(account, output));
    [
        ("address", address, "any of the pool"),
        ("networks", networks, "none"),
        ("expires", expires, "never"),
        ("vpn", (!account.vpn).then(|| yes(false)), "yes"),
        ("disabled", disabled, "no"),
        ("must_change", account.must_change.then(|| yes(true)), "no"),
    ]
    .into_iter()
    .map(|(key, own, default)| {
        let built_in = Value { value: default.to_owned(), origin: Origin::BuiltIn, place: None };
        let (value, over) = match own {
            Some(value) => (Value { value, origin: Origin::User, place: None }, vec![built_in]),
            None => (built_in, Vec::new()),
        };
        Effective { key: key.to_owned(), value, over }
    })
    .collect()
}

impl Value {
    fn from(&self) -> String {
        match (&self.place, self.origin) {
            (Some(place), _) => place.clone(),
            (None, Origin::User) => "the user".to_owned(),
            (None, _) => "built-in".to_owned(),
        }
    }
}

/// `  idle       "30m"   groups.ops, adit.toml line 11   over "2h" (built-in)`
pub(super) fn text(all: &[Effective]) -> String {
    let width = |of: fn(&Effective) -> String| {
        all.iter().map(|effective| of(effective).chars().count()).max().unwrap_or_default().min(40)
    };
    let printed = |effective: &Effective| crate::table::printable(&effective.value.value).to_string();
    let (values, origins) = (width(printed), width(|effective| effective.value.from()));
    let mut text = String::from("effective values\n");
    for effective in all {
        let Effective { key, value, over } = effective;
        let over: Vec<String> = over
            .iter()
            .map(|over| format!("over {} ({})", crate::table::printable(&over.value), over.from()))
            .collect();
        let value_text = printed(effective);
        let line =
            format!("  {key:<16} {value_text:<values$}  {:<origins$}  {}", value.from(), over.join(", "));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use adit_config::Source;

    use super::*;

    fn shown(group: Option<&str>) -> Vec<(String, Origin, Vec<String>)> {
        let text = "[access]\nidle = \"1h\"\nsessions = 2\n[groups.ops]\nidle = \"30m\"\n[groups.other]\nmax = \"1h\"\n";
        let configured = Checked::built_in_with(Source::new("adit.toml", text)).effective();
        let rules = rules(group, &Checked::built_in().effective(), &configured);
        let of = |key: &str| rules.iter().find(|rule| rule.key == key).unwrap().clone();
        let keys = ["idle", "sessions", "max"].map(of);
        keys.into_iter()
            .map(|rule| {
                let over = rule.over.into_iter().map(|over| over.value).collect();
                (rule.value.value, rule.value.origin, over)
            })
            .collect()
    }

    #[test]
    fn the_value_nearest_to_the_user_wins_and_names_what_it_overrides() {
        let expected = |value: &str, origin, over: &[&str]| {
            (value.to_owned(), origin, over.iter().map(|over| (*over).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            shown(Some("ops")),
            [
                expected("\"30m\"", Origin::Group, &["\"1h\"", "\"2h\""]),
                expected("2", Origin::Access, &["1"]),
                expected("\"24h\"", Origin::BuiltIn, &[]),
            ]
        );
        assert_eq!(shown(None)[0], expected("\"1h\"", Origin::Access, &["\"2h\""]));
    }
}
