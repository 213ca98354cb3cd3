//! The files that `adit service` installs.

use std::path::Path;

/// The first line of every file that belongs to `adit service`.
pub(super) const MARK: &str = "# Installed by adit service install.";

const SERVER: &str = include_str!("../../../../../packaging/systemd/adit.service");
const CLIENT: &str = include_str!("../../../../../packaging/systemd/adit-client@.service");
const AF_XDP: &str = include_str!("../../../../../packaging/systemd/adit.service.d/af-xdp.conf.example");
const USERS: &str = include_str!("../../../../../packaging/sysusers.d/adit.conf");
const POLKIT: &str = include_str!("../../../../../packaging/polkit-1/50-adit-client.rules");

pub(super) const SERVER_UNIT: &str = "adit.service";
pub(super) const UNITS: &str = "/etc/systemd/system";
pub(crate) const SERVER_PATH: &str = "/etc/systemd/system/adit.service";
pub(crate) const CLIENT_PATH: &str = "/etc/systemd/system/adit-client@.service";
pub(super) const AF_XDP_PATH: &str = "/etc/systemd/system/adit.service.d/af-xdp.conf";
pub(super) const USERS_PATH: &str = "/etc/sysusers.d/adit.conf";
/// The directory of polkit's rules; without it there is no polkit.
pub(super) const POLKIT_FOLDER: &str = "/etc/polkit-1/rules.d";
pub(super) const POLKIT_PATH: &str = "/etc/polkit-1/rules.d/50-adit-client.rules";
/// The description of each client, and its password.
pub(super) const CLIENTS: &str = "/etc/adit/clients";

/// The unit of the server, for a program at this path.
pub(super) fn server(program: &Path) -> String {
    SERVER.replace("@ADIT@", &program.display().to_string())
}

/// The template of the clients' units.
pub(super) fn client(program: &Path) -> String {
    CLIENT.replace("@ADIT@", &program.display().to_string())
}

/// The drop-in that allows AF_XDP.
pub(super) fn af_xdp() -> String {
    format!("{MARK}\n{AF_XDP}")
}

/// The users of the units (sysusers.d(5)).
pub(super) fn users() -> String {
    USERS.to_owned()
}

/// The rule that lets clients set name servers with systemd-resolved.
pub(super) fn polkit() -> String {
    POLKIT.to_owned()
}

/// The name of a client's unit.
pub(super) fn client_unit(name: &str) -> String {
    format!("adit-client@{name}.service")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_shows_that_it_is_ours_and_names_the_program() {
        let program = Path::new("/usr/local/bin/adit");
        for text in [server(program), client(program), af_xdp(), users()] {
            assert!(text.starts_with(MARK), "{text}");
            assert!(!text.contains("@ADIT@"), "{text}");
        }
        assert!(polkit().contains(MARK.trim_start_matches("# ")));
        assert!(server(program).contains("ExecReload=/usr/local/bin/adit reload\n"));
    }
}
