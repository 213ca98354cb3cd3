//! Events: what happened, from the store or as it happens.

use core::fmt;
use std::net::IpAddr;

use adit_diag::{Code, EventFacts, EventKind, Layer, Recorded};
use adit_policy::name::key;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SessionId;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts up; `None` while the store cannot write it down.
    pub id: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// What kind: `auth.fail`. A newer program may have written one that this one does not know.
    pub kind: Recorded<EventKind>,
    /// Who, as far as known.
    pub user: Option<String>,
    /// The public address it came from.
    pub from: Option<IpAddr>,
    /// The code, when something is wrong.
    pub code: Option<Recorded<Code>>,
    /// The session.
    pub session: Option<SessionId>,
    /// More, in the order in which to show it. Text for people: nothing reads it.
    pub fields: Vec<(String, String)>,
    /// The same, typed; `None` where another version wrote the event in a form that this one cannot read.
    pub facts: Option<EventFacts>,
}

/// Which events to read or to follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only with an id above this one.
    pub after: Option<i64>,
    /// Only with an id below this one: how to ask for the page before.
    pub before: Option<i64>,
    /// Only about this user, without regard to case.
    pub user: Option<String>,
    /// Only of this session.
    pub session: Option<SessionId>,
    /// Only with a code of one of these layers; empty for all.
    #[serde(with = "layers")]
    pub layers: Vec<Layer>,
    /// Only with a code.
    pub failed: bool,
    /// The newest so many; `None` for all. Means nothing to a follower.
    pub last: Option<u32>,
}

impl Filter {
    /// Whether an event is one of those asked for. `last` is not looked at: it is about a list.
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

/// A page of events: the newest that fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Oldest first.
    pub events: Vec<Event>,
    /// What to give as [`Filter::before`] for older ones; `None` when there are none.
    pub next: Option<i64>,
}

/// What a follower gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Followed {
    /// The subscription holds from here on: everything older is in the store.
    Begun,
    /// It happened.
    Event(Box<Event>),
    /// The follower was too slow.
    Lagged(Lagged),
    /// Nothing happened for a while, and the server is alive.
    Idle,
}

/// Events that a follower did not get, because it did not read in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lagged {
    /// How many, of all kinds: which of them would have fit is not known.
    pub missed: u64,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events were missed, because they were not read in time", self.missed)
    }
}

/// Layers as words.
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
