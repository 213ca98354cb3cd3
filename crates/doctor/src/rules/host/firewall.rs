//! The packet filter rules for a call. A rule that names clients by address is a deliberate restriction: a
//! warning.

use adit_diag::Code;

use super::{HostRule, Proof, as_written, fact_if, of, rule};
use crate::Facts;
use crate::facts::host::{Fate, Filter, Host, Passage, Rule};

type Which = fn(&Filter) -> &Passage;

const CONTROL_IN: Which = |filter| &filter.control_in;
const CONTROL_OUT: Which = |filter| &filter.control_out;
const GRE_IN: Which = |filter| &filter.gre_in;
const GRE_OUT: Which = |filter| &filter.gre_out;

pub(super) const RULES: &[HostRule] = &[
    rule!(Firewall, "filter-control-in", S03, Fault, |f| lost(f, CONTROL_IN, "TCP to port 1723"), |h| fix(
        h, CONTROL_IN
    )),
    rule!(Firewall, "filter-control-elsewhere", S03, Fault, elsewhere, as_written),
    rule!(Firewall, "filter-control-out", S03, Fault, |f| lost(f, CONTROL_OUT, "TCP from port 1723"), |h| {
        fix(h, CONTROL_OUT)
    }),
    rule!(
        Firewall,
        "filter-gre-in",
        S03,
        Fault,
        |f| lost(f, GRE_IN, "protocol 47 (GRE) to this host"),
        |h| { fix(h, GRE_IN) }
    ),
    rule!(
        Firewall,
        "filter-gre-out",
        S03,
        Fault,
        |f| lost(f, GRE_OUT, "protocol 47 (GRE) from this host"),
        |h| { fix(h, GRE_OUT) }
    ),
    rule!(Firewall, "filter-only-some", S03, Finding, only_some, as_written),
    rule!(Firewall, "filter-port-47", S03, Finding, port_47, |host| {
        let rules = host.filter.iter().flat_map(|filter| &filter.port_47).take(2);
        rules.map(|rule| format!("take out \"{}\" ({})", rule.text, rule.place)).collect()
    }),
    rule!(Firewall, "filter-invalid", S03, Finding, invalid, |_| {
        vec!["modprobe nf_conntrack_proto_gre, or accept protocol 47 above that rule".to_owned()]
    }),
    rule!(Firewall, "tracking-full", G05, Finding, tracking_full, |_| {
        vec!["sysctl -w net.netfilter.nf_conntrack_max=...".to_owned()]
    }),
    rule!(Firewall, "tracking-short", G05, Finding, tracking_short, |_| {
        vec![
            "link.echo.every below that, or sysctl -w net.netfilter.nf_conntrack_gre_timeout_stream=600"
                .to_owned(),
        ]
    }),
    rule!(Nat, "carrier-nat", N03, Fault, carrier, as_written),
    rule!(Nat, "forward-without-gre", N03, Fault, only_tcp, |host| {
        let address = host.wan.as_ref().and_then(|wan| wan.address);
        address
            .map(|to| format!("on the router in front: send IP protocol 47 (GRE) on to {to}, as TCP 1723 is"))
            .into_iter()
            .collect()
    }),
    rule!(Nat, "address-not-public", N03, Finding, private, as_written),
    rule!(Nat, "gre-source-changed", G03, Fault, source, |host| {
        let source = host.filter.as_ref().and_then(|filter| filter.gre_out.source.as_ref());
        let fix = |(_, rule): &(String, Rule)| {
            format!("leave protocol 47 out of \"{}\" ({})", rule.text, rule.place)
        };
        source.map(fix).into_iter().collect()
    }),
];

/// A rule as text.
pub(crate) fn words(rule: &Rule) -> String {
    let met = match rule.packets {
        Some(packets) if rule.policy => format!(", {packets} packets so far, of any sort"),
        Some(packets) => format!(", {packets} packets so far"),
        None => String::new(),
    };
    if rule.policy {
        format!("{}: {}, no rule accepts it{met}", rule.place, rule.text)
    } else {
        format!("{}: \"{}\"{met}", rule.place, rule.text)
    }
}

fn lost(facts: &Facts, which: Which, what: &str) -> Option<Proof> {
    let filter = of(facts).filter.as_ref()?;
    let passage = which(filter);
    if !passage.fate.is_lost() || !passage.except.is_empty() {
        return None;
    }
    let verb = if passage.fate == Fate::Rejected { "rejects" } else { "drops" };
    let mut proof = Proof::fact(format!("the firewall of this host {verb} {what}"))?;
    if let Some(rule) = &passage.rule {
        proof = proof.with(words(rule));
    }
    // The likely mistake.
    if std::ptr::eq(passage, &filter.gre_in) {
        for rule in filter.port_47.iter().take(2) {
            proof = proof.with(format!(
                "\"{}\" ({}) opens TCP or UDP port 47; GRE is protocol 47 and has no ports",
                rule.text, rule.place
            ));
        }
    }
    Some(proof)
}

fn fix(host: &Host, which: Which) -> Vec<String> {
    host.filter.as_ref().and_then(|filter| which(filter).fix.clone()).into_iter().collect()
}

fn elsewhere(facts: &Facts) -> Option<Proof> {
    let passage = &of(facts).filter.as_ref()?.control_in;
    let Fate::Elsewhere(to) = &passage.fate else { return None };
    let proof = Proof::fact(format!("TCP port 1723 is sent on to {to}: this server never sees a call"))?;
    Some(match &passage.rule {
        Some(rule) => proof.with(words(rule)),
        None => proof,
    })
}

fn only_some(facts: &Facts) -> Option<Proof> {
    let filter = of(facts).filter.as_ref()?;
    let all = [&filter.control_in, &filter.gre_in, &filter.gre_out];
    let some = all.into_iter().find(|passage| passage.fate.is_lost() && !passage.except.is_empty())?;
    let proof = Proof::fact("the firewall lets only clients at some addresses call")?;
    Some(some.except.iter().take(4).fold(proof, |proof, rule| proof.with(words(rule))))
}

/// If protocol 47 is accepted too, the rule is only useless.
fn port_47(facts: &Facts) -> Option<Proof> {
    let filter = of(facts).filter.as_ref()?;
    let first = filter.port_47.first()?;
    let named = filter.gre_in.fate.is_lost() && filter.gre_in.except.is_empty();
    fact_if(!named, || {
        format!(
            "{} opens port 47: GRE is protocol 47 and has no ports, the rule does nothing for PPTP",
            words(first)
        )
    })
}

fn invalid(facts: &Facts) -> Option<Proof> {
    let filter = of(facts).filter.as_ref().filter(|filter| filter.gre_untracked)?;
    Proof::fact(format!(
        "this kernel calls GRE invalid without its module, and that is dropped by {}",
        words(filter.invalid.first()?)
    ))
}

/// The percentage of the table from which it is reported.
const FULL: u64 = 90;

fn tracking_full(facts: &Facts) -> Option<Proof> {
    let tracking = of(facts).tracking.as_ref()?;
    fact_if(tracking.limit > 0 && tracking.entries * 100 >= tracking.limit * FULL, || {
        format!(
            "the kernel follows {} connections of at most {}: new ones will be dropped",
            tracking.entries, tracking.limit
        )
    })
}

fn tracking_short(facts: &Facts) -> Option<Proof> {
    let (host, tracking) = (of(facts), of(facts).tracking.as_ref()?);
    host.filter.as_ref()?.helper.as_ref()?;
    let seconds = tracking.gre_seconds?;
    fact_if(tracking.echo_seconds == 0 || tracking.echo_seconds >= seconds, || {
        let every = match tracking.echo_seconds {
            0 => "never asks an idle client for a sign of life".to_owned(),
            every => format!("asks an idle client for a sign of life every {every} s"),
        };
        format!("the kernel forgets idle GRE after {seconds} s, and the server {every}")
    })
}

fn carrier(facts: &Facts) -> Option<Proof> {
    let wan = of(facts).wan.as_ref()?;
    let address = wan.address.filter(|address| crate::causes::is_carrier(*address))?;
    Proof::fact(format!(
        "{address} on {} is of the provider's own translation (100.64.0.0/10): no call from outside can reach it",
        wan.interface
    ))
}

/// Calls pass through the router in front, but their GRE never does.
fn only_tcp(facts: &Facts) -> Option<Proof> {
    let host = of(facts);
    let wan = host.wan.as_ref().filter(|wan| !wan.inside_only)?;
    let address = wan.address.filter(std::net::Ipv4Addr::is_private)?;
    let calls = host.calls.as_ref().filter(|calls| calls.up == 0)?;
    let failed = |code| {
        calls.failed.iter().filter(|failed| failed.code == code).map(|failed| failed.count).sum::<u64>()
    };
    let without = failed(Code::G01) + failed(Code::G02);
    let router = wan.router.map(|router| format!(" {router}")).unwrap_or_default();
    fact_if(without > 0, || {
        format!(
            "{address} on {} is private, and the router in front{router} sends on TCP 1723 only: {} since yesterday, \
             none with protocol 47",
            wan.interface,
            super::count(without, "call")
        )
    })
}

fn private(facts: &Facts) -> Option<Proof> {
    if only_tcp(facts).is_some() {
        return None;
    }
    let wan = of(facts).wan.as_ref().filter(|wan| !wan.inside_only)?;
    let address = wan.address.filter(std::net::Ipv4Addr::is_private)?;
    let router = wan.router.map(|router| format!(" ({router})")).unwrap_or_default();
    let proof = Proof::fact(format!(
        "{address} on {} is private: the router in front{router} must send on TCP 1723 and protocol 47, both",
        wan.interface
    ))?;
    Some(proof.with("whether it does cannot be seen from here: adit doctor NAME from another network"))
}

fn source(facts: &Facts) -> Option<Proof> {
    let (to, rule) = of(facts).filter.as_ref()?.gre_out.source.as_ref()?;
    let proof =
        Proof::fact(format!("GRE leaves with the source {to}, which is not the address that clients call"))?;
    Some(proof.with(words(rule)))
}
