//! Findings: faults of a session that did not end it.

use adit_diag::Counters;
use adit_diag::note::Finding;
use adit_tunnel::path::denied;

/// The loss of GRE packets that makes a finding: this many lost, and one out of this many (5 %).
const LOST: (u64, u64) = (10, 20);
/// The same for a call that never came up, which has few packets.
const LOST_EARLY: (u64, u64) = (3, 5);

/// The findings from the counters of a session; `routes` is the configuration key that allows destinations.
pub(crate) fn counted(counters: &Counters, was_up: bool, routes: &str) -> Vec<Finding> {
    let (least, one_of) = if was_up { LOST } else { LOST_EARLY };
    let mut findings = Vec::new();
    let sent = counters.rx_packets + counters.rx_frames + counters.lost;
    if counters.lost >= least && counters.lost.saturating_mul(one_of) > sent {
        findings.push(Finding::Loss { lost: counters.lost, sent });
    }
    if let Some(last) = denied::unpack(counters.acl_last) {
        findings.push(Finding::Denied { packets: counters.acl_unicast, key: routes.to_owned(), last });
    }
    findings
}

#[cfg(test)]
mod tests {
    use adit_diag::note::Destination;

    use super::*;

    #[test]
    fn row_63_a_third_of_the_packets_lost_is_a_finding_with_its_direction() {
        let counters = Counters { rx_packets: 700, rx_frames: 20, lost: 310, ..Counters::default() };
        let found = counted(&counters, true, "access.routes");
        assert_eq!(found, [Finding::Loss { lost: 310, sent: 1030 }]);
    }

    #[test]
    fn of_a_call_that_never_came_up_a_few_missing_packets_are_worth_a_word() {
        let counters = Counters { rx_frames: 6, lost: 3, ..Counters::default() };
        assert_eq!(counted(&counters, false, "access.routes").len(), 1);
        assert_eq!(counted(&counters, true, "access.routes"), []);
        let one = Counters { rx_frames: 6, lost: 1, ..Counters::default() };
        assert_eq!(counted(&one, false, "access.routes"), []);
    }

    #[test]
    fn a_healthy_line_with_two_lost_in_a_hundred_is_none() {
        for (rx_packets, lost) in [(0, 0), (3, 9), (980, 20), (98_000, 2_000)] {
            let counters = Counters { rx_packets, lost, ..Counters::default() };
            assert_eq!(counted(&counters, true, "access.routes"), [], "{rx_packets} {lost}");
        }
    }

    #[test]
    fn row_57_a_denied_destination_is_named_with_the_line_that_does_not_allow_it() {
        let last = Destination { address: [192, 168, 20, 5].into(), protocol: 6, port: 3389 };
        let counters =
            Counters { acl_denied: 9, acl_unicast: 3, acl_last: denied::pack(last), ..Counters::default() };
        let found = counted(&counters, true, "groups.staff.routes");
        let key = "groups.staff.routes".to_owned();
        assert_eq!(found, [Finding::Denied { packets: 3, key, last }]);
    }
}
