//! The packet filter's effect on the packets of a call.

use std::net::Ipv4Addr;
use std::path::Path;

use adit_doctor::facts::host::{Check, Fate, Filter, Host, Passage, Rule};
use ipnet::Ipv4Net;

use super::network::{INTERNET, Network, put};
use super::rules::{self, Rules};
use super::run::Limits;
use super::wanted::Wanted;
use super::{PORT, Purpose, not_tested};
use crate::filter::{self, By, Interface, Outcome, Packet, PathHook, Target, walk};

/// The most routes to networks behind the server that are checked.
const WAYS_MAX: usize = 8;

pub(super) fn look(purpose: &Purpose, network: &Network, host: &mut Host) {
    let rules = match rules::read(&Limits::default()) {
        Ok(rules) => rules,
        Err(why) => {
            not_tested(host, Check::Firewall, why);
            return;
        }
    };
    let Some((interface, address)) = network.outside(purpose) else {
        not_tested(host, Check::Firewall, "no interface with an address is known");
        return;
    };
    let port = purpose.listen.first().map_or(PORT, |listen| listen.port);
    let control = walk(&rules.set, &Packet::control_in(&interface, address, port), PathHook::In);
    let answer = walk(&rules.set, &Packet::control_out(&interface, address, port), PathHook::Out);
    let helper = control.helper.as_ref().map(|(name, _)| name.clone()).filter(|name| name.contains("pptp"));
    let helped = helper.is_some();
    let gre_in = walk(&rules.set, &Packet::gre_in(&interface, address, helped), PathHook::In);
    let gre_out = walk(&rules.set, &Packet::gre_out(&interface, address, helped), PathHook::Out);
    let mistakes = filter::mistakes(&rules.set);
    let first = network.link(&interface).and_then(|link| link.addresses.first()).map(|net| net.addr());
    let rule = |by: &By| rules.rule(by);
    host.filter = Some(Filter {
        by: rules.by.clone(),
        control_in: rules.passage(&control, &Wanted::ToPort(port), address, first),
        control_out: rules.passage(&answer, &Wanted::FromPort(port), address, first),
        gre_in: rules.passage(&gre_in, &Wanted::Gre, address, first),
        gre_out: rules.passage(&gre_out, &Wanted::Gre, address, first),
        port_47: mistakes.port_47.iter().map(rule).collect(),
        invalid: mistakes.invalid_dropped.iter().map(rule).collect(),
        gre_untracked: gre_untracked(host.system.as_ref().map(|system| system.kernel.as_str())),
        helper,
    });
    forward(purpose, network, host, &rules);
}

/// Forwarding from clients to the networks behind, and back.
fn forward(purpose: &Purpose, network: &Network, host: &mut Host, rules: &Rules) {
    let pools: Vec<Ipv4Net> = purpose.pools.iter().map(|(net, _)| *net).collect();
    let (Some((_, ours)), false) = (purpose.pools.first(), purpose.tunnel.is_empty()) else { return };
    let tunnel = &purpose.tunnel;
    for net in network.behind(purpose).into_iter().take(WAYS_MAX) {
        let inside = network.other_host_in(net);
        let Some(leads) = network.leads(*ours, inside, Some(tunnel)) else { continue };
        let packet = Packet::forward(tunnel, &pools, Interface::Named(leads.dev.clone()), &[net]);
        let out = walk(&rules.set, &packet, PathHook::Through);
        let back = walk(&rules.set, &packet.backward(), PathHook::Through);
        let passage = |outcome: &Outcome, wanted: Wanted<'_>| rules.passage(outcome, &wanted, *ours, None);
        // If all other destinations on the same path pass, a rule names this network.
        let other = Packet::forward(tunnel, &pools, Interface::Named(leads.dev), &[Ipv4Net::from(INTERNET)]);
        let named =
            out.fate.is_lost() && walk(&rules.set, &other, PathHook::Through).fate == filter::Fate::Accepted;
        put(host, |forward| {
            if named {
                forward.denied.push((net, passage(&out, Wanted::To(net))));
                return;
            }
            let there = passage(&out, Wanted::In(tunnel));
            let again = passage(&back, Wanted::Out(tunnel));
            forward.translated |= out.source.is_some();
            forward.clamped |= out.clamped;
            keep_worse(&mut forward.out, there);
            keep_worse(&mut forward.back, again);
        });
    }
}

/// Keeps the result of the path on which packets are lost.
fn keep_worse(kept: &mut Option<Passage>, new: Passage) {
    let rank = |fate: &Fate| match fate {
        Fate::Passes => 0,
        Fate::Elsewhere(_) => 1,
        Fate::Unknown => 2,
        Fate::Rejected | Fate::Dropped => 3,
    };
    if kept.as_ref().is_none_or(|kept| rank(&new.fate) > rank(&kept.fate)) {
        *kept = Some(new);
    }
}

impl Rules {
    fn is_iptables(&self, by: &By) -> bool {
        self.set.chains.get(&by.chain).is_some_and(|chain| chain.by_iptables)
    }

    fn rule(&self, by: &By) -> Rule {
        let place = match (self.is_iptables(by), by.handle) {
            (true, Some(number)) => {
                format!("iptables -t {} {} rule {number}", by.chain.table, by.chain.chain)
            }
            (true, None) => format!("iptables -t {} {}", by.chain.table, by.chain.chain),
            (false, Some(handle)) => format!("nftables {} handle {handle}", by.chain),
            (false, None) => format!("nftables {}", by.chain),
        };
        Rule { place, text: by.text.clone(), packets: by.packets, policy: by.policy }
    }

    /// The result for packets, and a command that accepts them if they are lost.
    fn passage(
        &self,
        outcome: &Outcome,
        wanted: &Wanted<'_>,
        address: Ipv4Addr,
        first: Option<Ipv4Addr>,
    ) -> Passage {
        let fate = match outcome.fate {
            filter::Fate::Accepted => Fate::Passes,
            filter::Fate::Dropped => Fate::Dropped,
            filter::Fate::Rejected => Fate::Rejected,
            filter::Fate::Redirected(Target::Address(to)) if to == address => Fate::Passes,
            filter::Fate::Redirected(to) => Fate::Elsewhere(to.to_string()),
            filter::Fate::Unknown => Fate::Unknown,
        };
        let rules = |list: &[filter::Exception], wanted: fn(filter::Fate) -> bool| -> Vec<Rule> {
            list.iter().filter(|one| wanted(one.fate)).map(|one| self.rule(&one.by)).collect()
        };
        let lost = outcome.fate.is_lost();
        // Masquerading takes the first address of the interface.
        let source = outcome.source.as_ref().filter(|_| !wanted.is_forwarded()).and_then(|(target, by)| {
            let to = match target {
                Target::Address(to) => Some(*to),
                Target::Own => first,
                Target::Unknown => None,
            };
            to.filter(|to| *to != address).map(|to| (to.to_string(), self.rule(by)))
        });
        Passage {
            rule: outcome.by.as_ref().map(|by| self.rule(by)),
            except: if lost {
                rules(&outcome.exceptions, |fate| fate == filter::Fate::Accepted)
            } else {
                Vec::new()
            },
            doubts: rules(&outcome.doubts, |_| true),
            source,
            fix: outcome.by.as_ref().filter(|_| lost).map(|by| self.command(by, wanted)),
            fate,
        }
    }

    /// The command that accepts the packets in the chain that drops them.
    fn command(&self, by: &By, wanted: &Wanted<'_>) -> String {
        let chain = &by.chain;
        if !self.is_iptables(by) {
            return format!("nft insert rule {chain} {} accept", wanted.nft());
        }
        let table = if chain.table == "filter" { String::new() } else { format!("-t {} ", chain.table) };
        format!("iptables {table}-I {} {} -j ACCEPT", chain.chain, wanted.iptables())
    }
}

/// Whether the kernel is older than 5.1 and has no GRE module loaded, so that it classifies GRE as invalid.
fn gre_untracked(kernel: Option<&str>) -> bool {
    let mut numbers = kernel.unwrap_or_default().split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < (5, 1) => {
            !Path::new("/sys/module/nf_conntrack_proto_gre").exists()
        }
        _ => false,
    }
}
