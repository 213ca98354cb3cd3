//! `adit completion`

use clap_complete::Shell;

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Install:
  bash   adit completion bash > /etc/bash_completion.d/adit
  zsh    adit completion zsh > /usr/share/zsh/site-functions/_adit
  fish   adit completion fish > /etc/fish/completions/adit.fish")]
pub(crate) struct Args {
    /// Select the shell: bash, zsh, fish, powershell or elvish
    #[arg(value_enum, hide_possible_values = true)]
    shell: Shell,
}

/// Prints the completion script for the command tree.
pub(crate) fn run(args: &Args, tree: &mut clap::Command, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, tree, "adit", &mut script);
    output.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
