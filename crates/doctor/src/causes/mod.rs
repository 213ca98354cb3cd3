//! The table of causes: if no fact decides, what is likely, how likely, and who can fix it.
//!
//! The weights are estimates; those that apply are scaled to a total of one hundred. A cause whose code has a
//! single meaning gets one hundred.

mod device;
mod table;

use adit_diag::Code;

use crate::facts::{Bracket, Facts};
use crate::{Cause, Owner, Side, Vantage};

use table::TABLE;
pub(crate) use table::is_carrier;

/// The most causes that a verdict lists.
pub const MAX: usize = 3;

/// One possible cause of a code.
pub struct Possible {
    /// The code that it explains.
    pub code: Code,
    /// A stable name.
    pub id: &'static str,
    /// The description.
    pub text: &'static str,
    /// Who owns the device or setting.
    pub owner: Owner,
    /// The fix.
    pub fix: &'static str,
    /// The weight with these facts; 0 rules it out.
    pub weigh: fn(&Facts) -> u8,
}

/// The causes of `code`, the likeliest first; `also` contains other codes of the layer whose rules fired.
pub(crate) fn of(facts: &Facts, code: Code, also: &[(Code, u8)]) -> Vec<Cause> {
    if let Some(device) = device::named(facts, code) {
        return vec![Cause { text: device.text, weight: 100, code, owner: device.owner }];
    }
    let mut causes: Vec<Cause> = TABLE
        .iter()
        .filter(|possible| possible.code == code)
        .map(|possible| Cause {
            text: possible.text.to_owned(),
            weight: (possible.weigh)(facts),
            code,
            owner: possible.owner,
        })
        .filter(|cause| cause.weight > 0)
        .collect();
    if causes.is_empty() {
        causes.push(Cause { text: code.title().to_owned(), weight: 100, code, owner: owner(facts, code) });
        for (code, weight) in also {
            let owner = owner(facts, *code);
            causes.push(Cause { text: code.title().to_owned(), weight: *weight, code: *code, owner });
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.weight));
    causes.truncate(MAX);
    share(&mut causes);
    causes
}

/// Scales weights to a total of one hundred.
fn share(causes: &mut [Cause]) {
    let sum: u32 = causes.iter().map(|cause| u32::from(cause.weight)).sum();
    let mut left = 100;
    let last = causes.len().saturating_sub(1);
    for (n, cause) in causes.iter_mut().enumerate() {
        let share = if n == last { left } else { (u32::from(cause.weight) * 100 / sum.max(1) + 2) / 5 * 5 };
        cause.weight = u8::try_from(share.min(left)).unwrap_or(100);
        left -= u32::from(cause.weight);
    }
}

/// The fixes: that of each cause, else the first one of the code's page.
pub(crate) fn fixes(facts: &Facts, code: Option<Code>, causes: &[Cause]) -> Vec<String> {
    let Some(code) = code else { return Vec::new() };
    let fix = |cause: &Cause| {
        TABLE
            .iter()
            .find(|possible| possible.code == cause.code && possible.text == cause.text)
            .map(|possible| possible.fix.to_owned())
    };
    let mut fixes: Vec<String> = device::named(facts, code).map(|device| device.fix).into_iter().collect();
    fixes.extend(measured_size(facts, code));
    fixes.extend(causes.iter().filter_map(fix));
    if fixes.is_empty() {
        fixes.extend(code.entry().fix.into_iter().take(2));
    }
    fixes
}

/// The most octets of the outer headers: IP 20, GRE 16, PPP 4, CCP and MPPE 4.
const HEADERS: u16 = 44;

/// The measured size that passes, as a setting.
fn measured_size(facts: &Facts, code: Code) -> Option<String> {
    let passes = |bracket: &Bracket| {
        let passes = bracket.passes.as_ref().filter(|_| bracket.lost.is_some())?.what;
        Some(if bracket.is_outer { passes.saturating_sub(HEADERS) } else { passes })
    };
    let sizes = [passes(&facts.mtu.to_server), passes(&facts.mtu.to_client)];
    let size = sizes.into_iter().flatten().min().filter(|_| code == Code::M01)?;
    Some(format!(
        "at one end of the tunnel: link.mtu = {size} in adit.toml, \"mtu {size} mru {size}\" for pppd; or let ICMP \
         \"fragmentation needed\" pass on the way"
    ))
}

/// The owner of a code, if the table of causes has nothing more specific.
pub(crate) fn owner(facts: &Facts, code: Code) -> Owner {
    let refused_by_server =
        facts.encrypt.rejected.as_ref().is_some_and(|rejected| rejected.what.by == Side::Server);
    match code {
        Code::N01 | Code::E01 | Code::I02 | Code::R01 | Code::S11 => Owner::Client,
        Code::E03 | Code::A05 if !refused_by_server => Owner::Client,
        Code::N02 | Code::L02 | Code::G07 | Code::G08 | Code::G10 | Code::M01 | Code::M03 => Owner::Provider,
        Code::G04 | Code::G06 | Code::I03 => Owner::ClientNetwork,
        Code::A01
        | Code::A02
        | Code::A03
        | Code::A04
        | Code::A06
        | Code::A08
        | Code::A10
        | Code::A11
        | Code::A13 => Owner::Accounts,
        Code::R08 | Code::R09 => Owner::Target,
        Code::N03 | Code::R03 => Owner::ServerNetwork,
        Code::S03 if facts.vantage == Vantage::Client => Owner::Client,
        _ => Owner::Server,
    }
}
