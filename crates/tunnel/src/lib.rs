//! The two machines that a program drives, [`server::ServerTunnel`] and [`client::ClientTunnel`]: a control
//! connection, its calls, their PPP links and their policy; and [`path`], the data path of one call.
#![forbid(unsafe_code)]

pub mod blame;
mod call;
pub mod client;
pub mod events;
pub mod path;
pub mod record;
pub mod server;
mod tunnel;

pub use client::{ClientConfig, ClientTunnel};
pub use server::{ServerConfig, ServerTunnel};
pub use tunnel::Transmit;
