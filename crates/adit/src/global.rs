//! Flags that every command has.

use std::path::PathBuf;
use std::time::Duration;

use crate::style::Color;
use crate::when;

/// Flags that every command has.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Read this configuration [default: /etc/adit/adit.toml]
    #[arg(short, long, global = true, value_name = "FILE", env = "ADIT_CONFIG", hide_env = true)]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true, conflicts_with = "jsonl")]
    pub(crate) json: bool,
    /// Print one JSON document per line
    #[arg(long, global = true)]
    pub(crate) jsonl: bool,
    /// Suppress remarks; print only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print more: which files and directories are used
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Use colour; auto: on terminals, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) color: Color,
    /// Show times in UTC instead of local time
    #[arg(long, global = true)]
    pub(crate) utc: bool,
    /// Give up after this long, such as 5s
    #[arg(long, global = true, value_name = "SPAN", value_parser = when::span)]
    pub(crate) timeout: Option<Duration>,
    /// Continue without prompting
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Show what would be done, change nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Set the state directory [default: /var/lib/adit]
    #[arg(long, global = true, value_name = "DIR", env = "ADIT_STATE_DIR", hide_env = true)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Set the runtime directory [default: /run/adit]
    #[arg(long, global = true, value_name = "DIR", env = "ADIT_RUN_DIR", hide_env = true)]
    pub(crate) run_dir: Option<PathBuf>,
}

impl Global {
    /// The flags for printing an error of a command line that could not be parsed.
    pub(crate) fn bare() -> Global {
        let given = |flag: &str| std::env::args_os().any(|argument| argument == flag);
        Global {
            config: None,
            json: given("--json"),
            jsonl: given("--jsonl"),
            quiet: false,
            verbose: 0,
            color: Color::Auto,
            utc: true,
            timeout: None,
            yes: false,
            dry_run: false,
            state_dir: None,
            run_dir: None,
        }
    }
}
