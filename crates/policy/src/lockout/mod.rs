//! Lockout: bounds the passwords that can be guessed at the server, without locking out the owners of the accounts.
//!
//! A login is asked for with [`Lockout::begin`] before any account source sees it, and its result is reported with
//! [`Lockout::end`]. Between the two it counts as a failure, so that logins that run at the same time cannot exceed a limit.
//!
//! # Accounts
//!
//! `tries` failed logins lock an account, each time for twice as long. A lock holds for addresses that are not the account's
//! own: own are the /24 networks of the last [`MAX_HOMES`] logins, for [`OWN_FOR`]. Each of these counts its own failures, so
//! an attacker elsewhere cannot lock out the user, and a device with an old password locks only its own network. Two buckets,
//! for own and for other addresses, bound the failures of an hour whatever the locks do: see [`Rules::guesses_per_hour`].
//!
//! A name that does not exist is treated in the same way as one that does, so nothing shows which names exist.
//!
//! # Addresses
//!
//! `address.tries` failed logins ban an address, four times as many from a /24 network ban the network. An address from
//! which any user logged in recently can still connect, because other users may be behind it; a login from there is refused
//! if the network is not the account's own.
//!
//! # Memory
//!
//! Every table has a named bound. The entry that is the first to be of no more use gives way. Invented names have a table of
//! their own, so they displace no account.
//!
//! Times are milliseconds since 1970 on a clock that never goes back.

mod account;
mod bans;
mod change;
mod machine;
mod persist;
mod rules;
mod strikes;
mod table;
#[cfg(test)]
mod tests;

pub use account::{Account, Home, MAX_HOMES, OWN_FOR};
pub use bans::{Ban, MAX_BANS, SHORTEST_PREFIX};
pub use change::Change;
pub use machine::{
    Consequences, Lockout, MAX_ACCOUNTS, MAX_ADDRESSES, MAX_IN_FLIGHT, MAX_INVENTED, MAX_KNOWN, MAX_NETWORKS,
    Numbers, Refusal, Ticket, Verdict,
};
pub use rules::{AddressRules, Rules};
pub use strikes::{Bucket, Penalty, Sender, Strikes};
