//! The lines of `adit doctor --server`: every check with its state, independent of the verdict.

use crate::facts::host::{Check, Fate, Filter, Host};
use crate::rules::host::{count, words};
use crate::rules::{self, Kind};
use crate::{Evidence, Facts, State};
use adit_diag::Code;

/// The line of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The check.
    pub check: Check,
    /// Its state.
    pub state: State,
    /// The code of the fault.
    pub code: Option<Code>,
    /// A summary in one line.
    pub summary: String,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// The fixes.
    pub fixes: Vec<String>,
}

/// All problems and all checks that were made, in order. A check with several problems has a line for each.
pub fn lines(facts: &Facts) -> Vec<Line> {
    let mut lines = Vec::new();
    for check in Check::ALL {
        let before = lines.len();
        for host_rule in rules::host::all().filter(|rule| rule.check == check) {
            let Some(proof) = (host_rule.rule.when)(facts) else { continue };
            let mut fixes = (host_rule.fix)(&facts.host);
            if fixes.is_empty() {
                fixes.extend(host_rule.rule.code.entry().fix.into_iter().take(1));
            }
            lines.push(Line {
                check,
                state: if host_rule.rule.kind == Kind::Fault { State::Fail } else { State::Warn },
                code: Some(host_rule.rule.code),
                summary: proof.text,
                evidence: proof.more,
                fixes,
            });
        }
        if lines.len() > before {
            continue;
        }
        let (state, summary) = match facts.host.not_tested.get(&check) {
            Some(why) => (State::NotTested, why.to_string()),
            None => match fine(&facts.host, check) {
                Some(text) => (State::Pass, text),
                None => match doubt(&facts.host, check) {
                    Some(text) => (State::NotVisible, text),
                    None => continue,
                },
            },
        };
        lines.push(Line { check, state, code: None, summary, evidence: Vec::new(), fixes: Vec::new() });
    }
    lines
}

/// The rules that could not be interpreted, if they matter for the check.
fn doubt(host: &Host, check: Check) -> Option<String> {
    let filter = host.filter.as_ref().filter(|_| check == Check::Firewall)?;
    let all = [
        ("TCP to 1723", &filter.control_in),
        ("TCP from 1723", &filter.control_out),
        ("protocol 47 to this host", &filter.gre_in),
        ("protocol 47 from this host", &filter.gre_out),
    ];
    let (what, passage) = all.into_iter().find(|(_, passage)| passage.fate == Fate::Unknown)?;
    let rule = passage.doubts.first().or(passage.rule.as_ref());
    let on = rule.map(|rule| format!(": it depends on {}", words(rule))).unwrap_or_default();
    Some(format!("cannot tell what becomes of {what}{on}"))
}

/// The text of a check without problems; `None` if it was not made, or proves nothing.
fn fine(host: &Host, check: Check) -> Option<String> {
    match check {
        Check::Host => {
            let system = host.system.as_ref()?;
            Some(format!("kernel {}, TUN device, rights", system.kernel))
        }
        Check::Config => {
            let config = host.config.as_ref()?;
            let file = if config.file.is_empty() { "no file, the built-in one" } else { &config.file };
            Some(format!("{file}: nothing against it"))
        }
        Check::Listen => {
            let listen = host.listen.as_ref()?;
            let first = listen.holders.first()?;
            let addresses: Vec<&str> = listen.holders.iter().map(|holder| holder.address.as_str()).collect();
            let sessions = listen.sessions.map(|(up, most)| format!(", {up} of {most} sessions"));
            Some(format!(
                "{} by {}, with protocol 47{}",
                addresses.join(" "),
                rules::host::name(first),
                sessions.unwrap_or_default()
            ))
        }
        Check::Firewall => firewall(host.filter.as_ref()?),
        Check::Nat => nat(host),
        Check::Forward => {
            let forward = host.forward.as_ref()?;
            if forward.networks.is_empty() {
                return Some("clients reach this host only".to_owned());
            }
            let known = |passage: &Option<crate::facts::host::Passage>| {
                passage.as_ref().is_some_and(|passage| passage.fate == Fate::Passes)
            };
            let filter = match known(&forward.out) && known(&forward.back) {
                true => "the firewall passes it on",
                false => "what the firewall does to it cannot be told for every packet",
            };
            forward.on.map(|on| format!("ip_forward={}, {filter}", u8::from(on)))
        }
        Check::RpFilter => {
            let filter = host.reverse_path.as_ref()?;
            Some(match filter.strict.as_slice() {
                [] => "not strict anywhere".to_owned(),
                strict => format!("strict on {}, where nothing arrives another way", strict.join(", ")),
            })
        }
        Check::Return => {
            let back = host.back.as_ref()?;
            let from = back.from?;
            let list = |wanted: fn(&crate::facts::host::Asked) -> bool| -> Vec<String> {
                back.asked.iter().filter(|asked| wanted(asked)).map(|asked| asked.who.to_string()).collect()
            };
            let who = list(|asked| asked.answers_pool == Some(true));
            // Many hosts do not answer pings; if clients cannot reach one, check its own firewall.
            let silent = list(|asked| asked.seen && !asked.answers_us);
            let also = match silent.as_slice() {
                [] => String::new(),
                silent => format!("; no echo, though there (ARP): {}", silent.join(", ")),
            };
            let verb = if who.len() == 1 { "answers" } else { "answer" };
            if who.is_empty() { None } else { Some(format!("{} {verb} {from}{also}", who.join(", "))) }
        }
        Check::Dns => {
            let all = host.dns.iter().filter_map(|dns| {
                let time = match dns.answered?.as_millis() {
                    0 => "less than 1".to_owned(),
                    ms => ms.to_string(),
                };
                Some(format!("{} answers in {time} ms", dns.server))
            });
            let all: Vec<String> = all.collect();
            if all.is_empty() { None } else { Some(all.join("; ")) }
        }
        Check::Pool => {
            let pool = |pool: &crate::facts::host::Pool| match pool.used {
                Some(used) => format!("{} {}: {used} of {} in use", pool.name, pool.net, pool.size),
                None => format!("{} {}: {} addresses", pool.name, pool.net, pool.size),
            };
            let all: Vec<String> = host.pools.iter().map(pool).collect();
            if all.is_empty() { None } else { Some(all.join("; ")) }
        }
        Check::Mtu => {
            let sizes = host.sizes.as_ref()?;
            Some(format!(
                "{} inside, {} with headers, {} on the line; segment sizes are lowered",
                sizes.inner,
                sizes.inner + sizes.overhead,
                sizes.outer
            ))
        }
        Check::Rc4 => host.rc4.clone(),
        Check::Clock => {
            let clock = host.clock.as_ref()?;
            Some(match clock.synchronised {
                Some(true) => format!("{}, synchronised", clock.now),
                Some(false) => format!("{}; the kernel knows of no time source (NTP)", clock.now),
                None => clock.now.clone(),
            })
        }
        Check::Disk => {
            let disk = host.disk.as_ref()?;
            Some(format!("{}: {} MiB free", disk.path, disk.free >> 20))
        }
        Check::Users => {
            let users = host.users.as_ref()?;
            let barred = users.barred.len();
            let who = if barred > 0 { format!(", {barred} of them may not log in") } else { String::new() };
            Some(format!("{}{who}", count(users.all, "account")))
        }
        Check::Calls => host.calls.as_ref().map(calls),
        // The caller adds these lines.
        Check::User | Check::Session => None,
    }
}

/// `211 logins ok; 37 failed: 22 A01 (19 from 203.0.113.77), 4 A05`
pub fn calls(calls: &crate::facts::host::Calls) -> String {
    let mut text = format!("{} ok", count(calls.up, "login"));
    let all: u64 = calls.failed.iter().map(|failed| failed.count).sum();
    if all == 0 {
        return text + "; none failed";
    }
    let words = |failed: &crate::facts::host::Failed| {
        let from = match &failed.most_from {
            Some((from, number)) if *number == failed.count => format!(" (from {from})"),
            Some((from, number)) => format!(" ({number} from {from})"),
            None => String::new(),
        };
        format!("{} {}{from}", failed.count, failed.code)
    };
    let codes: Vec<String> = calls.failed.iter().take(6).map(words).collect();
    text += &format!("; {all} failed: {}", codes.join(", "));
    text
}

fn firewall(filter: &Filter) -> Option<String> {
    let all = [&filter.control_in, &filter.control_out, &filter.gre_in, &filter.gre_out];
    if !all.iter().all(|passage| passage.fate == Fate::Passes) {
        return None;
    }
    let rule = |passage: &crate::facts::host::Passage| match &passage.rule {
        Some(rule) if !rule.policy => {
            let packets = rule.packets.map(|packets| format!(" ({packets} packets)")).unwrap_or_default();
            format!("accepted by \"{}\"{packets}", rule.text)
        }
        Some(_) => "accepted by policy".to_owned(),
        None => "no rule looks at it".to_owned(),
    };
    let (tcp, gre) = (rule(&filter.control_in), rule(&filter.gre_in));
    let helper = filter.helper.as_ref().map(|name| format!("; helper {name}")).unwrap_or_default();
    Some(match tcp == gre {
        true => format!("{}: tcp 1723 and protocol 47: {tcp}{helper}", filter.by),
        false => format!("{}: tcp 1723 {tcp}; protocol 47 {gre}{helper}", filter.by),
    })
}

fn nat(host: &Host) -> Option<String> {
    let wan = host.wan.as_ref()?;
    let address = wan.address?;
    Some(match (wan.inside_only, address.is_private()) {
        (true, _) => format!("{address} on {}: clients are in the networks of this host", wan.interface),
        (false, false) => {
            format!("public address {address} on {}: nothing in front translates", wan.interface)
        }
        (false, true) => return None,
    })
}

/// The fixes of the first failing line.
pub(crate) fn fixes(facts: &Facts, code: Code) -> Vec<String> {
    let lines = lines(facts);
    let first = lines.into_iter().find(|line| line.state == State::Fail && line.code == Some(code));
    first.map(|line| line.fixes).unwrap_or_default()
}
