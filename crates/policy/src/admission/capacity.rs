//! How many connections the limit of open files allows.

/// Descriptors that are kept for everything but connections: store, log, tunnel interface, workers, control socket.
pub const RESERVED: u64 = 64;
/// The most connections without a first message.
const MAX_ARRIVALS: u64 = 4_096;
/// The most connections that wait for admission.
const MAX_WAITING: u64 = 16_384;

/// The numbers of connections that the process can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// All connections together.
    pub connections: u64,
    /// Connections without a complete first message.
    pub arrivals: u64,
    /// Connections that wait for admission.
    pub waiting: u64,
    /// Connections in set-up.
    pub starting: u64,
    /// Sessions.
    pub sessions: u64,
}

impl Capacity {
    /// The capacity under a limit of `descriptors`. The stages may have more together than there is: they are never all
    /// full of clients that will log in. When all connections together reach the limit, those that are least likely to
    /// become sessions give way.
    pub fn new(descriptors: u64) -> Capacity {
        let connections = descriptors.saturating_sub(RESERVED).max(8);
        let quarter = connections / 4;
        Capacity {
            connections,
            arrivals: quarter.min(MAX_ARRIVALS),
            waiting: quarter.min(MAX_WAITING),
            starting: connections / 3,
            sessions: connections - quarter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_descriptors_leave_space_for_every_stage() {
        assert_eq!(
            Capacity::new(256),
            Capacity { connections: 192, arrivals: 48, waiting: 48, starting: 64, sessions: 144 }
        );
        let large = Capacity::new(1 << 20);
        assert_eq!((large.arrivals, large.waiting), (MAX_ARRIVALS, MAX_WAITING));
        assert!(large.starting > 4_096 && large.sessions > 65_535);
        for descriptors in 0..2_000 {
            let capacity = Capacity::new(descriptors);
            let Capacity { connections, arrivals, waiting, starting, sessions } = capacity;
            assert!([arrivals, waiting, starting, sessions].iter().all(|n| (1..=connections).contains(n)));
            assert!(descriptors < 72 || connections + RESERVED <= descriptors, "{capacity:?}");
        }
    }
}
