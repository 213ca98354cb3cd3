//! The main help page: commands in groups, in order of use.

/// Every command is in exactly one group.
const GROUPS: &[(&str, &[&str])] = &[
    ("Set up", &["init", "service", "check", "undo"]),
    ("Run", &["serve", "reload", "stop", "status", "sessions", "session", "kick", "log"]),
    ("Users", &["user", "ban", "pool"]),
    ("Client", &["connect", "disconnect"]),
    ("Diagnostics", &["doctor", "explain", "version"]),
    ("Shell integration", &["completion", "man", "schema"]),
];

const EXAMPLES: &str = "\
Examples:
  sudo adit init              write a first configuration for this host
  sudo adit user add alice    add a user
  adit explain 619            the meaning of a Windows error";

/// Replaces clap's own list of commands with the groups.
pub(crate) fn grouped(command: clap::Command) -> clap::Command {
    let mut list = String::new();
    for (title, names) in GROUPS {
        list.push_str(&format!("{title}:\n"));
        for name in *names {
            let about = command.find_subcommand(name).and_then(|found| found.get_about());
            let about = about.map(ToString::to_string).unwrap_or_default();
            list.push_str(&format!("  {name:<12} {about}\n"));
        }
        list.push('\n');
    }
    let template = format!(
        "{{about}}\n\nUsage: adit [FLAGS] COMMAND\n\n{list}Global options:\n{{options}}\n\n{EXAMPLES}\n"
    );
    command.help_template(template)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_stands_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let tree = crate::cli::Cli::command();
        let mut all: Vec<&str> = tree.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }
}
