//! Octets inside a note: hexadecimal for people's formats, short in memory.

use core::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Octets of a message. In JSON they are hexadecimal digits; in a binary format a run of zeros, of which PPTP has many,
/// takes two octets.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Octets(pub Vec<u8>);

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every note of a message is written at the end of its session: not octet by octet through the formatter.
        let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
        let digits: String = self.0.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect();
        f.write_str(&digits)
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({self})")
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&shorten(&self.0))
        }
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Octets, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Hexadecimal)
        } else {
            deserializer.deserialize_bytes(Short)
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Octets {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Octets".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9a-f]{2})*$",
            "description": "Octets of a message, hexadecimal."
        })
    }
}

struct Hexadecimal;

impl Visitor<'_> for Hexadecimal {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an even number of hexadecimal digits")
    }

    fn visit_str<E: serde::de::Error>(self, digits: &str) -> Result<Octets, E> {
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let digit = |n: usize| pair.get(n).and_then(|digit| char::from(*digit).to_digit(16));
            // Two digits give at most 255.
            Some((digit(0)? * 16 + digit(1)?) as u8)
        });
        pairs
            .collect::<Option<Vec<u8>>>()
            .map(Octets)
            .ok_or_else(|| E::custom("not hexadecimal digits in pairs"))
    }
}

struct Short;

impl Visitor<'_> for Short {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("octets with runs of zeros made short")
    }

    fn visit_bytes<E: serde::de::Error>(self, short: &[u8]) -> Result<Octets, E> {
        lengthen(short).map(Octets).ok_or_else(|| E::custom("a run of zeros without its length"))
    }
}

/// A zero and its number stand for so many zeros.
fn shorten(octets: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(octets.len());
    for run in octets.chunk_by(|a, b| *a == 0 && *b == 0) {
        match run {
            [0, ..] => {
                for run in run.chunks(usize::from(u8::MAX)) {
                    // A chunk has at most 255.
                    short.extend_from_slice(&[0, run.len() as u8]);
                }
            }
            _ => short.extend_from_slice(run),
        }
    }
    short
}

fn lengthen(short: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(short.len());
    let mut rest = short.iter();
    while let Some(octet) = rest.next() {
        match octet {
            0 => octets.resize(octets.len() + usize::from(*rest.next()?), 0),
            octet => octets.push(*octet),
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_zeros_are_short_and_come_back() {
        for octets in
            [&b""[..], &[0], &[0; 1000], &[1, 0, 0, 2, 0, 255, 0], &[7; 300], &[0, 0, 1, 0, 0, 0, 0, 9, 0]]
        {
            assert_eq!(lengthen(&shorten(octets)).as_deref(), Some(octets));
        }
        assert_eq!(shorten(&[0; 64]), [0, 64]);
        assert_eq!(lengthen(&[1, 0]), None);
    }

    #[test]
    fn json_has_hexadecimal_digits() {
        let octets = Octets(vec![0, 1, 0xab, 0xff]);
        let json = serde_json::to_string(&octets).unwrap();
        assert_eq!(json, "\"0001abff\"");
        assert_eq!(serde_json::from_str::<Octets>(&json).unwrap(), octets);
        for bad in ["\"0\"", "\"0g\"", "7", "\"\u{e4}\""] {
            assert!(serde_json::from_str::<Octets>(bad).is_err(), "{bad}");
        }
    }
}
