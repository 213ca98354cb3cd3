//! All GRE packets of one direction at once, and whether conditions of rules apply to them.

use std::net::Ipv4Addr;

use super::obstacle::Direction;
use crate::filter::{Condition, Field, GRE, Match, Side, Value};

/// The EtherType of PPP in an enhanced GRE header (RFC 2637 section 4.1), at the place of a destination port.
const PPP: u32 = 0x880b;

/// To which of the packets a condition applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    /// To none.
    Never,
    /// To some, or that is not known.
    Perhaps,
    /// To all.
    Always,
}

impl Truth {
    pub(super) fn and(self, other: Truth) -> Truth {
        self.min(other)
    }

    pub(super) fn or(self, other: Truth) -> Truth {
        self.max(other)
    }

    pub(super) fn not(self) -> Truth {
        match self {
            Truth::Never => Truth::Always,
            Truth::Perhaps => Truth::Perhaps,
            Truth::Always => Truth::Never,
        }
    }

    fn of(is: bool) -> Truth {
        if is { Truth::Always } else { Truth::Never }
    }
}

/// Enhanced GRE between this host and any other.
#[derive(Clone, Debug)]
pub(super) struct Packets<'a> {
    pub(super) direction: Direction,
    pub(super) interface: &'a str,
    /// The addresses of this host; empty if they are not known.
    pub(super) own: &'a [Ipv4Addr],
    /// The word of the state in connection tracking; `None` for any.
    pub(super) state: Option<&'static str>,
    /// Whether some rule sets a mark.
    pub(super) has_marks: bool,
}

impl Packets<'_> {
    /// The packets for which the condition is true.
    pub(super) fn ask(&self, condition: &Condition) -> Truth {
        match self.listed(condition) {
            // A field that a packet does not have makes the rule fail, even if it is negated.
            None => Truth::Never,
            Some(truth) if condition.negated => truth.not(),
            Some(truth) => truth,
        }
    }

    /// The packets that are in the list of a condition; `None` if they do not have its fields.
    pub(super) fn listed(&self, condition: &Condition) -> Option<Truth> {
        if condition.of.fields.iter().any(is_absent) {
            return None;
        }
        let mut truth = Truth::Never;
        for row in &condition.rows {
            truth = truth.or(self.row(&condition.of, row));
        }
        if condition.of.incomplete || condition.of.volatile {
            truth = Truth::Perhaps;
        }
        Some(truth)
    }

    /// The packets that have all values of a row.
    pub(super) fn row(&self, of: &Match, row: &[Value]) -> Truth {
        if row.len() != of.fields.len() {
            return Truth::Perhaps;
        }
        let each = of.fields.iter().zip(row).map(|(field, value)| self.field(field, value));
        each.fold(Truth::Always, Truth::and)
    }

    fn field(&self, field: &Field, value: &Value) -> Truth {
        if is_absent(field) {
            return Truth::Never;
        }
        if *value == Value::Unknown {
            return Truth::Perhaps;
        }
        match field {
            Field::Protocol => number(value, u32::from(GRE)),
            Field::Family => word(value, &["ip", "ipv4"]),
            Field::Port(Side::Destination, _) => number(value, PPP),
            Field::Interface(side) => self.interface(*side, value),
            Field::Address(side) => self.address(*side, value),
            Field::AddressType(side) => self.address_type(*side, value),
            Field::State => self.state(value),
            Field::PacketType if self.direction == Direction::In => word(value, &["host", "unicast"]),
            Field::Mark if !self.has_marks => number(value, 0),
            Field::Mark
            | Field::PacketType
            | Field::Port(Side::Source, _)
            | Field::LinkAddressType(_)
            | Field::ConnectionMark
            | Field::ConnectionProtocol
            | Field::TcpFlags(_)
            | Field::HeaderOf(_)
            | Field::Exceptional
            | Field::Unknown => Truth::Perhaps,
        }
    }

    /// Whether this end of the packets is this host.
    fn is_own(&self, side: Side) -> bool {
        matches!((self.direction, side), (Direction::In, Side::Destination) | (Direction::Out, Side::Source))
    }

    fn interface(&self, side: Side, value: &Value) -> Truth {
        let wanted = match value {
            Value::Word(wanted) => wanted,
            Value::Any => return Truth::Always,
            _ => return Truth::Perhaps,
        };
        // A received packet has no output interface yet, and one of this host no input interface.
        if self.is_own(side) {
            return Truth::Never;
        }
        Truth::of(matches_name(wanted, self.interface))
    }

    fn address(&self, side: Side, value: &Value) -> Truth {
        let (from, to) = match value {
            Value::Number(from, to) => (*from, *to),
            Value::Any => return Truth::Always,
            _ => return Truth::Perhaps,
        };
        if from > to {
            return Truth::Never;
        }
        if (from, to) == (0, u32::MAX) {
            return Truth::Always;
        }
        if !self.is_own(side) || self.own.is_empty() {
            return Truth::Perhaps;
        }
        let inside = self.own.iter().filter(|address| (from..=to).contains(&u32::from(**address))).count();
        match inside {
            0 => Truth::Never,
            all if all == self.own.len() => Truth::Always,
            _ => Truth::Perhaps,
        }
    }

    fn address_type(&self, side: Side, value: &Value) -> Truth {
        let Value::Word(wanted) = value else { return Truth::Perhaps };
        match (self.is_own(side), wanted.as_str()) {
            (true, _) if self.own.is_empty() => Truth::Perhaps,
            (true, "local") | (false, "unicast") => Truth::Always,
            (true, _) | (false, "local" | "broadcast" | "multicast" | "anycast") => Truth::Never,
            // An unreachable route, for example.
            (false, _) => Truth::Perhaps,
        }
    }

    fn state(&self, value: &Value) -> Truth {
        match (value, self.state) {
            (Value::Word(wanted), Some(state)) => match wanted.as_str() {
                wanted if wanted == state => Truth::Always,
                "new" | "established" | "related" | "untracked" | "invalid" => Truth::Never,
                _ => Truth::Perhaps,
            },
            _ => Truth::Perhaps,
        }
    }
}

/// Whether enhanced GRE certainly has no such field. A port of any protocol is not one of those: nftables reads
/// the octets at its place.
fn is_absent(field: &Field) -> bool {
    match field {
        Field::Port(_, Some(of)) | Field::HeaderOf(of) => *of != GRE,
        Field::TcpFlags(_) => true,
        _ => false,
    }
}

/// Whether a name matches a pattern, which may end with `*`.
pub(super) fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

fn number(value: &Value, is: u32) -> Truth {
    match value {
        Value::Number(from, to) => Truth::of((*from..=*to).contains(&is)),
        Value::Any => Truth::Always,
        _ => Truth::Perhaps,
    }
}

fn word(value: &Value, is: &[&str]) -> Truth {
    match value {
        Value::Word(word) => Truth::of(is.contains(&word.as_str())),
        Value::Any => Truth::Always,
        _ => Truth::Perhaps,
    }
}
