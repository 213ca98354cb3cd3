//! The two machines a shell drives: a control connection, its calls, their PPP links, and what policy says of them;
//! and [`path`], the data path of one call.
#![forbid(unsafe_code)]

pub mod path;
