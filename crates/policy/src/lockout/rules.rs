//! The rules of the lockout.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;

/// Milliseconds in an hour.
pub(super) const HOUR: u64 = 3_600_000;
/// The longest lock of an account, and the longest ban unless `ban` is longer: 24 hours.
pub(super) const LONGEST: u64 = 24 * HOUR;
/// A /24 network is banned after this many times the tries of one address.
const NETWORK_FACTOR: u32 = 4;
/// An account accepts this many times its tries an hour from addresses that are not its own, without pause.
const FOREIGN_HOURLY: u32 = 2;
/// The same for its own addresses together.
const OWN_HOURLY: u32 = 4;

/// When accounts are locked, and addresses banned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failed logins that lock an account; 0 for never.
    pub tries: u32,
    /// A failed login is forgotten when none followed for so long.
    pub window: Duration,
    /// The first lock of an account; each further one lasts twice as long, up to 24 hours.
    pub lock: Duration,
    /// The rules for addresses.
    pub address: AddressRules,
}

/// When an address is banned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRules {
    /// Failed logins from an address within `window` that ban it; 0 for never.
    pub tries: u32,
    /// The first ban; each further one lasts twice as long, up to 24 hours.
    pub ban: Duration,
    /// Networks that are never banned.
    pub ignore: Vec<Ipv4Net>,
}

/// When failed logins lock an account, or ban an address or network. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// The failures that do; 0 for never.
    pub(super) tries: u32,
    /// When a failure is forgotten.
    pub(super) window: u64,
    /// The first lock or ban.
    pub(super) penalty: u64,
}

/// A duration in milliseconds.
pub(super) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Rules {
    /// The most failed logins of one account that are checked in any hour, over all addresses; `None` without a limit.
    pub fn guesses_per_hour(&self) -> Option<u64> {
        // A bucket of this size that fills again within an hour passes twice its size in the worst hour.
        let sizes = u64::from(self.foreign_hourly()) + u64::from(self.own_hourly());
        (self.tries > 0).then_some(2 * sizes)
    }

    pub(super) fn account(&self) -> Limit {
        Limit { tries: self.tries, window: ms(self.window), penalty: ms(self.lock) }
    }

    /// The size of the hourly bucket for addresses that are not the account's own.
    pub(super) fn foreign_hourly(&self) -> u32 {
        self.tries.saturating_mul(FOREIGN_HOURLY)
    }

    /// The size of the hourly bucket for the account's own addresses together.
    pub(super) fn own_hourly(&self) -> u32 {
        self.tries.saturating_mul(OWN_HOURLY)
    }

    pub(super) fn address(&self) -> Limit {
        Limit { tries: self.address.tries, window: ms(self.window), penalty: ms(self.address.ban) }
    }

    pub(super) fn network(&self) -> Limit {
        let address = self.address();
        Limit { tries: address.tries.saturating_mul(NETWORK_FACTOR), ..address }
    }

    /// Whether an address is never banned.
    pub fn ignores(&self, from: Ipv4Addr) -> bool {
        self.address.ignore.iter().any(|network| network.contains(&from))
    }
}
