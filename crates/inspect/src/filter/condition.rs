//! One condition of a rule, and its result for a packet.

use super::packet::{Interface, Packet, Place};

/// A condition: the packet is in the list, or not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The fields that are compared.
    pub of: Match,
    /// At least one of these rows must match.
    pub rows: Vec<Vec<Value>>,
    /// Whether the condition is true if no row matches.
    pub negated: bool,
}

/// The fields that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// One field, or several that are compared together.
    pub fields: Vec<Field>,
    /// Whether the list of values is truncated or unknown, so that "not in it" proves nothing.
    pub incomplete: bool,
    /// Whether packets or time change the list, so that it is valid only when it is read.
    pub volatile: bool,
    /// Whether entries of the list have statements, such as a counter, which a match executes.
    pub has_statements: bool,
}

/// A property of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The IP protocol.
    Protocol,
    /// IPv4 or IPv6, by its name in nftables.
    Family,
    /// A port of TCP or UDP; with `None`, of any protocol that has ports.
    Port(Side, Option<u8>),
    /// The name of an interface.
    Interface(Side),
    /// An IPv4 address, as a number.
    Address(Side),
    /// The type of the address: `local`, `broadcast`, `multicast`.
    AddressType(Side),
    /// The same, where only the addresses of the packet's interface are local.
    LinkAddressType(Side),
    /// The state in connection tracking.
    State,
    /// How the packet was addressed on the link: `host`, `broadcast`.
    PacketType,
    /// The packet mark, 0 unless a rule sets it.
    Mark,
    /// The mark of the tracked connection, 0 unless a rule sets it.
    ConnectionMark,
    /// The IP protocol of the tracked connection.
    ConnectionProtocol,
    /// The flags of the TCP header, under this mask.
    TcpFlags(u8),
    /// A field in the header of this protocol: no other packet has it.
    HeaderOf(u8),
    /// A property that the first packets of an ordinary client do not have: a rate limit was exceeded, NAT
    /// was applied, no route back exists.
    Exceptional,
    /// A property that could not be interpreted.
    Unknown,
}

/// The end of a packet that a field refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Source; the input interface.
    Source,
    /// Destination; the output interface.
    Destination,
}

/// A value that a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A range of numbers, inclusive.
    Number(u32, u32),
    /// A word; with `*` at the end, a prefix.
    Word(String),
    /// Any value.
    Any,
    /// A value that could not be interpreted.
    Unknown,
}

impl Value {
    /// Creates a value with a single number.
    pub const fn one(number: u32) -> Value {
        Value::Number(number, number)
    }
}

/// The result of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    /// Yes.
    Yes,
    /// Yes, except for clients with some addresses.
    Most,
    /// Only for clients with some addresses.
    Some,
    /// Unknown.
    Unknown,
    /// No.
    No,
}

impl Answer {
    pub(crate) fn and(self, other: Answer) -> Answer {
        self.max(other)
    }

    fn or(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::Yes, _) | (_, Answer::Yes) => Answer::Yes,
            (Answer::Unknown, _) | (_, Answer::Unknown) => Answer::Unknown,
            (Answer::Most, _) | (_, Answer::Most) => Answer::Most,
            (Answer::Some, _) | (_, Answer::Some) => Answer::Some,
            _ => Answer::No,
        }
    }

    fn not(self) -> Answer {
        match self {
            Answer::Yes => Answer::No,
            Answer::Most => Answer::Some,
            Answer::Some => Answer::Most,
            Answer::Unknown => Answer::Unknown,
            Answer::No => Answer::Yes,
        }
    }

    fn of(is: bool) -> Answer {
        if is { Answer::Yes } else { Answer::No }
    }
}

impl Condition {
    /// Creates a condition on one field.
    pub fn new(field: Field, values: Vec<Value>, negated: bool) -> Condition {
        let rows = values.into_iter().map(|value| vec![value]).collect();
        Condition { of: Match::new(field), rows, negated }
    }

    /// Creates a condition that could not be interpreted.
    pub fn unknown() -> Condition {
        Condition::new(Field::Unknown, vec![Value::Unknown], false)
    }

    pub(crate) fn ask(&self, packet: &Packet, marks: bool) -> Answer {
        // A field that the packet does not have makes the rule fail, even if it is negated.
        if self.of.fields.iter().any(|field| field.absent(packet)) {
            return Answer::No;
        }
        let mut answer = if self.of.incomplete { self.of.unseen(packet) } else { Answer::No };
        for row in &self.rows {
            answer = answer.or(self.of.row(row, packet, marks));
        }
        if self.negated { answer.not() } else { answer }
    }
}

impl Match {
    /// Creates a match on one field.
    pub fn new(field: Field) -> Match {
        Match::of(vec![field])
    }

    /// Creates a match on several fields.
    pub fn of(fields: Vec<Field>) -> Match {
        Match { fields, incomplete: false, volatile: false, has_statements: false }
    }

    /// Whether a row of values matches; `marks`: some rule may have changed the mark.
    pub(crate) fn row(&self, row: &[Value], packet: &Packet, marks: bool) -> Answer {
        if row.len() != self.fields.len() {
            return Answer::Unknown;
        }
        let each = self.fields.iter().zip(row).map(|(field, value)| field.ask(value, packet, marks));
        each.fold(Answer::Yes, Answer::and)
    }

    /// The result for a value that was not read: an ordinary client is in no list of addresses.
    pub(crate) fn unseen(&self, packet: &Packet) -> Answer {
        let any_address = |field: &Field| match field {
            Field::Address(side) => *side.of(&packet.source, &packet.destination) == Place::Any,
            _ => false,
        };
        if self.fields.iter().any(any_address) { Answer::Some } else { Answer::Unknown }
    }

    pub(crate) fn absent(&self, packet: &Packet) -> bool {
        self.fields.iter().any(|field| field.absent(packet))
    }
}

impl Field {
    /// Whether the packet certainly has no such field.
    fn absent(&self, packet: &Packet) -> bool {
        let other = |wanted: u8| packet.protocol.is_some_and(|protocol| protocol != wanted);
        match self {
            Field::Port(_, Some(of)) | Field::HeaderOf(of) => other(*of),
            Field::Port(_, None) => packet.protocol == Some(super::packet::GRE),
            Field::TcpFlags(_) => other(super::packet::TCP),
            _ => false,
        }
    }

    fn ask(&self, value: &Value, packet: &Packet, marks: bool) -> Answer {
        match (value, self) {
            (Value::Any, Field::HeaderOf(_) | Field::Unknown) => return Answer::Unknown,
            (Value::Any, Field::Port(..) | Field::TcpFlags(_)) if packet.protocol.is_none() => {
                return Answer::Unknown;
            }
            (Value::Any, _) => return Answer::Yes,
            (Value::Unknown, _) => return Answer::Unknown,
            _ => {}
        }
        match self {
            Field::Protocol | Field::ConnectionProtocol => number(value, packet.protocol.map(u32::from)),
            Field::Family => word(value, &["ip", "ipv4"]),
            Field::Port(side, _) => {
                let port = match side {
                    Side::Source => packet.source_port,
                    Side::Destination => packet.destination_port,
                };
                number(value, port.map(u32::from))
            }
            Field::Interface(side) => interface(value, side.of(&packet.from, &packet.to)),
            Field::Address(side) => address(value, side.of(&packet.source, &packet.destination)),
            Field::AddressType(side) | Field::LinkAddressType(side) => {
                match side.of(&packet.source, &packet.destination) {
                    Place::One(_) => word(value, &["local"]),
                    _ => word(value, &["unicast"]),
                }
            }
            Field::State => word(value, &[packet.state.word()]),
            Field::PacketType => word(value, &["host", "unicast"]),
            Field::Mark | Field::ConnectionMark if marks => Answer::Unknown,
            Field::Mark | Field::ConnectionMark => number(value, Some(0)),
            Field::Exceptional => Answer::No,
            Field::TcpFlags(mask) => {
                let flags = packet.flags.filter(|_| packet.protocol.is_some());
                number(value, flags.map(|flags| u32::from(flags & mask)))
            }
            Field::HeaderOf(_) | Field::Unknown => Answer::Unknown,
        }
    }
}

impl Side {
    fn of<'a, T>(self, source: &'a T, destination: &'a T) -> &'a T {
        match self {
            Side::Source => source,
            Side::Destination => destination,
        }
    }
}

fn number(value: &Value, is: Option<u32>) -> Answer {
    match (value, is) {
        (Value::Number(from, to), Some(is)) => Answer::of((*from..=*to).contains(&is)),
        (Value::Number(0, u32::MAX), None) => Answer::Yes,
        _ => Answer::Unknown,
    }
}

fn word(value: &Value, is: &[&str]) -> Answer {
    match value {
        Value::Word(word) => Answer::of(is.contains(&word.as_str())),
        _ => Answer::Unknown,
    }
}

fn interface(value: &Value, is: &Interface) -> Answer {
    match (value, is) {
        (Value::Word(_), Interface::None) => Answer::No,
        (Value::Word(wanted), Interface::Named(name)) => Answer::of(match wanted.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == wanted,
        }),
        // No PPTP packet arrives through the loopback interface.
        (Value::Word(wanted), Interface::Unknown) if wanted == "lo" => Answer::No,
        _ => Answer::Unknown,
    }
}

fn address(value: &Value, is: &Place) -> Answer {
    let Value::Number(from, to) = value else { return Answer::Unknown };
    match is {
        _ if (*from, *to) == (0, u32::MAX) => Answer::Yes,
        Place::Any => Answer::Some,
        Place::One(address) => Answer::of((*from..=*to).contains(&u32::from(*address))),
        Place::Within(nets) => {
            let ends = |net: &ipnet::Ipv4Net| (u32::from(net.network()), u32::from(net.broadcast()));
            let inside = |net: &ipnet::Ipv4Net| ends(net).0 >= *from && ends(net).1 <= *to;
            let apart = |net: &ipnet::Ipv4Net| ends(net).1 < *from || ends(net).0 > *to;
            if !nets.is_empty() && nets.iter().all(inside) {
                Answer::Yes
            } else if nets.iter().all(apart) {
                Answer::No
            } else {
                Answer::Unknown
            }
        }
    }
}
