//! `adit serve`

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use adit_admin::{ConfigFile, Context, FileState, PageLimit, StoreRecorder, StoredLockout};
use adit_api::status::{Status, Warning};
use adit_auth::Sources;
use adit_config::{Checked, Config, Listen, Source, StoreUrl};
use adit_policy::Encryption;
use adit_server::{Options, ServerError};
use adit_store::StoreConfig;
use adit_sys::host::Capability;

use crate::commands::user;
use crate::facts;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// The locked memory that AF_XDP needs at most, in octets.
const XDP_MEMORY: u64 = 64 << 20;

/// Run the server
///
/// Without a configuration file, built-in defaults apply: SQLite in the state directory, MS-CHAPv2 and 128-bit MPPE, an
/// address pool that overlaps no network of this host. SIGTERM ends all sessions in order, a second one at once; SIGHUP
/// reloads the configuration and keeps the sessions (adit reload).
///
/// The server keeps running when its terminal is closed: adit stop ends it. (sudo ends the program that it runs.) To start
/// it at boot: adit service install.
///
/// Needs CAP_NET_ADMIN and CAP_NET_RAW, and gives up all other capabilities, also as root.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Add this user first if no account of that name exists, and print the password once
    #[arg(long, value_name = "NAME")]
    first_user: Option<String>,
    /// Set the name of the tunnel interface; %d becomes a number
    #[arg(long, value_name = "NAME", default_value = "adit%d")]
    interface: String,
    /// Stay in the foreground, which is the default
    #[arg(long, hide = true)]
    foreground: bool,
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    output.refuse_dry_run("serve", "adit check")?;
    let config = read(places, output)?;
    if !places.daemon_runs() {
        adit_server::check_addresses(&config).map_err(failure)?;
    }
    owns_state(places, &config)?;
    confine(&config)?;
    let store = match config.store.url {
        StoreUrl::Memory => adit_store::open(&StoreConfig::memory())?,
        StoreUrl::Sqlite(_) => crate::settings::open_store(places, Some(&config))?,
    };
    let identity = match config.store.url {
        StoreUrl::Memory => None,
        StoreUrl::Sqlite(_) => Some(places.server_identity()),
    };
    let file = ConfigFile {
        path: places.config.display().to_string(),
        state: if adit_config::is_there(&places.config) { FileState::Usable } else { FileState::Missing },
    };
    if let Some(name) = &args.first_user
        && store.account(name)?.is_none()
    {
        let context = Context {
            store: &store,
            config: &config,
            file: &file,
            recorder: &StoreRecorder(&store),
            lockout: &StoredLockout { store: &store, rules: &config.auth.lockout, now: output.clock.now() },
            is_serving: false,
            page: PageLimit::NONE,
            now: output.clock.now(),
        };
        user::first::add_first(name, &context, output)?;
    }
    let dial = format!("{}   type PPTP, {}", dial(&config), terms(&config));
    let path = places.config.clone();
    let quiet = output.quiet;
    let sources = Sources::from_config(&config, &store).map_err(|error| {
        Failure::new(Exit::Problem, error.to_string())
            .fix("write it there, readable for the server: see docs/how-to/radius.md")
    })?;
    let options = Options {
        file,
        database: match config.store.url {
            StoreUrl::Memory => None,
            StoreUrl::Sqlite(_) => {
                let file = crate::settings::database(places, Some(&config))?;
                Some(std::path::absolute(&file).unwrap_or(file))
            }
        },
        config,
        reread: Box::new(move || reread(&path)),
        sources,
        store,
        identity,
        run_dir: places.run.clone(),
        interface: args.interface.clone(),
        ready: Box::new(move |status| {
            if !quiet {
                greet(status, &dial);
            }
        }),
        version: env!("CARGO_PKG_VERSION"),
    };
    adit_server::run(options).map_err(failure)?;
    Ok(Exit::Done)
}

/// Checks that this user owns the state. Root gives up the right to use another user's files, and files that it created
/// there would be lost to that user.
fn owns_state(places: &Places, config: &Config) -> Result<(), Failure> {
    if matches!(config.store.url, StoreUrl::Memory) {
        return Ok(());
    }
    let database = crate::settings::database(places, Some(config))?;
    let folder = database.parent().unwrap_or(Path::new("."));
    let Ok(about) = std::fs::metadata(folder) else { return Ok(()) };
    let (owner, own) = (about.uid(), adit_sys::host::effective_user());
    if own != 0 || owner == own {
        return Ok(());
    }
    let folder = folder.display();
    let message =
        format!("{folder} belongs to user {owner}, who runs the server as a service, and not to root");
    Err(Failure::new(Exit::Denied, message)
        .code(adit_diag::Code::S08)
        .fix(format!("systemctl start adit; or, after adit service remove: chown -R root: {folder}")))
}

/// Gives up what the server does not need, before it starts threads and reads anything from the network.
fn confine(config: &Config) -> Result<(), Failure> {
    let mut keep = vec![Capability::NetAdmin, Capability::NetRaw];
    let is_low = |listen: &Listen| {
        let (Listen::Address { port, .. } | Listen::Interface { port, .. }) = listen;
        *port < 1024
    };
    if config.server.listen.iter().any(is_low) {
        keep.push(Capability::NetBindService);
    }
    let mut on_demand = Vec::new();
    if config.link.io != adit_config::Io::Socket {
        on_demand.extend([Capability::Bpf, Capability::IpcLock]);
        adit_sys::host::raise_locked_memory_limit(XDP_MEMORY);
    }
    adit_sys::host::keep_capabilities(&keep, &on_demand)?;
    adit_sys::host::forbid_inspection()?;
    Ok(())
}

fn failure(error: ServerError) -> Failure {
    let exit = match error.code {
        adit_diag::Code::S08 => Exit::Denied,
        code => Exit::Layer(code.layer()),
    };
    let failure = Failure::new(exit, error.message).code(error.code);
    if error.fix.is_empty() { failure } else { failure.fix(error.fix) }
}

/// Reads the configuration and checks it against this host; prints the findings.
fn read(places: &Places, output: &Output) -> Result<Config, Failure> {
    let mut checked = match places.config_file()? {
        Some(file) => Checked::read(file),
        None => built_in()?,
    };
    if let Some(facts) = facts::of_this_host() {
        checked.check_host(&facts);
    }
    let rendered = checked.render();
    if !rendered.is_empty() && !output.quiet {
        eprint!("{rendered}");
    }
    checked.into_config().map_err(|checked| {
        let errors = checked.findings().iter().filter(|f| f.level == adit_config::Level::Error).count();
        Failure::new(Exit::Problem, format!("the configuration has {errors} errors; nothing was started"))
            .fix("fix the lines above, then run: adit check")
    })
}

/// The built-in configuration, with a pool that overlaps no network of this host.
fn built_in() -> Result<Checked, Failure> {
    let Some(pool) = facts::free_pool() else {
        return Err(Failure::new(Exit::Layer(adit_diag::Layer::Host), "no free private network was found")
            .code(adit_diag::Code::S10)
            .fix("write one into [pool] net in /etc/adit/adit.toml"));
    };
    Ok(Checked::built_in_with(Source::new("(this host)", format!("[pool]\nnet = \"{pool}\"\n"))))
}

fn reread(file: &Path) -> Result<Config, String> {
    if !adit_config::is_there(file) {
        return Err(format!("there is no {}", file.display()));
    }
    Checked::read(file).into_config().map_err(|checked| {
        // A closed terminal must not end the server.
        let _ = std::io::stderr().write_all(checked.render().as_bytes());
        "the configuration has errors; the running one is untouched".to_owned()
    })
}

/// The settings that clients need.
fn terms(config: &Config) -> String {
    let methods: Vec<&str> = config.auth.methods.iter().map(|method| method.word()).collect();
    let encryption = match config.access.encryption {
        Encryption::Require => "encryption required",
        Encryption::Allow => "encryption allowed",
        Encryption::Off => "no encryption",
    };
    format!("{}, {encryption}", methods.join(" or "))
}

/// What clients dial: the name, or the listening addresses.
fn dial(config: &Config) -> String {
    if let Some(name) = &config.server.name {
        return name.clone();
    }
    let facts = facts::of_this_host().unwrap_or_default();
    let on = |interface: &str| {
        let found = facts.addresses.iter().filter(|address| address.interface == interface);
        found.map(|address| address.net.addr()).collect::<Vec<_>>()
    };
    let all = || {
        let found =
            facts.addresses.iter().filter(|address| !address.ours && !address.net.addr().is_loopback());
        found.map(|address| address.net.addr()).collect::<Vec<_>>()
    };
    let mut addresses: Vec<std::net::Ipv4Addr> = Vec::new();
    for listen in &config.server.listen {
        addresses.extend(match listen {
            Listen::Address { address, .. } if address.is_unspecified() => all(),
            Listen::Address { address, .. } => vec![*address],
            Listen::Interface { name, .. } => on(name),
        });
    }
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    if addresses.is_empty() { "an address of this host".to_owned() } else { addresses.join(" or ") }
}

/// Prints what a user needs to connect, once the server is ready.
fn greet(status: &Status, dial: &str) {
    let listen: Vec<String> = status.listen.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        format!("adit {}   {}   pid {}", status.version, status.config, status.pid),
        format!("listen   {} tcp, gre", listen.join(" ")),
        format!("dial     {dial}"),
    ];
    lines.extend(status.pools.iter().map(|pool| {
        format!("pool     {:<10} {:<18} {} addresses free", pool.name, pool.net, pool.size - pool.used)
    }));
    lines.push(format!("users    {} local", status.users));
    if status.users == 0 {
        lines.push("         no user can log in yet: adit user add NAME".to_owned());
    }
    lines.extend(
        status
            .warnings
            .iter()
            .map(|Warning { code, text }| format!("warning  {code} {text}      adit explain {code}")),
    );
    lines.push(
        "note     recorded PPTP traffic can be decrypted. Keep access narrow and plan the migration."
            .to_owned(),
    );
    lines.push("ready\n".to_owned());
    // If stderr is closed, the server is still wanted.
    let _ = std::io::stderr().write_all(lines.join("\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_dial_the_name_of_the_server_when_it_has_one() {
        let with = |text: &str| Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap();
        assert_eq!(dial(&with("[server]\nname = \"vpn.example.net\"\n")), "vpn.example.net");
        assert_eq!(dial(&with("[server]\nlisten = \"203.0.113.10\"\n")), "203.0.113.10");
    }
}
