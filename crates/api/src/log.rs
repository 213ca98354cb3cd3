//! Events, from the store or as they happen.

use core::fmt;
use std::net::IpAddr;

use adit_diag::{Code, EventFacts, EventKind, Layer, Recorded};
use adit_policy::name::key;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SessionId;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Event ID, ascending; `None` while the store cannot write the event.
    pub id: Option<i64>,
    /// Time of the event.
    pub at: Timestamp,
    /// Kind of the event, such as `auth.fail`. A newer version may have written one that is unknown here.
    pub kind: Recorded<EventKind>,
    /// User name, if known.
    pub user: Option<String>,
    /// Public address of the client.
    pub from: Option<IpAddr>,
    /// The diagnosis code, if something is wrong.
    pub code: Option<Recorded<Code>>,
    /// Session ID.
    pub session: Option<SessionId>,
    /// Additional fields in display order. Text for users; programs use `facts`.
    pub fields: Vec<(String, String)>,
    /// The same, typed; `None` where another version wrote the event in a form that this one cannot read.
    pub facts: Option<EventFacts>,
}

/// Filter of events to read or to follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Only events at or after this time.
    pub since: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
    /// Only events with an ID above this one.
    pub after: Option<i64>,
    /// Only events with an ID below this one, to request the previous page.
    pub before: Option<i64>,
    /// Only events about this user, without regard to case.
    pub user: Option<String>,
    /// Only events of this session.
    pub session: Option<SessionId>,
    /// Only events with a code of one of these layers; empty for all.
    #[serde(with = "layers")]
    pub layers: Vec<Layer>,
    /// Only events with a code.
    pub failed: bool,
    /// Maximum number of events, the newest ones; `None` for all. Ignored when following.
    pub last: Option<u32>,
}

impl Filter {
    /// Whether an event matches the filter. `last` is ignored: it applies only to lists.
    pub fn fits(&self, event: &Event) -> bool {
        let Filter { since, until, after, before, user, session, layers, failed, last: _ } = self;
        let letter = event.code.as_ref().and_then(|code| code.to_string().chars().next());
        since.is_none_or(|since| event.at >= since)
            && until.is_none_or(|until| event.at < until)
            && event.id.is_none_or(|id| after.is_none_or(|after| id > after))
            && event.id.is_none_or(|id| before.is_none_or(|before| id < before))
            && user.as_deref().is_none_or(|user| event.user.as_deref().map(key) == Some(key(user)))
            && (session.is_none() || event.session == *session)
            && (layers.is_empty() || layers.iter().any(|layer| Some(layer.letter()) == letter))
            && (!failed || event.code.is_some())
    }
}

/// A page of events: the newest that match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The [`Filter::before`] for the previous page; `None` if there are no older events.
    pub next: Option<i64>,
}

/// An item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Followed {
    /// The subscription is active: all earlier events are in the store.
    Begun,
    /// An event happened.
    Event(Box<Event>),
    /// The follower was too slow and lost events.
    Lagged(Lagged),
    /// Keep-alive: nothing happened for a while.
    Idle,
}

/// Events that a follower lost because it did not read in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lagged {
    /// Number of lost events of all kinds: the filter was not applied to them.
    pub missed: u64,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events were missed, because they were not read in time", self.missed)
    }
}

/// Serde for a list of layer names.
mod layers {
    use super::{Deserialize as _, Layer};
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(layers: &[Layer], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(layers.iter().map(|layer| layer.word()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Layer>, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        let layer = |word: &String| {
            let found = Layer::ALL.into_iter().find(|layer| layer.word() == word);
            found.ok_or_else(|| D::Error::custom(format_args!("{word:?} is not a layer")))
        };
        words.iter().map(layer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            id: Some(7),
            at: "2026-11-22T18:02:40Z".parse().unwrap(),
            kind: Recorded::Known(EventKind::AuthFail),
            user: Some("Bob".into()),
            from: None,
            code: Some(Recorded::Known(Code::A01)),
            session: Some(SessionId(39)),
            fields: Vec::new(),
            facts: None,
        }
    }

    #[test]
    fn each_part_of_a_filter_counts() {
        let base = Filter::default;
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (filter, fits) in [
            (base(), true),
            (Filter { since: at("2026-11-22T18:02:40Z"), ..base() }, true),
            (Filter { since: at("2026-11-22T18:02:41Z"), ..base() }, false),
            (Filter { until: at("2026-11-22T18:02:40Z"), ..base() }, false),
            (Filter { after: Some(6), ..base() }, true),
            (Filter { after: Some(7), ..base() }, false),
            (Filter { before: Some(7), ..base() }, false),
            (Filter { user: Some("bOB".into()), ..base() }, true),
            (Filter { user: Some("carol".into()), ..base() }, false),
            (Filter { session: Some(SessionId(39)), ..base() }, true),
            (Filter { session: Some(SessionId(40)), ..base() }, false),
            (Filter { layers: vec![Layer::Gre, Layer::Auth], ..base() }, true),
            (Filter { layers: vec![Layer::Gre], ..base() }, false),
            (Filter { failed: true, ..base() }, true),
        ] {
            assert_eq!(filter.fits(&event()), fits, "{filter:?}");
            let json = serde_json::to_string(&filter).unwrap();
            assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
        }
        let fine = Event { code: None, user: None, session: None, id: None, ..event() };
        for filter in [
            Filter { failed: true, ..base() },
            Filter { layers: vec![Layer::Auth], ..base() },
            Filter { user: Some("bob".into()), ..base() },
            Filter { session: Some(SessionId(39)), ..base() },
        ] {
            assert!(!filter.fits(&fine), "{filter:?}");
        }
        assert!(Filter { after: Some(7), ..base() }.fits(&fine), "what has no id yet is new");
    }
}
