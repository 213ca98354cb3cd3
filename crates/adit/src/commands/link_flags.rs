//! Authentication and encryption flags of `adit connect` and `adit doctor`.

use adit_client::{Mode, MppePolicy, Stateful};
use adit_crypto::mppe::Strength;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use adit_diag::AuthMethod;

use crate::failure::Failure;

/// Authentication methods and encryption of a client.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LinkFlags {
    /// Authenticate with this method; repeat for more, preferred first
    #[arg(long, value_name = "METHOD", value_parser = method(), default_values_t = [AuthMethod::MsChapV2])]
    method: Vec<AuthMethod>,
    /// Set the encryption policy
    #[arg(long, value_name = "WHETHER", value_enum, default_value_t = MppeWord::Require)]
    mppe: MppeWord,
    /// Accept these key sizes, in bits
    #[arg(long, value_name = "BITS", value_delimiter = ',', default_values_t = [128u8], value_parser = bits)]
    mppe_bits: Vec<u8>,
    /// Accept stateful MPPE, which old devices need and which suffers from every lost packet; with `prefer`, request it first
    #[arg(long, value_name = "WHETHER", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "accept")]
    mppe_stateful: Option<StatefulWord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MppeWord {
    Require,
    Allow,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatefulWord {
    Accept,
    Prefer,
}

/// Parser of [`AuthMethod`] words; `chap` is accepted for older scripts.
fn method() -> impl TypedValueParser<Value = AuthMethod> {
    let words = AuthMethod::ALL.map(|method| match method {
        AuthMethod::ChapMd5 => PossibleValue::new(method.word()).alias("chap"),
        _ => PossibleValue::new(method.word()),
    });
    PossibleValuesParser::new(words)
        .try_map(|word| if word == "chap" { Ok(AuthMethod::ChapMd5) } else { word.parse() })
}

fn bits(text: &str) -> Result<u8, String> {
    match text {
        "40" => Ok(40),
        "56" => Ok(56),
        "128" => Ok(128),
        _ => Err("the key sizes of MPPE are 40, 56 and 128".to_owned()),
    }
}

impl LinkFlags {
    /// Returns the methods in order, and the encryption policy.
    pub(crate) fn read(&self) -> Result<(Vec<AuthMethod>, MppePolicy), Failure> {
        let methods = self.method.clone();
        let mppe = MppePolicy {
            mode: match self.mppe {
                MppeWord::Require => Mode::Require,
                MppeWord::Allow => Mode::Prefer,
                MppeWord::Off => Mode::Off,
            },
            strengths: self.mppe_bits.iter().map(|bits| strength(*bits)).collect(),
            stateful: match self.mppe_stateful {
                None => Stateful::Refuse,
                Some(StatefulWord::Accept) => Stateful::Accept,
                Some(StatefulWord::Prefer) => Stateful::Prefer,
            },
        };
        if mppe.mode == Mode::Require && !methods.iter().any(|method| method.gives_keys()) {
            return Err(Failure::usage("encryption needs keys, and only MS-CHAP gives them")
                .code(adit_diag::Code::E06)
                .fix("--method mschap-v2, or --mppe off if the server really takes no encryption"));
        }
        Ok((methods, mppe))
    }
}

fn strength(bits: u8) -> Strength {
    match bits {
        40 => Strength::Bits40,
        56 => Strength::Bits56,
        _ => Strength::Bits128,
    }
}
