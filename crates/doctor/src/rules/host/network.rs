//! The rules for the networks behind the server: forwarding, routes there and back, names.

use super::firewall::words;
use super::{HostRule, Proof, as_written, fact_if, of, rule};
use crate::Facts;
use crate::facts::host::{Forward, Host, Passage};

pub(super) const RULES: &[HostRule] = &[
    rule!(Forward, "forward-off", R06, Fault, off, |_| {
        vec!["sysctl -w net.ipv4.ip_forward=1, and for good in /etc/sysctl.d/90-adit.conf".to_owned()]
    }),
    rule!(
        Forward,
        "filter-forward",
        R06,
        Fault,
        |f| lost(f, |forward| forward.out.as_ref(), "from clients"),
        |h| { fix(h, |forward| forward.out.as_ref()) }
    ),
    rule!(
        Forward,
        "filter-forward-back",
        R06,
        Fault,
        |f| lost(f, |forward| forward.back.as_ref(), "to clients"),
        |h| { fix(h, |forward| forward.back.as_ref()) }
    ),
    rule!(Forward, "filter-forward-network", R02, Fault, denied, |host| {
        let denied = host.forward.iter().flat_map(|forward| &forward.denied);
        denied.filter_map(|(_, passage)| passage.fix.clone()).take(2).collect()
    }),
    rule!(Forward, "pool-elsewhere", R01, Fault, pool_elsewhere, as_written),
    rule!(Forward, "no-route-behind", R01, Finding, no_route, as_written),
    rule!(RpFilter, "rp-filter-drops", R07, Fault, bites, loosen),
    rule!(RpFilter, "rp-filter-drops-answers", R07, Fault, drops_answers, loosen),
    rule!(RpFilter, "rp-filter-strict", S04, Finding, may_bite, loosen),
    rule!(Return, "no-way-back", R03, Fault, no_way_back, way_back),
    rule!(Return, "no-way-back-some", R03, Finding, some_no_way_back, way_back),
    rule!(Dns, "dns-silent", R04, Fault, dns_silent, as_written),
    rule!(Dns, "dns-silent-to-pool", R04, Fault, dns_pool, as_written),
];

fn forward(host: &Host) -> Option<&Forward> {
    host.forward.as_ref().filter(|forward| !forward.networks.is_empty())
}

fn off(facts: &Facts) -> Option<Proof> {
    let forward = forward(of(facts))?;
    fact_if(forward.on == Some(false), || {
        "net.ipv4.ip_forward is 0: clients reach this host, and nothing behind it".to_owned()
    })
}

type Which = fn(&Forward) -> Option<&Passage>;

fn lost(facts: &Facts, which: Which, whose: &str) -> Option<Proof> {
    let passage = which(forward(of(facts))?)?;
    if !passage.fate.is_lost() {
        return None;
    }
    let proof = Proof::fact(format!("the firewall drops what is passed on {whose}"))?;
    Some(match &passage.rule {
        Some(rule) => proof.with(words(rule)),
        None => proof,
    })
}

fn fix(host: &Host, which: Which) -> Vec<String> {
    forward(host).and_then(which).and_then(|passage| passage.fix.clone()).into_iter().collect()
}

fn denied(facts: &Facts) -> Option<Proof> {
    let denied = &of(facts).forward.as_ref()?.denied;
    let (net, passage) = denied.first()?;
    let proof =
        Proof::fact(format!("clients are told to send {net} here, and a rule of the firewall denies it"))?;
    Some(match &passage.rule {
        Some(rule) => proof.with(words(rule)),
        None => proof,
    })
}

fn pool_elsewhere(facts: &Facts) -> Option<Proof> {
    let (net, way) = of(facts).forward.as_ref()?.pool_elsewhere.first()?;
    Proof::fact(format!("answers to the pool {net} leave {way}, not into the tunnel"))
}

fn no_route(facts: &Facts) -> Option<Proof> {
    let nets = &of(facts).forward.as_ref()?.no_route;
    let first = nets.first()?;
    Proof::fact(format!("clients are told to send {first} here, and this host has no route to it"))
}

fn bites(facts: &Facts) -> Option<Proof> {
    bite(facts, true)
}

/// Answers to our own probes were dropped during the test: a fact, except for which of the strict interfaces
/// it was.
fn drops_answers(facts: &Facts) -> Option<Proof> {
    let filter = of(facts).reverse_path.as_ref()?;
    let grew = filter.grew.filter(|_| !filter.strict.is_empty())?;
    let proof = Proof::fact(format!(
        "the reverse-path filter drops answers to the pool: {}",
        match filter.strict.as_slice() {
            [only] => format!("{only} is strict (rp_filter=1), and the way back leads elsewhere"),
            all => format!("{} are strict (rp_filter=1), one of them drops", all.join(", ")),
        }
    ))?;
    Some(
        proof.with(format!("IPReversePathFilter grew by {grew} while hosts behind were asked from the pool")),
    )
}

fn may_bite(facts: &Facts) -> Option<Proof> {
    if bites(facts).is_some() { None } else { bite(facts, false) }
}

fn bite(facts: &Facts, certain: bool) -> Option<Proof> {
    let filter = of(facts).reverse_path.as_ref()?;
    let mut all = filter.bites.iter().filter(|bite| bite.certain == certain);
    let first = all.next()?;
    let would = if certain { "are dropped" } else { "would be dropped" };
    let words = |bite: &crate::facts::host::Bite| {
        format!(
            "{} is strict (rp_filter=1): packets from {} that come in there {would}, the way back leads {}",
            bite.interface, bite.from, bite.way_back
        )
    };
    let mut proof = Proof::fact(words(first))?;
    for bite in all.take(3) {
        proof = proof.with(words(bite));
    }
    Some(match filter.dropped {
        Some(dropped) if dropped > 0 => {
            proof.with(format!("{dropped} packets were dropped by that filter since this host started"))
        }
        _ => proof,
    })
}

fn loosen(host: &Host) -> Vec<String> {
    let Some(filter) = &host.reverse_path else { return Vec::new() };
    let mut names: Vec<&String> = filter.bites.iter().map(|bite| &bite.interface).collect();
    if names.is_empty() {
        names.extend(&filter.strict);
    }
    let fix = |name: &&String| format!("sysctl -w net.ipv4.conf.{}.rp_filter=2", name.replace('.', "/"));
    let mut fixes: Vec<String> = names.iter().map(fix).collect();
    fixes.dedup();
    fixes
}

/// The number of hosts that answer this host, and those of them that do not answer the pool.
fn answers(host: &Host) -> Option<(usize, Vec<String>)> {
    let back = host.back.as_ref()?;
    let tried: Vec<_> =
        back.asked.iter().filter(|asked| asked.answers_us && asked.answers_pool.is_some()).collect();
    let silent =
        tried.iter().filter(|asked| asked.answers_pool == Some(false)).map(|asked| asked.who.to_string());
    Some((tried.len(), silent.collect()))
}

fn no_way_back(facts: &Facts) -> Option<Proof> {
    let (tried, silent) = answers(of(facts))?;
    let from = of(facts).back.as_ref()?.from?;
    // The answer arrives at this host, which drops it: R07 covers that.
    if tried == 0 || silent.len() < tried || drops_answers(facts).is_some() {
        return None;
    }
    let mut proof = Proof::fact(format!("no host behind this one answers the pool (asked from {from})"))?;
    let verb = if silent.len() == 1 { "answers" } else { "answer" };
    proof = proof.with(format!("{} {verb} this host's own address, not {from}", silent.join(", ")));
    let strict = of(facts).reverse_path.iter().flat_map(|filter| &filter.strict).cloned().collect::<Vec<_>>();
    Some(match strict.is_empty() {
        true => proof,
        false => proof.with(format!(
            "{} strict (rp_filter=1): packets that return there by another path are dropped",
            match strict.as_slice() {
                [one] => format!("{one} is"),
                all => format!("{} are", all.join(", ")),
            }
        )),
    })
}

fn some_no_way_back(facts: &Facts) -> Option<Proof> {
    let (tried, silent) = answers(of(facts))?;
    let from = of(facts).back.as_ref()?.from?;
    fact_if(!silent.is_empty() && silent.len() < tried, || {
        let verb = if silent.len() == 1 { "answers" } else { "answer" };
        format!("{} {verb} this host's own address, not {from} of the pool", silent.join(", "))
    })
}

fn way_back(host: &Host) -> Vec<String> {
    let Some(pool) = host.pools.first() else { return Vec::new() };
    let net = pool.net;
    let ours = host.back.as_ref().and_then(|back| back.ours);
    let via = ours.map_or_else(|| "THIS-HOST".to_owned(), |ours| ours.to_string());
    vec![
        format!("on the router of that network: ip route add {net} via {via}"),
        format!(
            "or translate here: nft 'add table ip adit_nat; add chain ip adit_nat post {{ type nat hook postrouting \
             priority 100; }}; add rule ip adit_nat post ip saddr {net} ip daddr != {net} masquerade'"
        ),
    ]
}

fn dns_silent(facts: &Facts) -> Option<Proof> {
    let mut silent = of(facts).dns.iter().filter(|dns| dns.answered.is_none());
    let first = silent.next()?;
    let proof = Proof::fact(format!("{} is given to clients for names, and does not answer", first.server))?;
    Some(silent.fold(proof, |proof, dns| proof.with(format!("{} does not answer either", dns.server))))
}

fn dns_pool(facts: &Facts) -> Option<Proof> {
    if no_way_back(facts).is_some() || drops_answers(facts).is_some() {
        return None;
    }
    let dns = of(facts).dns.iter().find(|dns| dns.answered.is_some() && dns.answers_pool == Some(false))?;
    Proof::fact(format!("{} answers this host, and not the pool: it does not serve that network", dns.server))
}
