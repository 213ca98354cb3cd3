//! Whether GRE may bypass the IP stack of this host without a difference.
//!
//! AF_XDP passes packets between the driver and adit. Netfilter, connection tracking, traffic control, the
//! reverse-path filter, routing rules and IPsec policies do not see them. That changes nothing only if all of
//! these would accept every such packet, unchanged and without a side effect. What stands against it is an
//! [`Obstacle`]; what cannot be read or interpreted is one, too.
//!
//! [`rules::obstacles`] evaluates the packet filter, [`look`] the whole host, and [`Watch`] repeats that
//! whenever something changes.

mod asked;
mod capture;
mod host;
mod interface;
mod ipsec;
mod obstacle;
mod packet;
mod routing;
pub mod rules;
#[cfg(test)]
mod tests;
mod traffic;
mod watch;

pub use asked::Asked;
pub use host::look;
pub use obstacle::{Direction, Obstacle, RuleObstacle, What};
pub use watch::Watch;

/// Parses a text as the output of each tool. For fuzzers only.
#[doc(hidden)]
pub fn read_any(text: &str, asked: &Asked) -> Vec<Obstacle> {
    let name = &asked.interface;
    let (queues, places) = traffic::queues(text, name);
    let mut all = queues;
    for place in places {
        all.extend(traffic::filters(text, name, &place));
    }
    all.extend(interface::obstacles(text, name, Some(1)));
    all.extend(routing::obstacles(text, asked));
    all.extend(ipsec::obstacles(text, asked));
    all.extend(ipsec::default_obstacle(text));
    all.extend(capture::obstacle(text, name, 2));
    all
}
