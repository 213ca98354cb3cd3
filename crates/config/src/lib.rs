//! adit.toml: TOML with source spans, defaults and their origin, and checks that suggest fixes.
//!
//! [`Checked::read`] reads and checks a file and the `conf.d` beside it, and holds the typed [`Config`] if there is no
//! error. [`Checked::check_host`] compares it with a host. Defaults, messages, the JSON Schema ([`schema`]) and the
//! manual are all generated from the table of keys ([`keys`]), so they cannot disagree.

#![forbid(unsafe_code)]

mod check;
mod checked;
mod files;
mod finding;
mod keys;
mod model;
mod read;
mod render;
mod report;
mod resolve;
mod schema;
mod source;
mod syntax;
mod tree;
mod walk;
mod words;

pub use check::{HostFacts, HostNet};
pub use checked::{Checked, Setting, is_there};
pub use files::{MAX_FILE, MAX_FILES, read_files};
pub use finding::{Finding, Fix, Level, Replace, apply};
pub use keys::{Key, keys};
pub use model::{
    Auth, AuthSource, Cipher, Config, Echo, Io, Limits, Link, Listen, Log, LogFormat, LogLevel, LogTarget,
    Mss, PasswordPolicy, Radius, ReachTest, Reorder, Retention, SameNat, SecretSource, Server, Store,
    StoreUrl, TestAs,
};
pub use read::{parse_duration, show_duration};
pub use render::{render, summary};
pub use schema::schema;
pub use source::{Place, Source};
