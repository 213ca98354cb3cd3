//! Serde for values that are strings in JSON: `#[serde(with = "adit_api::text")]` and its variants.

use core::fmt::Display;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Writes a value as its text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads a value from its text.
///
/// # Errors
/// The text is not a valid value; the error quotes it.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Text(PhantomData))
}

struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|error| E::custom(format_args!("{text:?}: {error}")))
    }
}

/// Serde for an optional value: `null` if it is missing.
pub mod option {
    use super::{Deserializer, Display, FromStr, PhantomData, Serializer, Text};
    use serde::de::{Error, Visitor};

    /// Writes the text, or `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the text, or `null`.
    ///
    /// # Errors
    /// The text is not a valid value.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        deserializer.deserialize_option(Optional(PhantomData))
    }

    struct Optional<T>(PhantomData<T>);

    impl<'de, T: FromStr<Err: Display>> Visitor<'de> for Optional<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a text or null")
        }

        fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
            deserializer.deserialize_str(Text(PhantomData)).map(Some)
        }
    }
}

/// Serde for an optional value: an empty string if it is missing.
pub mod blank {
    use super::{Deserializer, Display, FromStr, PhantomData, Serializer, Text};
    use serde::de::{Error, Visitor};

    /// Writes the text, or an empty one.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_str(""),
        }
    }

    /// Reads the text; an empty string is no value.
    ///
    /// # Errors
    /// The text is not a valid value.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        deserializer.deserialize_str(Blank(PhantomData))
    }

    struct Blank<T>(PhantomData<T>);

    impl<T: FromStr<Err: Display>> Visitor<'_> for Blank<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
            if text.is_empty() { Ok(None) } else { Text(PhantomData).visit_str(text).map(Some) }
        }
    }
}

#[cfg(test)]
mod tests {
    use adit_diag::Code;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Three {
        #[serde(with = "super")]
        one: Code,
        #[serde(with = "super::option")]
        two: Option<Code>,
        #[serde(with = "super::blank")]
        three: Option<Code>,
    }

    #[test]
    fn values_are_words() {
        for (value, json) in [
            (Three { one: Code::G01, two: None, three: None }, r#"{"one":"G01","two":null,"three":""}"#),
            (
                Three { one: Code::G01, two: Some(Code::A01), three: Some(Code::S06) },
                r#"{"one":"G01","two":"A01","three":"S06"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<Three>(json).unwrap(), value);
        }
    }

    #[test]
    fn an_unknown_word_is_an_error_that_quotes_it() {
        let error = serde_json::from_str::<Three>(r#"{"one":"Z99","two":null,"three":""}"#).unwrap_err();
        assert!(error.to_string().contains("\"Z99\""), "{error}");
    }
}
