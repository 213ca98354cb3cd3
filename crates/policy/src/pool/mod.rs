//! Addresses for clients: pools by name, fixed addresses, and which address a client gets.

mod choose;
mod config;
mod refusal;

pub use choose::{AddressRequest, Chosen, LeaseTable, choose};
pub use config::{MAX_RANGE, PoolConfig, PoolError, default_range, default_server};
pub use refusal::AddressRefusal;

#[cfg(test)]
mod tests;
