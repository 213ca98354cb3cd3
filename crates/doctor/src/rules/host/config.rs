//! The remarks of `adit check`, with their own codes.

use adit_diag::Code;

use super::{HostRule, Proof, Rule, of};
use crate::Facts;
use crate::facts::host::{Check, Host, Remark};

fn remarks(host: &Host, code: Code, error: bool) -> impl Iterator<Item = &Remark> {
    let all = host.config.iter().flat_map(|config| &config.remarks);
    // In a planned configuration it is a risk; on a running server it breaks calls from such a network.
    let weighs = |remark: &Remark| remark.error || remark.code == Code::P03;
    all.filter(move |remark| remark.code == code && weighs(remark) == error)
}

fn finding_of(facts: &Facts, code: Code, error: bool) -> Option<Proof> {
    let mut all = remarks(of(facts), code, error);
    let first = Proof::fact(&all.next()?.text)?;
    Some(all.fold(first, |proof, remark| proof.with(&remark.text)))
}

fn fixes(host: &Host, code: Code, error: bool) -> Vec<String> {
    remarks(host, code, error).filter_map(|remark| remark.fix.clone()).collect()
}

macro_rules! remarks {
    ($($id:literal $code:ident),* $(,)?) => {
        &[
            $(
                HostRule {
                    rule: Rule::fault(concat!("config-", $id), Code::$code, 100, |facts| {
                        finding_of(facts, Code::$code, true)
                    }),
                    check: Check::Config,
                    fix: |host| fixes(host, Code::$code, true),
                },
                HostRule {
                    rule: Rule::finding(concat!("config-", $id, "-warning"), Code::$code, 100, |facts| {
                        finding_of(facts, Code::$code, false)
                    }),
                    check: Check::Config,
                    fix: |host| fixes(host, Code::$code, false),
                },
            )*
        ]
    };
}

pub(super) const RULES: &[HostRule] = remarks![
    "p01" P01, "p02" P02, "p03" P03, "p04" P04, "p05" P05, "s10" S10, "f01" F01, "f02" F02, "f03" F03, "f04" F04,
    "f05" F05, "f06" F06, "f07" F07, "f08" F08, "f09" F09, "f10" F10, "f11" F11, "f12" F12, "f13" F13, "f14" F14,
    "f15" F15, "f16" F16, "f17" F17, "f18" F18, "f19" F19, "f20" F20, "f21" F21, "f22" F22,
];
