//! Address pools, access rules, access lists, account state and user names.
//!
//! Pure decisions: time is an argument, randomness is given, every table has a named bound.

#![forbid(unsafe_code)]

pub mod access;
pub mod account;
pub mod admission;
pub mod hosts;
pub mod lockout;
pub mod name;
pub mod pool;
pub mod reach;

pub use access::{Access, Admission, Encryption, Mfa, OnSecond, Tunnel};
pub use account::{Account, AccountRules, decide};
pub use hosts::without_hosts;
pub use lockout::Lockout;
pub use name::{DomainRule, LoginName};
pub use pool::{AddressRefusal, AddressRequest, Chosen, PoolConfig, PoolError};
