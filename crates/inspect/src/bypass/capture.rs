//! Packet sockets of other programs: a capture does not show packets that bypass the IP stack.

use super::obstacle::Obstacle;

/// The number of ETH_P_ALL, and of IPv4 (linux/if_ether.h), in hexadecimal.
const SEEN: [&str; 2] = ["0003", "0800"];

/// The obstacle in /proc/net/packet for an interface, by its index: a socket that receives its IPv4 packets. Whether a
/// filter of that socket excludes GRE is not visible there.
pub(super) fn obstacle(text: &str, interface: &str, index: u32) -> Option<Obstacle> {
    let sees = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(3);
        let protocol = fields.next().is_some_and(|protocol| SEEN.contains(&protocol));
        // The index is 0 for all interfaces.
        let on = fields.next().and_then(|on| on.parse::<u32>().ok());
        protocol && on.is_none_or(|on| on == 0 || on == index)
    };
    text.lines().skip(1).any(sees).then(|| Obstacle::Capture(interface.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n";

    fn found(line: &str) -> bool {
        obstacle(&format!("{HEADER}{line}"), "eth0", 2).is_some()
    }

    #[test]
    fn sockets_that_see_the_packets_are_found() {
        assert!(obstacle(HEADER, "eth0", 2).is_none());
        assert!(obstacle("", "eth0", 2).is_none());
        assert!(found("0000000000000000 3      3    0003   2     1 0      0      26441\n"));
        assert!(found("0000000000000000 3      3    0800   0     1 0      0      26441\n"), "all interfaces");
        assert!(
            !found("0000000000000000 3      3    0003   3     1 0      0      26441\n"),
            "another interface"
        );
        assert!(!found("0000000000000000 3      2    88cc   2     1 0      0      26441\n"), "LLDP");
        assert!(!found("0000000000000000 3      3    0000   2     0 0      0      26441\n"), "not receiving");
        assert!(found("0000000000000000 3 3 0003 what\n"), "in doubt");
        assert!(!found("0000000000000000 3\n"));
    }
}
