//! The compiled list decides as reading the rules one by one does.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_first_matching_rule_decides((rules, routes) in any_list()) {
        let acl = Acl::new(rules.clone(), routes.clone());
        for to in addresses() {
            for (protocol, part) in kinds() {
                let naive = rules.iter().position(|rule| matches(rule, routes.as_deref(), to, protocol, part));
                let found = acl.find(to, protocol, part).map(|number| number as usize);
                prop_assert_eq!(found, naive, "{} {} {:?}", to, protocol, part);
            }
        }
    }

    #[test]
    fn exactly_the_rules_that_never_match_are_shadowed((rules, routes) in any_list()) {
        let acl = Acl::new(rules.clone(), routes.clone());
        let mut used = vec![false; rules.len()];
        for to in addresses() {
            for (protocol, part) in kinds() {
                let first = rules.iter().position(|rule| matches(rule, routes.as_deref(), to, protocol, part));
                // A rule with ports is written for packets with ports.
                if let Some(first) = first && (part != Part::Later || rules[first].ports.is_empty()) {
                    used[first] = true;
                }
            }
        }
        let shadowed = acl.shadowed();
        for (number, used) in used.iter().enumerate() {
            let has_target = !acl.networks(&rules[number]).is_empty();
            let found = shadowed.iter().find(|shadowed| shadowed.rule as usize == number);
            prop_assert_eq!(found.is_some(), !used && has_target, "rule {}", number);
            if let Some(by) = found.and_then(|found| found.by) {
                prop_assert!((by as usize) < number);
            }
        }
    }

    #[test]
    fn the_deciding_rules_of_an_address_are_those_that_match_first((rules, routes) in any_list()) {
        let acl = Acl::new(rules.clone(), routes.clone());
        for to in addresses() {
            let (numbers, is_all) = acl.deciding(to);
            let mut expected: Vec<u32> = Vec::new();
            let mut ends = false;
            for (protocol, part) in kinds() {
                match acl.find(to, protocol, part) {
                    Some(number) if part != Part::Later || rules[number as usize].ports.is_empty() => {
                        expected.push(number);
                    }
                    Some(_) => {}
                    None => ends = true,
                }
            }
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(numbers, expected);
            prop_assert_eq!(is_all, !ends);
        }
    }

    /// Packets come back only from networks that some allow rule names.
    #[test]
    fn sources_are_the_networks_that_allow_rules_name((rules, routes) in any_list()) {
        let acl = Acl::new(rules.clone(), routes.clone());
        for from in addresses() {
            for is_icmp in [false, true] {
                let names = |rule: &&Rule| matches(
                    &Rule { protocol: None, ports: Ports::default(), ..(*rule).clone() },
                    routes.as_deref(), from, TCP, Part::NoPorts,
                );
                // What is denied as a whole before is not named.
                let before = rules.iter().filter(names).take_while(|rule| {
                    rule.action == Action::Allow || rule.protocol.is_some()
                });
                let naive = before.into_iter().any(|rule| {
                    rule.action == Action::Allow && (is_icmp || rule.protocol != Some(ICMP))
                });
                prop_assert_eq!(acl.admits(from, is_icmp), naive, "{}", from);
            }
        }
    }
}

#[test]
fn smaller_networks_that_fill_a_larger_one_shadow_it() {
    let acl = Acl::new(
        rules(&["deny 10.0.0.0/9", "allow 10.128.0.0/9 tcp", "deny 10.128.0.0/9", "allow 10.0.0.0/8"]),
        None,
    );
    assert_eq!(acl.shadowed(), [Shadowed { rule: 3, by: None }]);
    let acl = Acl::new(rules(&["allow any", "deny 10.0.0.0/8 udp 53"]), None);
    assert_eq!(acl.shadowed(), [Shadowed { rule: 1, by: Some(0) }]);
}

#[test]
fn ten_thousand_networks_and_ten_thousand_ports_stay_small() {
    let mut many: Vec<Rule> = (0..8_000u32)
        .map(|n| Rule::new(Action::Allow, Target::Net(Ipv4Net::new((n << 12).into(), 24).unwrap())))
        .collect();
    many.extend((0..8_000u16).map(|port| Rule {
        protocol: Some(TCP),
        ports: Ports::new(vec![(port * 2, port * 2)]),
        ..Rule::new(Action::Deny, Target::Any)
    }));
    let acl = Acl::new(many, Some(Vec::new()));
    assert_eq!(acl.find(Ipv4Addr::new(0, 1, 0, 7), TCP, Part::Port(2)), Some(16));
    assert_eq!(acl.find(Ipv4Addr::new(0, 1, 1, 7), TCP, Part::Port(2)), Some(8_001));
    assert_eq!(acl.find(Ipv4Addr::new(0, 1, 1, 7), TCP, Part::Port(3)), None);
    assert_eq!(acl.shadowed(), []);
}
