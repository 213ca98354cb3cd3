//! The live steps of `adit doctor HOST`: name, route to the server, TCP 1723, call, GRE in each direction, LCP and,
//! with an account, the login and what lies behind the tunnel. [`run`] fills [`Facts`]; `adit_doctor::judge` judges
//! them.
//!
//! Nothing on the host is changed: a host in user space uses the tunnel. Connections are closed in order, also when the
//! user stops the test. There is at most one login attempt. A step that this process lacks the privilege for is skipped
//! and reported, never replaced by a weaker one.

#![forbid(unsafe_code)]

mod bounds;
mod call;
mod dial;
mod inside;
mod local;
mod name;
mod options;
mod path;
mod progress;
mod record;
mod redact;
mod sizes;
mod steps;
mod stop;
mod walk;
mod wire;

pub use adit_doctor::Facts;
pub use options::{Account, Options, Reach};
pub use progress::{Progress, Stage};
pub use redact::redact;
pub use steps::{Report, run};
pub use stop::Stop;
