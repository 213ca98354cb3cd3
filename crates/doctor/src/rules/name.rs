//! The rules of layer N: the name, and the path to the server.

use adit_diag::Code;

use super::{Proof, Rule, words};
use crate::facts::{Connect, Facts, Resolved};

pub(super) const RULES: &[Rule] = &[
    Rule::fault("dns-nxdomain", Code::N01, 100, |f| match &f.name.resolved {
        Some(seen) if seen.what == Resolved::NoSuchName => {
            Proof::of(seen, format!("{} does not exist, says the resolver (NXDOMAIN)", asked(f)))
        }
        _ => None,
    }),
    Rule::fault("dns-unanswered", Code::N01, 90, |f| match &f.name.resolved {
        Some(seen) if seen.what == Resolved::NoAnswer => {
            Proof::missing(seen, format!("no resolver answers for {}", asked(f)))
        }
        _ => None,
    }),
    Rule::fault("dns-aaaa-only", Code::N01, 100, |f| match &f.name.resolved {
        Some(seen) if seen.what == Resolved::OnlyV6 => {
            Proof::of(seen, format!("{} has IPv6 addresses only, and PPTP needs IPv4", asked(f)))
        }
        _ => None,
    }),
    Rule::fault("resolver-failed", Code::N01, 90, |f| match &f.name.resolved {
        Some(seen) => match &seen.what {
            Resolved::Failed(why) => Proof::of(seen, format!("{} does not resolve: {why}", asked(f))),
            _ => None,
        },
        None => None,
    }),
    Rule::finding("dns-differs", Code::N01, 40, |f| {
        let (resolver, others) = f.name.differs.as_ref()?;
        let failed = !matches!(f.tcp.connect.as_ref()?.what, Connect::Open { .. });
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let text =
            format!("the resolver {resolver} gives other addresses for {}: {}", asked(f), others.join(" "));
        if failed { Proof::fact(text) } else { None }
    }),
    Rule::fault("no-route", Code::N02, 100, |f| {
        let seen = f.name.no_route.as_ref()?;
        Proof::of(seen, format!("this host has no route to {}: {}", server(f), seen.what))
    }),
    Rule::fault("icmp-unreachable", Code::N02, 100, |f| {
        let seen = f.tcp.connect.as_ref()?;
        match seen.what {
            Connect::Unreachable { from, code } if !words::is_filter(code) && !words::is_port(code) => {
                Proof::of(
                    seen,
                    format!("{from} says that it cannot reach {}: {}", server(f), words::unreachable(code)),
                )
            }
            _ => None,
        }
    }),
];

fn asked(facts: &Facts) -> &str {
    facts.name.asked.as_deref().unwrap_or("the name")
}

fn server(facts: &Facts) -> String {
    facts.tcp.server.map_or("the server".to_owned(), |server| server.ip().to_string())
}
