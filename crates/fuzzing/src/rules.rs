//! Rules of access lists: reading, writing, compiling, and packets judged by them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use adit_policy::reach::{Acl, Keys, Locals, Prefixes, Question, Reach, Rule, ServerReach};
use adit_wire::{ipv4, ipv6};

use crate::input::Input;

/// The most rules of one input, because the comparison below is slow.
const RULES: usize = 64;

/// The first lines are rules; what follows an empty line is a packet.
pub(crate) fn access_rules(data: &[u8]) {
    let split = data.windows(2).position(|pair| pair == b"\n\n");
    let (text, packet) = data.split_at(split.unwrap_or(data.len()));
    let packet = packet.get(2..).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let mut rules = Vec::new();
    let mut server = ServerReach::nothing();
    for line in text.lines().take(RULES) {
        match Rule::parse(line) {
            Ok(rule) => {
                assert_eq!(
                    Rule::parse(&rule.to_string()).as_ref(),
                    Ok(&rule),
                    "a rule reads as it was written"
                );
                rules.push(rule);
            }
            Err(error) => assert!(line.get(error.at.clone()).is_some(), "{line:?}: {error:?}"),
        }
        match ServerReach::parse(line) {
            Ok(read) => {
                assert_eq!(ServerReach::parse(&read.to_string()).as_ref(), Ok(&read));
                server = read;
            }
            Err(error) => assert!(line.get(error.at.clone()).is_some(), "{line:?}: {error:?}"),
        }
        if let Ok(question) = line.parse::<Question>() {
            assert_eq!(question.to_string().parse(), Ok(question));
        }
    }
    let mut input = Input::new(packet);
    let routes = (input.u8() & 1 != 0).then(|| vec![Ipv4Addr::new(10, 0, 0, input.u8()).into()]);
    let acl = Acl::new(rules, routes);
    for shadowed in acl.shadowed() {
        assert!(shadowed.by.is_none_or(|by| by < shadowed.rule));
    }
    let reach = Reach {
        server,
        locals: Arc::new(Locals::default()),
        clients: Some(Prefixes::default()),
        acl: Arc::new(acl),
        keys: Keys::default(),
    };
    if let Ok(packet) = ipv4::Packet::new_checked(packet) {
        let _ = (reach.judge_v4(packet), reach.admits_v4(packet));
        let answer = reach.answer(Question { address: packet.dst(), what: None });
        assert!(!answer.by.is_empty());
    }
    if let Ok(packet) = ipv6::Packet::new_checked(packet) {
        let _ = (reach.judge_v6(packet), reach.admits_v6(packet));
    }
}
