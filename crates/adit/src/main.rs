//! A PPTP server, a PPTP client, and the tools to plan, watch, repair and retire them.

fn main() {}
