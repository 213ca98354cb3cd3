//! The rules of layer M: packet sizes.

use adit_diag::Code;

use super::{Proof, Rule};
use crate::facts::{Bracket, Facts};
use crate::{Side, Vantage};

/// IP and TCP headers without options.
const HEADERS: u16 = 40;

pub(super) const RULES: &[Rule] = &[
    Rule::fault("fragment-missing", Code::M03, 95, |f| {
        let seen = f.mtu.fragments_missing.as_ref().filter(|count| count.what > 0)?;
        Proof::of(
            seen,
            format!("{} outer packets came in part only: their other fragments are lost", seen.what),
        )
    }),
    Rule::fault("fragment-missing", Code::M03, 92, |f| {
        let count = f.mtu.fragmented.filter(|_| f.mtu.fragments_missing.is_none())?;
        let lost = f.mtu.to_server.lost.as_ref().or(f.mtu.to_client.lost.as_ref())?;
        Proof::missing(
            lost,
            format!(
                "{count} packets leave in fragments, and what is so big is never answered; whole packets are"
            ),
        )
    }),
    Rule::fault("big-packets-lost", Code::M01, 90, |f| lost(f, Side::Client)),
    Rule::fault("big-packets-lost", Code::M01, 90, |f| lost(f, Side::Server)),
    Rule::fault("mss-too-big", Code::M02, 92, |f| {
        let (seen, agreed) = (f.mtu.mss.as_ref()?, f.mtu.agreed?);
        let lost = f.mtu.to_client.lost.as_ref().or(f.mtu.to_server.lost.as_ref())?;
        let is_it = seen.what > agreed.saturating_sub(HEADERS) && lost.what > agreed;
        is_it.then(|| {
            Proof::of(
                seen,
                format!(
                    "TCP inside agrees on segments of {} octets, and the tunnel takes packets of {agreed}",
                    seen.what
                ),
            )
        })?
    }),
    Rule::finding("mss-too-big", Code::M02, 70, |f| {
        let (seen, agreed) = (f.mtu.mss.as_ref()?, f.mtu.agreed?);
        let is_it = seen.what > agreed.saturating_sub(HEADERS) && f.mtu.to_client.lost.is_none();
        is_it.then(|| {
            Proof::of(
                seen,
                format!(
                    "TCP inside agrees on segments of {} octets, and the tunnel takes packets of {agreed}: it \
                     works while ICMP gets through",
                    seen.what
                ),
            )
        })?
    }),
    Rule::finding("mss-too-big", Code::M02, 60, |f| {
        let (seen, agreed) = (f.mtu.mss.as_ref()?, f.mtu.agreed?);
        // A capture may show segment sizes before and after a clamping device.
        let is_it = f.vantage == Vantage::Client && seen.what > agreed.saturating_sub(HEADERS);
        is_it.then(|| {
            Proof::of(
                seen,
                format!(
                    "a target inside announces segments of {} octets, and the tunnel takes {}: the server does not clamp the MSS",
                    seen.what,
                    agreed.saturating_sub(HEADERS)
                ),
            )
        })?
    }),
    Rule::finding("icmp-fragmentation-needed", Code::M01, 80, |f| {
        let seen = f.mtu.too_big.as_ref()?;
        let (from, mtu) = seen.what;
        Proof::of(
            seen,
            format!("{from} says that packets of the tunnel are too big: its next hop takes {mtu} octets"),
        )
    }),
];

fn lost(facts: &Facts, from: Side) -> Option<Proof> {
    let bracket: &Bracket = match from {
        Side::Client => &facts.mtu.to_server,
        Side::Server => &facts.mtu.to_client,
    };
    let seen = bracket.lost.as_ref()?;
    let passes =
        bracket.passes.as_ref().map_or(String::new(), |passes| format!(", {} octets pass", passes.what));
    let outer = if bracket.is_outer { " (outer size)" } else { "" };
    let hint = if facts.mtu.too_big.is_none() && facts.vantage != Vantage::Record {
        "; no ICMP message says so"
    } else {
        ""
    };
    // A server knows only that an echo of that size was not answered.
    let way = match facts.vantage {
        Vantage::Record => "to the client or back".to_owned(),
        _ => format!("from the {from}"),
    };
    Proof::missing(seen, format!("packets of {} octets {way} vanish{passes}{outer}{hint}", seen.what))
}
