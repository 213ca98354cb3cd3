//! A word on record, which a newer version of the program may have written.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A kind or a code on record: `T` where this version knows the word, else the word.
///
/// In text and JSON it is the word, whichever of the two it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded<T> {
    /// This version knows it.
    Known(T),
    /// It is of another version: shown as it is, and nothing depends on it.
    Unknown(String),
}

impl<T: Copy> Recorded<T> {
    /// The value, if this version knows it.
    pub fn known(&self) -> Option<T> {
        match self {
            Recorded::Known(value) => Some(*value),
            Recorded::Unknown(_) => None,
        }
    }
}

impl<T: FromStr> From<String> for Recorded<T> {
    fn from(word: String) -> Recorded<T> {
        word.parse().map_or(Recorded::Unknown(word), Recorded::Known)
    }
}

impl<T: PartialEq> PartialEq<T> for Recorded<T> {
    fn eq(&self, other: &T) -> bool {
        matches!(self, Recorded::Known(value) if value == other)
    }
}

impl<T: fmt::Display> fmt::Display for Recorded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recorded::Known(value) => value.fmt(f),
            Recorded::Unknown(word) => f.pad(word),
        }
    }
}

impl<T: fmt::Display> Serialize for Recorded<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Recorded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Recorded<T>, D::Error> {
        String::deserialize(deserializer).map(Recorded::from)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Recorded<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Recorded{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let known = generator.subschema_for::<T>();
        schemars::json_schema!({
            "anyOf": [known, { "type": "string", "description": "A word of a newer version." }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, EventKind};

    #[test]
    fn a_word_of_a_newer_version_is_kept_as_it_is() {
        for (word, known) in [("auth.fail", Some(EventKind::AuthFail)), ("auth.throttle", None)] {
            let kind = Recorded::<EventKind>::from(word.to_owned());
            assert_eq!((kind.known(), kind.to_string().as_str()), (known, word));
            assert_eq!(format!("{kind:<14}|"), format!("{word:<14}|"));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<Recorded<EventKind>>(&json).unwrap(), kind);
        }
        assert_eq!(Recorded::from("A01".to_owned()), Code::A01);
        assert!(Recorded::from("Z99".to_owned()) != Code::A01);
    }
}
