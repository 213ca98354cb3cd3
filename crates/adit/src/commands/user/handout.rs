//! `adit user handout`

mod clients;
mod quote;

use adit_config::{Config, Listen};
use adit_policy::{Access, Encryption, Tunnel};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::settings::Settings;

/// Print a page for a user: how to connect, without the password
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The page has the settings of this server and of the user's group. Replace PASSWORD, or enter it when asked.
Examples:
  adit user handout alice
  adit user handout branch7 --for routeros")]
pub(crate) struct Args {
    /// Select the user
    name: String,
    /// Print only the steps for this client [default: all]
    #[arg(long = "for", value_name = "CLIENT")]
    client: Option<Client>,
}

/// A client that a page has steps for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Client {
    /// The settings alone, for any client
    Text,
    /// Windows PowerShell
    Windows,
    /// RouterOS
    #[value(name = "routeros")]
    #[serde(rename = "routeros")]
    RouterOs,
    /// NetworkManager
    #[value(name = "networkmanager")]
    #[serde(rename = "networkmanager")]
    NetworkManager,
    /// pppd with pptp-linux
    Pppd,
    /// Android
    Android,
}

const CLIENTS: [Client; 6] =
    [Client::Text, Client::Windows, Client::RouterOs, Client::NetworkManager, Client::Pppd, Client::Android];

/// A fact about security, with its source.
#[derive(Clone, Copy, Serialize, JsonSchema)]
struct Fact {
    /// The fact.
    text: &'static str,
    /// Who published it.
    source: &'static str,
    /// When.
    date: &'static str,
}

/// What a user of PPTP should know.
const FACTS: [Fact; 2] = [
    Fact {
        text: "Recorded PPTP traffic can be decrypted: MS-CHAPv2 without another encrypted layer can be broken. Use the \
               tunnel only for what needs it.",
        source: "Microsoft Security Advisory 2743314",
        date: "2012-08-20",
    },
    Fact {
        text: "Windows 11 24H2 and Server 2025 block single sign-on with MS-CHAPv2 on joined machines: type or store the \
               password, and do not use the Windows logon.",
        source: "Microsoft KB5066470",
        date: "2025-08-29",
    },
];

/// What `adit user handout --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Handout {
    /// The user name.
    user: String,
    /// The name or address of the server.
    server: String,
    /// The steps for each client.
    sections: Vec<Section>,
    /// Facts about security, with their source.
    warnings: Vec<Fact>,
}

impl Document for Handout {
    const NAME: &'static str = "adit.user-handout/1";
}

/// The steps for one client.
#[derive(Serialize, JsonSchema)]
struct Section {
    /// The client.
    client: Client,
    /// The heading.
    title: &'static str,
    /// The steps.
    text: String,
}

/// The settings that a client needs.
struct Terms<'a> {
    user: &'a str,
    server: &'a str,
    /// The networks behind the server; `None` if all traffic uses the tunnel.
    routes: Option<&'a [Ipv4Net]>,
    has_encryption: bool,
    mtu: u16,
}

pub(crate) fn run(
    args: &Args,
    output: &Output,
    settings: &Settings,
    service: &Service<'_>,
) -> Result<Exit, Failure> {
    let account = service.account(&args.name)?.listed.account;
    let Some(config) = settings.config() else {
        return Err(
            Failure::new(Exit::Problem, "a hand-out needs the configuration of the server").fix("adit init")
        );
    };
    let server = server(config)?;
    let access: &Access = config.access_for(account.group.as_deref());
    let terms = Terms {
        user: &account.name,
        server: &server,
        routes: (access.tunnel == Tunnel::Split).then_some(access.routes.as_slice()),
        has_encryption: access.encryption != Encryption::Off,
        mtu: config.link.mtu,
    };
    let clients = CLIENTS.into_iter().filter(|client| args.client.is_none_or(|only| only == *client));
    let sections = clients.map(|client| section(client, &terms)).collect();
    let handout =
        Handout { user: account.name.clone(), server: server.clone(), sections, warnings: FACTS.to_vec() };
    if output.is_text() {
        output.text(&text(&handout))?;
    } else {
        output.document(&handout)?;
    }
    Ok(Exit::Done)
}

/// What clients connect to: the configured name, or the only listening address.
fn server(config: &Config) -> Result<String, Failure> {
    if let Some(name) = &config.server.name {
        return Ok(name.clone());
    }
    match config.server.listen.as_slice() {
        [Listen::Address { address, .. }] if !address.is_unspecified() => Ok(address.to_string()),
        _ => Err(Failure::new(Exit::Problem, "the name that clients connect to is not configured")
            .fix("[server] name = \"vpn.example.org\"")),
    }
}

fn section(client: Client, terms: &Terms<'_>) -> Section {
    let (title, text) = match client {
        Client::Text => ("Settings", clients::text(terms)),
        Client::Windows => ("Windows, in PowerShell as the user who connects", clients::windows(terms)),
        Client::RouterOs => ("RouterOS", clients::routeros(terms)),
        Client::NetworkManager => {
            ("Linux with NetworkManager (network-manager-pptp)", clients::networkmanager(terms))
        }
        Client::Pppd => ("Linux with pppd and pptp-linux", clients::pppd(terms)),
        Client::Android => ("Android", clients::android(terms)),
    };
    Section { client, title, text }
}

fn text(handout: &Handout) -> String {
    let mut text = format!("VPN of {}, for {}\n", handout.server, handout.user);
    for Section { title, text: steps, .. } in &handout.sections {
        text.push_str(&format!("\n{title}\n\n{steps}"));
    }
    text.push_str("\nSecurity\n\n");
    for Fact { text: fact, source, date } in &handout.warnings {
        text.push_str(&format!("{fact}\n  ({source}, {date})\n"));
    }
    text
}
