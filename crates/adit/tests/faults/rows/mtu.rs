//! M: packet sizes.

use crate::case::{LOGIN, row};
use crate::world::{Plan, World};

#[test]
fn row_60_black_hole() {
    row("60", &Plan::with("[link]\n", "[link]\nmss = \"off\"\n"), LOGIN, |world| {
        // GRE may not be cut, and nobody is told.
        World::firewall(&world.transit, "forward", "ip protocol gre meta length > 1300 counter drop");
    });
}

#[test]
fn row_61_mss_not_clamped() {
    row("61", &Plan::with("[link]\n", "[link]\nmss = \"off\"\n"), LOGIN, |_| {});
}

#[test]
fn row_62_second_fragments_dropped() {
    row("62", &Plan::default(), LOGIN, |world| {
        // The line takes less than the tunnel needs, and a router behind it drops what is no beginning.
        for (host, interface) in [
            (&world.home, "wan0"),
            (&world.transit, "home0"),
            (&world.transit, "edge0"),
            (&world.edge, "wan0"),
        ] {
            host.ip(&format!("link set dev {interface} mtu 1300"));
        }
        for host in [&world.edge, &world.home] {
            host.nft("table ip fragments { chain pre { type filter hook prerouting priority -500; ip frag-off & 0x1fff != 0 counter drop;\n}\n}");
        }
    });
}
