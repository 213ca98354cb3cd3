//! The last words on a session: the one line of the log that says how it ended, and what was noticed on the way.

use std::time::Instant;

use adit_diag::{Code, Layer};
use adit_store::NewEvent;
use adit_tunnel::blame::{self, Neighbour};
use adit_tunnel::events::End;

use crate::control::{Counters, FindingRow};
use crate::registry::Registry;
use crate::session::{Known, Session};

/// GRE packets that must be missing before it is worth a word, and out of how many one: 5 in 100.
const LOST: (u64, u64) = (10, 20);
/// The same of a call that never came up, in which there are few.
const LOST_EARLY: (u64, u64) = (3, 5);

/// Something that was wrong and did not end the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) text: String,
}

impl From<Finding> for FindingRow {
    fn from(Finding { code, text }: Finding) -> FindingRow {
        FindingRow { code: code.to_string(), text }
    }
}

/// What was wrong with a session and did not end it.
pub(crate) fn findings(known: &Known) -> Vec<Finding> {
    let lost = if known.up_at.is_some() { LOST } else { LOST_EARLY };
    let mut findings = counted(&known.counters, lost, &known.routes_key);
    findings.extend(known.noticed.iter().cloned());
    findings
}

/// What the counters of a session say, with the key of the configuration that allows destinations.
fn counted(counters: &Counters, (least, one_of): (u64, u64), routes: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sent = counters.rx_packets + counters.rx_frames + counters.lost;
    if counters.lost >= least && counters.lost.saturating_mul(one_of) > sent {
        let text = format!(
            "{} of {sent} GRE packets from the client never arrived ({} %): client to server",
            counters.lost,
            counters.lost.saturating_mul(100) / sent.max(1)
        );
        findings.push(Finding { code: Code::G07, text });
    }
    if let Some(last) = counters.denied_last() {
        let packets = counters.acl_unicast;
        let text = format!("{packets} packets dropped that {routes} does not allow, the last to {last}");
        findings.push(Finding { code: Code::R02, text });
    }
    findings
}

/// The key that says where this group may send packets.
pub(crate) fn routes_key(config: &adit_config::Config, group: Option<&str>) -> String {
    match group.filter(|group| config.groups.contains_key(*group)) {
        Some(group) => format!("groups.{group}.routes"),
        None => "access.routes".to_owned(),
    }
}

/// The end of a session in the light of the others that come from the same address.
pub(crate) fn behind_one_address(session: &Session, registry: &Registry, end: End) -> End {
    let (call_ids, up_at) = {
        let known = session.known();
        (known.call_ids, known.up_at)
    };
    let neighbours: Vec<Neighbour> = registry
        .all()
        .iter()
        .filter(|other| other.id != session.id && other.from.ip() == session.from.ip())
        .filter_map(|other| {
            let known = other.known();
            Some(Neighbour {
                name: other.id.to_string(),
                same_call_id: known.call_ids?.1 == call_ids?.1,
                heard: known.up.is_some() || known.layer.is_some_and(|layer| layer >= Layer::Gre),
                began_behind: up_at.is_some_and(|up_at| other.started_at > up_at),
            })
        })
        .collect();
    blame::behind_one_address(end, &neighbours)
}

/// The line: an event with source address, user, code, layer and what happened.
pub(crate) fn event(
    mut event: NewEvent,
    end: &End,
    up_at: Option<Instant>,
    session: &Session,
    found: &[Finding],
) -> NewEvent {
    let layer = end.code.map(Code::layer);
    event.kind = match (up_at, layer) {
        (Some(_), _) => "session.end",
        (None, Some(Layer::Auth)) => "auth.fail",
        // It never came up, and nobody is to blame: somebody hung up, or only looked whether it would.
        (None, None) => "call.end",
        (None, Some(_)) => "call.fail",
    }
    .to_owned();
    blame_on(&mut event, end.code);
    let mut field = |key: &str, value: String| event.fields.push((key.to_owned(), value));
    field("why", end.why.word().to_owned());
    let (counters, vendor) = {
        let known = session.known();
        (known.counters, known.vendor.clone())
    };
    match up_at {
        Some(at) => {
            field("up_s", at.elapsed().as_secs().to_string());
            field("rx", counters.rx_bytes.to_string());
            field("tx", counters.tx_bytes.to_string());
        }
        None => field("after_s", format!("{:.1}", session.started_at.elapsed().as_secs_f64())),
    }
    if !end.detail.is_empty() {
        field("detail", end.detail.clone());
    }
    if up_at.is_none() && !vendor.is_empty() {
        field("vendor", vendor);
    }
    if !found.is_empty() {
        let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
        field("findings", codes.join(","));
    }
    event
}

/// Gives an event the code of what is wrong, and the word of its layer for those who do not know the letters.
pub(crate) fn blame_on(event: &mut NewEvent, code: Option<Code>) {
    event.code = code.map(|code| code.to_string());
    if let Some(code) = code {
        event.fields.push(("layer".to_owned(), code.layer().word().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_63_a_third_of_the_packets_lost_is_a_finding_with_its_direction() {
        let counters = Counters { rx_packets: 700, rx_frames: 20, lost: 310, ..Counters::default() };
        let found = counted(&counters, LOST, "access.routes");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, Code::G07);
        assert_eq!(
            found[0].text,
            "310 of 1030 GRE packets from the client never arrived (30 %): client to server"
        );
    }

    #[test]
    fn of_a_call_that_never_came_up_a_few_missing_packets_are_worth_a_word() {
        let counters = Counters { rx_frames: 6, lost: 3, ..Counters::default() };
        assert_eq!(counted(&counters, LOST_EARLY, "access.routes").len(), 1);
        assert_eq!(counted(&counters, LOST, "access.routes"), []);
        let one = Counters { rx_frames: 6, lost: 1, ..Counters::default() };
        assert_eq!(counted(&one, LOST_EARLY, "access.routes"), []);
    }

    #[test]
    fn a_healthy_line_with_two_lost_in_a_hundred_is_none() {
        for (rx_packets, lost) in [(0, 0), (3, 9), (980, 20), (98_000, 2_000)] {
            let counters = Counters { rx_packets, lost, ..Counters::default() };
            assert_eq!(counted(&counters, LOST, "access.routes"), [], "{rx_packets} {lost}");
        }
    }

    #[test]
    fn row_57_a_denied_destination_is_named_with_the_line_that_does_not_allow_it() {
        let packed =
            adit_tunnel::path::Denied { destination: [192, 168, 20, 5].into(), protocol: 6, port: 3389 };
        let counters =
            Counters { acl_denied: 9, acl_unicast: 3, acl_last: packed.pack(), ..Counters::default() };
        let found = counted(&counters, LOST, "groups.staff.routes");
        assert_eq!(found[0].code, Code::R02);
        assert_eq!(
            found[0].text,
            "3 packets dropped that groups.staff.routes does not allow, the last to 192.168.20.5 tcp/3389"
        );
    }
}
