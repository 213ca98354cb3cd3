//! The rules of layer E: CCP and MPPE.

use adit_diag::{Code, Layer};

use super::lcp::terminated;
use super::{Proof, Rule};
use crate::facts::{Bits, Facts, MppeLoop};
use crate::{Seen, Side};

/// The number of Reset-Requests above which there are too many.
const RESETS: u32 = 5;

pub(super) const RULES: &[Rule] = &[
    Rule::fault("ccp-protocol-rejected", Code::E02, 95, |f| rejected(f, Side::Server, true)),
    Rule::fault("ccp-protocol-rejected", Code::E01, 95, |f| rejected(f, Side::Client, true)),
    Rule::fault("mppe-rejected", Code::E02, 95, |f| rejected(f, Side::Server, false)),
    Rule::fault("mppe-rejected", Code::E01, 95, |f| rejected(f, Side::Client, false)),
    Rule::fault("mppe-nak-loop", Code::E03, 97, |f| {
        let (client, server) = (f.encrypt.client_offer.as_ref()?, f.encrypt.server_offer.as_ref()?);
        let (a, b) = (client.what.strengths(), server.what.strengths());
        let apart = a != 0 && b != 0 && a & b == 0 && f.encrypt.opened.is_none();
        apart.then(|| Some(offers(f, Proof::of(server, "no key size in common")?)))?
    }),
    Rule::fault("mppe-nak-loop", Code::E03, 80, |f| {
        let seen = nak_loop(f, false)?;
        Some(offers(f, Proof::of(seen, format!("no agreement about MPPE in {} rounds", seen.what.rounds))?))
    }),
    Rule::fault("mppe-nak-loop", Code::E07, 90, |f| {
        let seen = nak_loop(f, true)?;
        Some(offers(
            f,
            Proof::of(seen, "one side takes stateless encryption only, the other has it stateful")?,
        ))
    }),
    Rule::fault("protocol-reject-strange", Code::E05, 90, |f| {
        let seen = f.encrypt.garbage.as_ref().filter(|_| f.encrypt.opened.is_some())?;
        Proof::of(seen, format!("what arrives decrypts to garbage: {}", seen.what))
    }),
    Rule::fault("success-then-end", Code::E01, 90, |f| asks_for_encryption(f, Side::Server)),
    Rule::fault("success-then-end", Code::E02, 90, |f| asks_for_encryption(f, Side::Client)),
    Rule::fault("success-then-end", Code::E06, 80, |f| {
        let seen = terminated(f).filter(|_| f.encrypt.no_keys && f.logged_in() && !f.is_up())?;
        let method = f.auth.agreed.as_ref().map_or("the method".to_owned(), |method| method.what.to_string());
        Proof::of(seen, format!("{method} gives no keys for MPPE, and the {} ended the call", seen.what.by))
    }),
    Rule::ending("ccp-closed-later", Code::E08, 90, |f| {
        let seen = f.encrypt.closed.as_ref()?;
        Proof::of(seen, format!("the {} switched encryption off in mid-call", seen.what))
    }),
    Rule::finding("ccp-reset-storm", Code::E07, 100, |f| {
        let many = f.encrypt.resets >= RESETS;
        many.then(|| {
            Proof::fact(format!(
                "{} Reset-Requests: stateful encryption on a path that loses packets",
                f.encrypt.resets
            ))
        })?
    }),
    Rule::finding("mppe-short-key", Code::Q13, 100, |f| {
        let seen = f.encrypt.client_agreed.as_ref().or(f.encrypt.server_agreed.as_ref())?;
        let short = seen.what.strengths() != 0 && seen.what.strengths() & Bits::BITS_128 == 0;
        short.then(|| Proof::of(seen, format!("MPPE with a short key: {}", seen.what)))?
    }),
    Rule::finding("data-in-clear", Code::Q11, 100, |f| {
        let text = "the tunnel's traffic is not encrypted";
        match &f.encrypt.first_clear {
            Some(seen) => Proof::of(seen, format!("{text}: {} IP packets in clear", f.encrypt.clear_packets)),
            None if f.is_untyped(Layer::Encrypt) => None,
            None if f.is_up() && f.encrypt.opened.is_none() && f.vantage.near().is_some() => {
                Proof::fact(text)
            }
            None => None,
        }
    }),
];

/// A loop of Naks, about the stateless bit only or not.
fn nak_loop(facts: &Facts, only_stateless: bool) -> Option<&Seen<MppeLoop>> {
    let naks = facts.encrypt.nak_loop.as_ref().filter(|_| facts.encrypt.opened.is_none());
    naks.filter(|naks| naks.what.only_stateless == only_stateless)
}

fn rejected(facts: &Facts, by: Side, all_of_ccp: bool) -> Option<Proof> {
    let seen = facts.encrypt.rejected.as_ref()?;
    let is_it = seen.what.by == by
        && seen.what.all_of_ccp == all_of_ccp
        && !facts.is_up()
        && facts.encrypt.opened.is_none();
    let what = if all_of_ccp { "CCP as a whole" } else { "MPPE" };
    is_it.then(|| {
        Some(offers(
            facts,
            Proof::of(seen, format!("the {by} rejects {what}, and the {} wants it", by.other()))?,
        ))
    })?
}

/// The offers of both sides.
fn offers(facts: &Facts, proof: Proof) -> Proof {
    let offer = |offer: &Option<Seen<Bits>>| {
        offer.as_ref().map_or("nothing".to_owned(), |bits| bits.what.to_string())
    };
    let (client, server) = (offer(&facts.encrypt.client_offer), offer(&facts.encrypt.server_offer));
    proof.with(format!("the server offers {server}; the client offers {client}"))
}

/// `who` ended the call with a reason about encryption.
fn asks_for_encryption(facts: &Facts, who: Side) -> Option<Proof> {
    let seen = terminated(facts).filter(|seen| seen.what.by == who && !facts.is_up())?;
    let text = seen.what.text.to_ascii_lowercase();
    let is_it = ["mppe", "encrypt"].iter().any(|word| text.contains(word));
    is_it.then(|| {
        Proof::of(seen, format!("the {who} ended the call for want of encryption: \"{}\"", seen.what.text))
    })?
}
