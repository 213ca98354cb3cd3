//! A program as the first process of a PID namespace: its end, whatever the reason, is the end of all that it has started.

use std::process::Command;

/// What is wrong if [`command`] cannot be started.
pub const EXPECTED: &str = "setpriv and unshare: expected the programs of util-linux; install it";

/// A command to which the program and its arguments are to be added. The end of this process, by Ctrl-C for instance, is the
/// end of the program. So is the end of the thread that starts it, which therefore has to wait for the program.
pub fn command() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command
}
