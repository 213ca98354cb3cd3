//! The description of a client that starts at boot: the file that its unit reads.

use adit_crypto::secret::Password;

use super::host::System;
use super::units::{self, CLIENTS};
use super::{Changed, client_name};
use crate::failure::Failure;
use crate::prompt::PasswordSource;

/// A client that starts at boot.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ClientArgs {
    /// Install the client of this name, as adit-client@NAME, instead of the server
    #[arg(long, value_name = "NAME", value_parser = client_name, requires = "host", requires = "user")]
    client: Option<String>,
    /// Connect the client to this server
    #[arg(long, value_name = "HOST", requires = "client")]
    host: Option<String>,
    /// Log in as NAME or DOMAIN\NAME
    #[arg(short, long, value_name = "USER", requires = "client")]
    user: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
    /// Pass these options to adit connect
    #[arg(last = true, value_name = "OPTIONS", requires = "client")]
    options: Vec<String>,
}

/// The client to install.
pub(super) struct Client {
    pub(super) name: String,
    text: String,
    password: Password,
}

impl ClientArgs {
    /// The client, if one was given; asks for its password.
    pub(super) fn read(&self) -> Result<Option<Client>, Failure> {
        let (Some(name), Some(host), Some(user)) = (&self.client, &self.host, &self.user) else {
            return Ok(None);
        };
        let mut text = format!("{}\n", units::MARK);
        for (key, value) in [("SERVER", host.as_str()), ("ADIT_USER", user)] {
            text.push_str(&format!("{key}={}\n", quote(value)?));
        }
        for option in &self.options {
            // The unit splits them at spaces.
            if option.contains(char::is_whitespace) {
                return Err(Failure::usage(format!("{option:?}: an option of a unit has no spaces"))
                    .fix("write --option=value, or a list with commas"));
            }
        }
        text.push_str(&format!("OPTIONS={}\n", quote(&self.options.join(" "))?));
        let password = self.password.read_once("Password: ")?;
        Ok(Some(Client { name: name.clone(), text, password }))
    }
}

impl Client {
    pub(super) fn write(&self, system: &System, changed: &mut Changed) -> Result<(), Failure> {
        let secret = zeroize::Zeroizing::new(format!("{}\n", self.password.expose()));
        // The password first: its directory is then closed for other users.
        system.replace(&password_path(&self.name), &secret, 0o600, changed)?;
        system.write(&path(&self.name), &self.text, 0o644, changed)
    }
}

pub(super) fn path(name: &str) -> String {
    format!("{CLIENTS}/{name}.conf")
}

pub(super) fn password_path(name: &str) -> String {
    format!("{CLIENTS}/{name}.password")
}

/// A value of an environment file (systemd.exec(5), EnvironmentFile=), in single quotes: nothing in it is special.
fn quote(value: &str) -> Result<String, Failure> {
    if value.chars().any(|c| c == '\'' || c.is_control()) {
        return Err(Failure::usage(format!("{value:?} contains a quote or a control character"))
            .fix("write it without"));
    }
    Ok(format!("'{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_another_line() {
        assert_eq!(quote("CORP\\bob").ok().unwrap(), "'CORP\\bob'");
        assert_eq!(quote("a b$c\"").ok().unwrap(), "'a b$c\"'");
        for value in ["a'b", "a\nOPTIONS=--all", "\u{7}"] {
            assert!(quote(value).is_err(), "{value:?}");
        }
    }
}
