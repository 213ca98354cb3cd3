//! The live steps of `adit doctor HOST`: the name, the way to the server, TCP 1723, the call, GRE each way, LCP, and with
//! an account the login and what lies behind the tunnel. [`run`] fills [`Facts`]; `adit_doctor::judge` judges them.
//!
//! Nothing on the host is changed: the inside of the tunnel is a host in user space. What is opened is closed in order,
//! also when the person at the keyboard ends the test. There is one login attempt at the most. A step that this process
//! has no right to is left out and told, never replaced by a weaker one.

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
