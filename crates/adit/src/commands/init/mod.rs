//! `adit init`

mod draft;
mod firewall;
mod look;

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use adit_config::{Checked, Level, Source};
use adit_sys::journal::{Journal, Lasts};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::service;
use crate::document::Document;
use crate::facts;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::prompt;
use draft::Draft;
use firewall::Firewall;
use look::Host;

/// The sysctl file that enables forwarding at boot.
const DROP_IN: &str = "/etc/sysctl.d/90-adit.conf";

/// Write a first configuration for this host
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prompts for each value with a proposal; --yes accepts the proposals. Changes only the file and, if you agree,
IP forwarding (to undo: adit undo --all, which lists the file and keeps it) and the units of systemd, which start
the server now and at boot (to undo: adit service remove).
Examples:
  sudo adit init
  sudo adit init --yes --name vpn.example.org --lan 192.168.10.0/24
  adit init --print                        print the file, change nothing")]
pub(crate) struct Args {
    /// Set the name or address that clients will use
    #[arg(long, value_name = "HOST")]
    name: Option<String>,
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Ipv4Addr>,
    /// Assign client addresses from this network
    #[arg(long, value_name = "NET")]
    pool: Option<Ipv4Net>,
    /// Allow clients to reach these networks
    #[arg(long, value_name = "NET", value_delimiter = ',')]
    lan: Vec<Ipv4Net>,
    /// Assign these DNS servers to clients, two at most
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    dns: Vec<Ipv4Addr>,
    /// Enable IP forwarding on this host
    #[arg(long, value_name = "ask|yes|no", value_enum, default_value_t, hide_possible_values = true)]
    forward: Confirmation,
    /// Start the server now and at boot, with systemd
    #[arg(long, value_name = "ask|yes|no", value_enum, default_value_t, hide_possible_values = true)]
    service: Confirmation,
    /// Print the file, change nothing
    #[arg(long)]
    print: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Confirmation {
    #[default]
    Ask,
    Yes,
    No,
}

/// What `adit init --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Init {
    /// The detected state of this host.
    host: Host,
    /// The effect of the firewall on calls.
    firewall: Firewall,
    /// Path of the configuration file.
    file: String,
    /// Its text.
    text: String,
    /// Whether it was written.
    wrote: bool,
    /// Whether this invocation enabled forwarding.
    forwarding_set: bool,
    /// Whether this invocation installed adit.service.
    service_installed: bool,
    /// Commands that the user still has to run, because adit does not change the firewall.
    to_do: Vec<String>,
}

impl Document for Init {
    const NAME: &'static str = "adit.init/1";
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let path = &places.config;
    if adit_config::is_there(path) && !args.print {
        return Err(Failure::new(Exit::Conflict, format!("{} is there already", path.display()))
            .fix("edit it, then: adit check; or look only: adit init --print"));
    }
    let host = Host::look()?;
    let firewall = Firewall::look();
    let silent = args.print || output.yes || output.dry_run;
    if output.is_text() && !args.print {
        output.text(&host.text(&firewall))?;
    }
    let draft = draft(args, &host, silent)?;
    let text = draft.text();
    check(&text, path)?;
    if args.print {
        output.text(&text)?;
        return Ok(Exit::Done);
    }
    let forward = !host.forwarding && wants_forwarding(args, output, silent)?;
    let service = wants_service(args, output, places, silent)?;
    let to_do = firewall.commands(&host.wan_interface());
    if !output.dry_run {
        write(path, &text)?;
        if forward {
            forwarding(places)?;
        }
    }
    if output.is_text() {
        print(&draft, path, forward, &host, &to_do, output)?;
    }
    // After the file: the server reads it when it starts.
    let installed = service.then(|| service::install_server(output, places)).transpose()?;
    if output.is_text() {
        installed.as_ref().map_or(Ok(()), |changed| changed.text(output))?;
        output.line("")?;
        output.line(match (output.dry_run, service) {
            (true, _) => "Nothing was changed.",
            (false, true) => "Next     adit user add NAME",
            (false, false) => "Next     adit user add NAME, then adit serve",
        })?;
    } else {
        let file = path.display().to_string();
        let wrote = !output.dry_run;
        let forwarding_set = forward && wrote;
        let service_installed = service && wrote;
        let init = Init { host, firewall, file, text, wrote, forwarding_set, service_installed, to_do };
        output.document(&init)?;
    }
    Ok(Exit::Done)
}

/// Determines the values: from flags, from prompts, or the proposals.
fn draft(args: &Args, host: &Host, silent: bool) -> Result<Draft, Failure> {
    let mut draft = Draft {
        name: args.name.clone().unwrap_or_else(|| host.name()),
        listen: args.listen.or_else(|| host.wan_address()),
        pool: args.pool.or_else(facts::free_pool).ok_or_else(|| {
            Failure::new(Exit::Problem, "every private network is in use on this host").fix("--pool NET")
        })?,
        lan: if args.lan.is_empty() { host.lan() } else { args.lan.clone() },
        dns: args.dns.clone(),
    };
    if !silent {
        let instead = "--yes takes the proposals; or give --name, --pool, --lan";
        if args.name.is_none() {
            draft.name = ask("Name clients will use", draft.name, instead)?;
        }
        if args.pool.is_none() {
            draft.pool = ask("Addresses for clients", draft.pool, instead)?;
        }
        if args.lan.is_empty() {
            let usual = if draft.lan.is_empty() { "none".to_owned() } else { look::words(&draft.lan) };
            draft.lan = loop {
                let answer = ask("Clients may reach", usual.clone(), instead)?;
                if answer == "none" {
                    break Vec::new();
                }
                match answer.split([' ', ',']).filter(|net| !net.is_empty()).map(str::parse).collect() {
                    Ok(nets) => break nets,
                    Err(_) => eprintln!("         networks such as 192.168.10.0/24, or none"),
                }
            };
        }
    }
    draft.lan = draft.lan.iter().map(Ipv4Net::trunc).collect();
    if args.dns.is_empty() {
        draft.dns = host.dns(&draft.lan);
    }
    Ok(draft)
}

/// Asks until the answer is valid; an empty answer is the default.
fn ask<T: core::str::FromStr + core::fmt::Display>(
    question: &str,
    usual: T,
    instead: &str,
) -> Result<T, Failure> {
    loop {
        let answer = prompt::line(question, &format!("{question:<24}  [{usual}]  "), instead)?;
        if answer.is_empty() {
            return Ok(usual);
        }
        match answer.parse() {
            Ok(answer) => return Ok(answer),
            Err(_) => eprintln!("         write it like {usual}"),
        }
    }
}

fn wants_forwarding(args: &Args, output: &Output, silent: bool) -> Result<bool, Failure> {
    match args.forward {
        Confirmation::Yes => Ok(true),
        Confirmation::No => Ok(false),
        Confirmation::Ask if silent => Ok(true),
        Confirmation::Ask => prompt::agree(
            output,
            "Enable IP forwarding on this host?",
            true,
            "--forward yes, or --forward no",
        ),
    }
}

fn wants_service(args: &Args, output: &Output, places: &Places, silent: bool) -> Result<bool, Failure> {
    if !service::can_install_server(output, places) {
        return match args.service {
            Confirmation::Yes => Err(Failure::usage(
                "adit.service cannot be installed: it needs systemd, root, and the default directories",
            )
            .fix("leave --service away, and start adit serve yourself")),
            _ => Ok(false),
        };
    }
    match args.service {
        Confirmation::Yes => Ok(true),
        Confirmation::No => Ok(false),
        Confirmation::Ask if silent => Ok(true),
        Confirmation::Ask => {
            prompt::agree(output, "Start the server now and at boot?", true, "--service yes, or --service no")
        }
    }
}

/// Checks the text like `adit check` before it is written.
fn check(text: &str, path: &Path) -> Result<(), Failure> {
    let mut checked = Checked::parse(vec![Source::new(path.display().to_string(), text)]);
    if let Some(facts) = facts::of_this_host() {
        checked.check_host(&facts);
    }
    if checked.config().is_some() {
        return Ok(());
    }
    let first = checked.findings().iter().find(|finding| finding.level == Level::Error);
    let failure = Failure::new(Exit::Problem, "nothing was written: this cannot work on this host");
    Err(match first {
        Some(finding) => Failure { message: finding.message.clone(), ..failure.code(finding.code) }
            .fix(finding.fix.as_ref().map_or("give another answer, or a flag", |fix| fix.text.as_str())),
        None => failure,
    })
}

/// Writes the file atomically; never replaces an existing one.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = path.with_extension(format!("toml.{}", std::process::id()));
    let written = (|| {
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::hard_link(&draft, path)?;
        std::fs::File::open(directory)?.sync_all()
    })();
    let _ = std::fs::remove_file(&draft);
    written.map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Conflict, format!("{} is there already", path.display())).fix("adit check")
        }
        _ => Failure::io("writing", path, &error),
    })
}

/// Enables forwarding, now and at boot, so that `adit undo --all` can undo it.
fn forwarding(places: &Places) -> Result<(), Failure> {
    let mut journal = Journal::open(&places.journal(), "init", Lasts::UntilUndo)?;
    let done = journal.set_sysctl("net.ipv4.ip_forward", "1").and_then(|_| {
        journal.replace_file(Path::new(DROP_IN), "# Written by adit init.\nnet.ipv4.ip_forward = 1\n")
    });
    done.map_err(|error| {
        journal.undo();
        Failure::from(error).fix("switch it on yourself: sysctl -w net.ipv4.ip_forward=1")
    })
}

fn print(
    draft: &Draft,
    path: &Path,
    forward: bool,
    host: &Host,
    to_do: &[String],
    output: &Output,
) -> Result<(), Failure> {
    let (text, would) = (draft.text(), output.dry_run);
    let (wrote, set) = if would { ("would write", "would set") } else { ("wrote   ", "set     ") };
    output.line(&format!("{wrote} {}   {} lines", path.display(), text.lines().count()))?;
    if would {
        output.text(&text.lines().map(|line| format!("         {line}\n")).collect::<String>())?;
    }
    if draft.lan.is_empty() {
        output.line("left     no network for clients to reach: set routes in [access]")?;
    }
    if forward {
        output.line(&format!("{set} net.ipv4.ip_forward = 1, and {DROP_IN}"))?;
    } else if !host.forwarding {
        output.line("left     net.ipv4.ip_forward = 0: clients reach this host, nothing behind it")?;
    }
    if !to_do.is_empty() {
        output.line("to do    let calls through the firewall:")?;
        output.text(&to_do.iter().map(|command| format!("           {command}\n")).collect::<String>())?;
        output.line("         and the same two rules into the file it is loaded from")?;
    }
    output.line("note     recorded PPTP traffic can be decrypted. Keep access narrow and plan the migration.")
}
