//! M: packet sizes.

use crate::case::{LOGIN, row};
use crate::world::{Home, Plan, World};

#[test]
fn row_60_black_hole() {
    row("60", &Plan::with("[link]\n", "[link]\nmss = \"off\"\n"), LOGIN, |world| {
        // GRE may not be fragmented, and no error is sent.
        World::firewall(&world.transit, "forward", "ip protocol 47 meta length > 1300 counter drop");
    });
}

#[test]
fn row_61_mss_not_clamped() {
    row("61", &Plan::with("[link]\n", "[link]\nmss = \"off\"\n"), LOGIN, |_| {});
}

#[test]
fn row_62_second_fragments_dropped() {
    let plan = Plan { home: Home::Routed, ..Plan::default() };
    row("62", &plan, LOGIN, |world| {
        // Both ends cut what is too large for their line, and a router between drops what is no beginning.
        world.client.ip("link set dev eth0 mtu 1300");
        world.server.ip("link set dev eth0 mtu 1300");
        world.transit.nft(
            "table ip row { chain pre { type filter hook prerouting priority -500; \
             ip frag-off & 0x1fff != 0 counter drop;\n}\n}",
        );
    });
}
