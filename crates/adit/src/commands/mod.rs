//! One file per command.

mod background;
pub(crate) mod ban;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod kick;
mod link_flags;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod pool;
pub(crate) mod reload;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod undo;
pub(crate) mod user;
pub(crate) mod verdict;
pub(crate) mod version;
