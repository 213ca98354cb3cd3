//! Flags for how a client logs in and encrypts: of `adit connect` and `adit doctor`.

use adit_client::{Method, Mode, MppePolicy};
use adit_crypto::mppe::Strength;
use clap::ValueEnum;

use crate::failure::Failure;

/// How the password is proved, and what encryption is agreed to.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LinkFlags {
    /// How the password is proved; repeat for more, the preferred first
    #[arg(long, value_name = "METHOD", value_enum, default_values_t = [MethodWord::MschapV2])]
    method: Vec<MethodWord>,
    /// Encryption
    #[arg(long, value_name = "WHETHER", value_enum, default_value_t = MppeWord::Require)]
    mppe: MppeWord,
    /// Key sizes to agree to, in bits
    #[arg(long, value_name = "BITS", value_delimiter = ',', default_values_t = [128u8], value_parser = bits)]
    mppe_bits: Vec<u8>,
    /// Agree to stateful MPPE, which old devices want and which suffers from every lost packet
    #[arg(long)]
    mppe_stateful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodWord {
    Pap,
    Chap,
    MschapV1,
    MschapV2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MppeWord {
    Require,
    Allow,
    Off,
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
    /// Methods in order, and encryption.
    pub(crate) fn read(&self) -> Result<(Vec<Method>, MppePolicy), Failure> {
        let methods: Vec<Method> = self.method.iter().map(|word| word.method()).collect();
        let mppe = MppePolicy {
            mode: match self.mppe {
                MppeWord::Require => Mode::Require,
                MppeWord::Allow => Mode::Prefer,
                MppeWord::Off => Mode::Off,
            },
            strengths: self.mppe_bits.iter().map(|bits| strength(*bits)).collect(),
            stateless_only: !self.mppe_stateful,
        };
        if mppe.mode == Mode::Require && !methods.iter().any(|method| method.gives_keys()) {
            return Err(Failure::usage("encryption needs keys, and only MS-CHAP gives them")
                .code(adit_diag::Code::E06)
                .fix("--method mschap-v2, or --mppe off if the server really takes no encryption"));
        }
        Ok((methods, mppe))
    }
}

impl MethodWord {
    fn method(self) -> Method {
        match self {
            MethodWord::Pap => Method::Pap,
            MethodWord::Chap => Method::ChapMd5,
            MethodWord::MschapV1 => Method::MsChapV1,
            MethodWord::MschapV2 => Method::MsChapV2,
        }
    }
}

fn strength(bits: u8) -> Strength {
    match bits {
        40 => Strength::Bits40,
        56 => Strength::Bits56,
        _ => Strength::Bits128,
    }
}
