//! Parser for `iptables-save -c`, of the legacy kernel interface and of the one over nftables.

mod options;

pub(super) use options::effect_of;

use super::{RULES_MAX, ReadError, TEXT_MAX, error};
use crate::filter::{Action, Base, Chain, ChainName, Effect, Hook, Kind, Rule, Ruleset, Step};

const SOURCE: &str = "iptables-save";
/// The most characters of a rule that are shown.
const SHOWN_MAX: usize = 200;
/// The most words of one rule.
const WORDS_MAX: usize = 512;

/// The result of `iptables-save`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Whether the tables are nftables tables of family `ip`, which `nft` lists too.
    pub nftables: bool,
    /// The chains.
    pub rules: Ruleset,
}

impl Ruleset {
    /// Adds the rules of iptables. Those of the legacy kernel interface are added to the others; those that nft lists
    /// too are combined with its list.
    pub fn absorb(&mut self, saved: Saved) {
        for (name, chain) in saved.rules.chains {
            let combined = match self.chains.remove(&name) {
                Some(listed) if saved.nftables => combine(listed, chain),
                _ => chain,
            };
            self.chains.insert(name, combined);
        }
    }
}

/// Combines what nft and iptables-save print of one chain. Neither is complete: nft does not print what the extensions of
/// iptables match, and iptables-save leaves out sets, maps and whole chains that only nft can make, so that `ip saddr @s drop`
/// is printed as `-j DROP`.
fn combine(listed: Chain, saved: Chain) -> Chain {
    let is_counter = |step: &Step| *step == Step::Do(Action::Effect(Effect::Count));
    // Every rule that iptables makes has a counter.
    let is_native = listed.rules.len() != saved.rules.len()
        || !listed.rules.iter().all(|rule| rule.steps.iter().any(is_counter));
    if is_native {
        return listed;
    }
    let counter = saved.base.as_ref().and_then(|base| base.counter);
    let rules = listed.rules.into_iter().zip(saved.rules);
    let rules = rules.map(|(listed, saved)| {
        if listed.has_extensions {
            return saved;
        }
        Rule { steps: listed.steps.into_iter().filter(|step| !is_counter(step)).collect(), ..saved }
    });
    Chain {
        rules: rules.collect(),
        base: listed.base.map(|base| Base { counter: base.counter.or(counter), ..base }),
        by_iptables: true,
    }
}

/// Parses the output of `iptables-save -c`.
///
/// # Errors
/// If a line is not in the format of iptables-save.
pub fn read(text: &str) -> Result<Saved, ReadError> {
    if text.len() > TEXT_MAX {
        return Err(error(SOURCE, "whole text", format!("at most {TEXT_MAX} octets")));
    }
    let first = text.lines().find(|line| line.starts_with("# Generated")).unwrap_or_default();
    let nftables = first.contains("nft-save") || first.contains("(nf_tables)");
    let family = if nftables { "ip" } else { "iptables" };
    let mut saved = Saved { nftables, rules: Ruleset::default() };
    let (mut table, mut rules) = ("", 0);
    for (index, line) in text.lines().enumerate() {
        let place = || format!("line {}", index + 1);
        let line = line.trim_end();
        let name = |chain: &str| ChainName {
            family: family.to_owned(),
            table: table.to_owned(),
            chain: chain.to_owned(),
        };
        match line.as_bytes().first() {
            None | Some(b'#') => {}
            Some(b'*') => table = line.get(1..).unwrap_or_default(),
            Some(b':') => {
                let mut words = line.get(1..).unwrap_or_default().split_ascii_whitespace();
                let (Some(chain), Some(policy)) = (words.next(), words.next()) else {
                    return Err(error(SOURCE, place(), "a chain and its policy"));
                };
                let counter = words.next().and_then(packets);
                let base = base(table, chain).filter(|_| policy != "-").map(|(hook, kind, priority)| Base {
                    hook,
                    kind,
                    priority,
                    drops: policy == "DROP",
                    counter,
                    devices: Vec::new(),
                });
                let chain_of = Chain { base, rules: Vec::new(), by_iptables: true };
                saved.rules.chains.insert(name(chain), chain_of);
            }
            Some(b'-' | b'[') => {
                let (counter, rest) = match line.split_once(' ') {
                    Some((first, rest)) if first.starts_with('[') => (packets(first), rest),
                    _ => (None, line),
                };
                let words = words(rest);
                let [append, chain, words @ ..] = words.as_slice() else {
                    return Err(error(SOURCE, place(), "a rule"));
                };
                if append != "-A" {
                    return Err(error(SOURCE, place(), "a rule that begins with -A"));
                }
                rules += 1;
                if rules > RULES_MAX {
                    return Err(error(SOURCE, place(), format!("at most {RULES_MAX} rules")));
                }
                let declared = |target: &str| saved.rules.chains.contains_key(&name(target));
                let steps = options::steps(words, &declared);
                let text =
                    rest.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_MAX).collect();
                let rule = Rule { handle: None, text, counter, steps, has_extensions: false };
                let chain = saved.rules.chains.get_mut(&name(chain));
                chain
                    .ok_or_else(|| error(SOURCE, place(), "a chain that was declared before"))?
                    .rules
                    .push(rule);
            }
            Some(_) if line == "COMMIT" => {}
            Some(_) => return Err(error(SOURCE, place(), "*table, :chain, a rule or COMMIT")),
        }
    }
    Ok(saved)
}

/// Parses `[12:3456]`, packets and bytes; returns the packets.
fn packets(text: &str) -> Option<u64> {
    text.strip_prefix('[')?.split(':').next()?.parse().ok()
}

/// The hook, type and priority of a built-in chain (netfilter_ipv4.h).
fn base(table: &str, chain: &str) -> Option<(Hook, Kind, i64)> {
    let hook = Hook::from_word(&chain.to_ascii_lowercase())
        .filter(|hook| !matches!(hook, Hook::Ingress | Hook::Egress))?;
    let (kind, priority) = match (table, hook) {
        ("raw", _) => (Kind::Filter, -300),
        ("mangle", _) => (Kind::Filter, -150),
        ("nat", Hook::Prerouting | Hook::Output) => (Kind::Nat, -100),
        ("nat", _) => (Kind::Nat, 100),
        ("filter", _) => (Kind::Filter, 0),
        ("security", _) => (Kind::Filter, 50),
        _ => return None,
    };
    Some((hook, kind, priority))
}

/// Splits a line into words; text in double quotes is one word, and a backslash escapes the next character.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut any) = (String::new(), false, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' | '\t' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            letter => word.push(letter),
        }
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}
