//! Facts about this host for `init`, `serve` and `doctor`, and the few settings that they change.

mod capability;
mod clock;
mod confine;
mod facts;
mod limits;
mod nft;
mod pool;
mod port;
mod process;
mod sysctl;

pub use capability::{Capability, capabilities, has_capability};
pub use clock::clock_is_synchronised;
pub use confine::{forbid_inspection, keep_capabilities, raise_locked_memory_limit, with_capability};
pub use facts::{DefaultRoute, InUse, Purpose, Resolver, default_route, in_use, nameservers};
pub use limits::{raise_descriptor_limit, random_seed};
pub use nft::{NftRules, apply_nft, delete_nft_table};
pub use pool::{overlaps, suggest_pool};
pub use port::{Holder, port_holder};
pub use process::{effective_user, terminate};
pub(crate) use sysctl::write_sysctl;
pub use sysctl::{RpFilter, ip_forward, read_sysctl, rp_filters};
