//! Parser for the options of a rule (iptables(8), iptables-extensions(8)).

use crate::filter::{Action, Condition, Effect, Field, Match, Side, Step, Target, Value};
use crate::read::words;

/// The most values of one option.
const LIST_MAX: usize = 256;

/// Parses the words after `-A CHAIN`; `declared` returns whether the table has a chain.
pub(super) fn steps(words: &[String], declared: &dyn Fn(&str) -> bool) -> Vec<Step> {
    let mut reader = Reader { words: words.iter().map(String::as_str).collect(), at: 0, steps: Vec::new() };
    let mut not = false;
    while let Some(word) = reader.next() {
        match word {
            "!" => {
                not = true;
                continue;
            }
            "-j" | "--jump" | "-g" | "--goto" => {
                let target = reader.next().unwrap_or_default();
                let action = if declared(target) {
                    if word.starts_with("-g") || word == "--goto" {
                        Action::Goto(target.to_owned())
                    } else {
                        Action::Jump(target.to_owned())
                    }
                } else {
                    reader.target(target)
                };
                reader.steps.push(Step::Do(action));
                return reader.steps;
            }
            option => reader.option(option, not),
        }
        not = false;
    }
    reader.steps
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    steps: Vec<Step>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at).copied()?;
        self.at += 1;
        Some(word)
    }

    fn argument(&mut self) -> &'a str {
        self.next().unwrap_or_default()
    }

    fn ask(&mut self, field: Field, values: Vec<Value>, not: bool) {
        self.steps.push(Step::If(Condition::new(field, values, not)));
    }

    /// Adds a condition that an ordinary client does not meet, unless negated.
    fn exceptional(&mut self, not: bool) {
        self.ask(Field::Exceptional, vec![Value::one(1)], not);
    }

    /// Adds a condition on sources that a list names.
    fn listed_source(&mut self, not: bool) {
        let of = Match { incomplete: true, ..Match::new(Field::Address(Side::Source)) };
        self.steps.push(Step::If(Condition { of, rows: Vec::new(), negated: not }));
    }

    fn option(&mut self, option: &str, not: bool) {
        match option {
            "-p" | "--protocol" => {
                let value = match words::protocol(self.argument()) {
                    Some(0) => Value::Number(0, u32::MAX),
                    Some(number) => Value::one(u32::from(number)),
                    None => Value::Unknown,
                };
                self.ask(Field::Protocol, vec![value], not);
            }
            "-s" | "--source" => self.list(Field::Address(Side::Source), words::network, not),
            "-d" | "--destination" => self.list(Field::Address(Side::Destination), words::network, not),
            "-i" | "--in-interface" => self.list(Field::Interface(Side::Source), interface, not),
            "-o" | "--out-interface" => self.list(Field::Interface(Side::Destination), interface, not),
            "--dport" | "--destination-port" | "--dports" => {
                self.list(Field::Port(Side::Destination, None), words::port, not);
            }
            "--sport" | "--source-port" | "--sports" => {
                self.list(Field::Port(Side::Source, None), words::port, not);
            }
            "--src-range" => self.list(Field::Address(Side::Source), range, not),
            "--dst-range" => self.list(Field::Address(Side::Destination), range, not),
            "--tcp-flags" => {
                let (mask, wanted) = (self.argument(), self.argument());
                self.flags(mask, wanted, not);
            }
            "--syn" => self.flags("FIN,SYN,RST,ACK", "SYN", not),
            "--icmp-type" => {
                let _ = self.argument();
                self.ask(Field::HeaderOf(1), vec![Value::Unknown], not);
            }
            "--ctstate" | "--state" => self.list(Field::State, lower, not),
            "--dst-type" => self.list(Field::AddressType(Side::Destination), lower, not),
            "--src-type" => self.list(Field::AddressType(Side::Source), lower, not),
            "--pkt-type" => self.list(Field::PacketType, lower, not),
            "--mark" => {
                let before = self.words.iter().take(self.at).rev();
                let of = before.copied().find(|word| matches!(*word, "mark" | "connmark"));
                let field = if of == Some("connmark") { Field::ConnectionMark } else { Field::Mark };
                self.list(field, mark, not);
            }
            "--limit" | "--hashlimit-upto" | "--hashlimit" | "--connlimit-upto" => {
                let _ = self.argument();
                self.exceptional(!not);
            }
            "--hashlimit-above" | "--connlimit-above" => {
                let _ = self.argument();
                self.exceptional(not);
            }
            "--match-set" => {
                let _ = self.argument();
                match self.argument() {
                    direction if direction.starts_with("src") => self.listed_source(not),
                    _ => self.unknown(),
                }
            }
            // recent: a rule that only records; one that counts hits; one that matches recorded addresses.
            "--set" => {}
            "--update" | "--rcheck" | "--remove" => {
                if self.words.contains(&"--hitcount") {
                    self.exceptional(not);
                } else {
                    self.listed_source(not);
                }
            }
            "--pol" => {
                let ipsec = self.argument() == "ipsec";
                self.exceptional(not == ipsec);
            }
            "--physdev-is-bridged" => self.exceptional(not),
            "-m" | "--match" => {
                let name = self.argument();
                if let Some(effect) = effect_of(name) {
                    self.steps.push(Step::Do(Action::Effect(effect)));
                }
                if name == "rpfilter" {
                    let inverted = self.words.contains(&"--invert");
                    self.exceptional(!inverted);
                }
            }
            "-f" | "--fragment" => self.exceptional(not),
            "--rsource" | "--rdest" | "--connlimit-saddr" | "--limit-iface-in" | "--limit-iface-out"
            | "--strict" | "--invert" | "--loose" | "--validmark" | "--accept-local" => {}
            "--comment"
            | "--limit-burst"
            | "--name"
            | "--seconds"
            | "--hitcount"
            | "--mask"
            | "--dir"
            | "--reqid"
            | "--proto"
            | "--connlimit-mask"
            | "--rttl"
            | "--hashlimit-burst"
            | "--hashlimit-mode"
            | "--hashlimit-srcmask"
            | "--hashlimit-dstmask"
            | "--hashlimit-name"
            | "--hashlimit-htable-size"
            | "--hashlimit-htable-max"
            | "--hashlimit-htable-expire"
            | "--hashlimit-htable-gcinterval"
            | "-c" => {
                let _ = self.argument();
            }
            _ => self.unknown(),
        }
    }

    fn flags(&mut self, mask: &str, wanted: &str, not: bool) {
        match (words::flags(mask.split(',')), words::flags(wanted.split(','))) {
            (Some(mask), Some(wanted)) => {
                self.ask(Field::TcpFlags(mask), vec![Value::one(u32::from(wanted))], not)
            }
            _ => self.steps.push(Step::If(Condition::unknown())),
        }
    }

    /// Handles an unknown option, with its possible arguments.
    fn unknown(&mut self) {
        while self.words.get(self.at).is_some_and(|word| !word.starts_with('-') && *word != "!") {
            self.at += 1;
        }
        self.steps.push(Step::If(Condition::unknown()));
    }

    fn list(&mut self, field: Field, read: fn(&str) -> Value, not: bool) {
        let values = self.argument().split(',').take(LIST_MAX).map(read).collect();
        self.ask(field, values, not);
    }

    fn target(&mut self, target: &str) -> Action {
        let after = |option: &str| {
            let at = self.words.iter().position(|word| *word == option)?;
            self.words.get(at + 1).copied()
        };
        match target {
            "ACCEPT" => Action::Accept,
            "DROP" => Action::Drop,
            "REJECT" => Action::Reject,
            "RETURN" => Action::Return,
            "MASQUERADE" => Action::Source(Target::Own),
            "REDIRECT" => Action::Destination(Target::Own),
            "SNAT" => Action::Source(address(after("--to-source"))),
            "DNAT" => Action::Destination(address(after("--to-destination"))),
            "CT" if self.words.contains(&"--notrack") => Action::Untracked,
            "NOTRACK" => Action::Untracked,
            "CT" => match after("--helper") {
                Some(helper) => Action::Helper(helper.to_owned()),
                None => Action::Effect(Effect::Connection),
            },
            "TCPMSS" => Action::ClampMss,
            "MARK" | "CONNMARK" => Action::SetMark,
            "" => Action::Nothing,
            "LOG" | "ULOG" | "NFLOG" | "AUDIT" => Action::Effect(Effect::Log),
            "SET" => Action::Effect(Effect::Record),
            "TRACE" => Action::Effect(Effect::Trace),
            "TEE" => Action::Effect(Effect::Copy),
            "TOS" | "DSCP" | "TTL" | "CLASSIFY" | "CHECKSUM" | "TCPOPTSTRIP" | "CONNSECMARK" | "SECMARK"
            | "ECN" | "RATEEST" => Action::Effect(Effect::Other(target.to_owned())),
            other => Action::Unknown(other.chars().take(64).collect()),
        }
    }
}

/// The side effect of a match; `None` for those that only compare. Unknown ones may have any.
pub(in crate::read) fn effect_of(name: &str) -> Option<Effect> {
    match name {
        "addrtype" | "ah" | "cgroup" | "comment" | "connbytes" | "connmark" | "conntrack" | "cpu"
        | "dccp" | "devgroup" | "dscp" | "ecn" | "esp" | "helper" | "icmp" | "iprange" | "ipvs"
        | "length" | "mac" | "mark" | "multiport" | "owner" | "physdev" | "pkttype" | "policy" | "realm"
        | "rpfilter" | "sctp" | "state" | "string" | "tcp" | "tcpmss" | "time" | "tos" | "ttl" | "u32"
        | "udp" => None,
        "limit" | "hashlimit" | "connlimit" | "quota" => Some(Effect::Limit),
        "recent" => Some(Effect::Record),
        "nfacct" => Some(Effect::Count),
        other => Some(Effect::Other(other.chars().take(64).collect())),
    }
}

fn interface(name: &str) -> Value {
    match name.strip_suffix('+') {
        Some("") => Value::Any,
        Some(beginning) => Value::Word(format!("{beginning}*")),
        None => Value::Word(name.to_owned()),
    }
}

fn lower(word: &str) -> Value {
    Value::Word(word.to_ascii_lowercase())
}

fn range(text: &str) -> Value {
    match text.split_once('-') {
        Some((from, to)) => words::between(from, to),
        None => words::network(text),
    }
}

fn mark(text: &str) -> Value {
    let value = text.split('/').next().unwrap_or_default();
    let number = match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    };
    number.map_or(Value::Unknown, Value::one)
}

fn address(text: Option<&str>) -> Target {
    let address = text.and_then(|text| text.split(':').next()).and_then(|text| text.parse().ok());
    address.map_or(Target::Unknown, Target::Address)
}
