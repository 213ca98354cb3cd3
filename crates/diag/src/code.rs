//! Every problem has one stable code; this is the list of them.

use core::fmt;
use core::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Layer;

macro_rules! codes {
    ($($code:ident)+) => {
        /// A stable code: the layer's letter and two digits. A released code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        // The pages name tables of the configuration, [access] for one; they are not links.
        #[allow(rustdoc::broken_intra_doc_links)]
        pub enum Code {
            $(#[doc = include_str!(concat!("../codes/", stringify!($code), ".md"))] $code,)+
        }

        impl Code {
            /// Every code, in the order of layers.
            pub const ALL: &'static [Code] = &[$(Code::$code),+];

            /// The code itself, `"G01"`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$code => stringify!($code),)+
                }
            }

            /// The code's page as it is written, Markdown.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Code::$code => include_str!(concat!("../codes/", stringify!($code), ".md")),)+
                }
            }
        }
    };
}

codes! {
    N01 N02 N03
    C01 C02 C03 C04 C05 C06 C07 C08 C09 C10
    G01 G02 G03 G04 G05 G06 G07 G08 G09 G10
    L01 L02 L03 L04 L05
    A01 A02 A03 A04 A05 A06 A07 A08 A10 A11 A12 A13 A14
    E01 E02 E03 E04 E05 E06 E07 E08
    I01 I02 I03 I04 I05 I06
    R01 R02 R03 R04 R05 R06 R07 R08 R09 R10
    M01 M02 M03
    S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11 S12
    F01 F02 F03 F04 F05 F06 F07 F08 F09 F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24
    P01 P02 P03 P04 P05
    Q11 Q12 Q13 Q22
}

impl Code {
    /// The layer that the code's letter names.
    pub fn layer(self) -> Layer {
        let letter = self.as_str().chars().next().unwrap_or_default();
        // Every code begins with a layer's letter; a test walks them all.
        Layer::from_letter(letter).unwrap_or(Layer::Host)
    }

    /// What is wrong, in one short line without a full stop.
    pub fn title(self) -> &'static str {
        let first = self.page().lines().next().unwrap_or_default();
        first.get("# G01 ".len()..).unwrap_or_default()
    }

    /// The exit code of a command that ends with this as its first failure.
    pub fn exit_code(self) -> u8 {
        self.layer().exit_code()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not one of our codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a code of adit: a letter and two digits, as in G01")
    }
}

impl core::error::Error for UnknownCode {}

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads a code, upper or lower case.
    fn from_str(text: &str) -> Result<Code, UnknownCode> {
        Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text)).ok_or(UnknownCode)
    }
}

/// The code itself, as text.
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Code;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a code of adit, as \"G01\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Code, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[A-Z][0-9]{2}$",
            "description": "A code of adit, for `adit explain`."
        })
    }
}
