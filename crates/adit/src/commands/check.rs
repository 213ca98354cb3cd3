//! `adit check`

mod factors;
mod fixed;

use std::path::PathBuf;

use adit_config::{Checked, Finding, Level, summary};
use adit_diag::Code;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::facts;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Check the configuration and suggest fixes
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 when the configuration is usable, 1 when it is not.")]
pub(crate) struct Args {
    /// Check this file [default: the one of --config]
    file: Option<PathBuf>,
    /// Set the depth: TOML syntax, meaning of every key, this host's addresses and routes
    #[arg(long, value_enum, default_value_t = Depth::Host, value_name = "syntax|meaning|host", hide_possible_values = true)]
    depth: Depth,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Depth {
    Syntax,
    Meaning,
    Host,
}

/// What `adit check --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Check {
    /// The file.
    file: String,
    /// Whether the configuration is usable; with --strict, whether it also has no warnings.
    ok: bool,
    /// The findings, by file and line.
    findings: Vec<Finding>,
    /// The depth of the check: syntax, meaning or host.
    depth: &'static str,
}

impl Document for Check {
    const NAME: &'static str = "adit.check/1";
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let path = args.file.as_ref().unwrap_or(&places.config);
    if !adit_config::is_there(path) {
        let usual = args.file.is_none() && !places.config_given;
        let fix = if usual { "adit init" } else { "give the path of a configuration file" };
        return Err(Failure::new(Exit::Problem, format!("there is no {}", path.display())).fix(fix));
    }
    let mut checked = Checked::read(path);
    if args.depth == Depth::Host {
        match facts::of_this_host() {
            Some(facts) => checked.check_host(&facts),
            None => output.remark("note", "this host does not tell its addresses: not checked against them"),
        }
    }
    let all = checked.findings();
    let mut findings: Vec<Finding> = match args.depth {
        Depth::Syntax => all.iter().filter(|finding| finding.code == Code::F01).cloned().collect(),
        _ => all.to_vec(),
    };
    if args.depth == Depth::Host
        && let Some(config) = checked.config()
    {
        match fixed::findings(path, config, places) {
            Ok(found) => findings.extend(found),
            Err(failure) => output.remark("note", &format!("fixed addresses were not checked: {failure}")),
        }
        match factors::findings(path, config, places) {
            Ok(found) => findings.extend(found),
            Err(failure) => output.remark("note", &format!("second factors were not checked: {failure}")),
        }
    }
    let worst = if args.strict { Level::Warning } else { Level::Error };
    let ok = findings.iter().all(|finding| finding.level > worst);
    let depth = if args.depth == Depth::Syntax { "syntax" } else { checked.depth() };
    if output.is_text() {
        let text = adit_config::render(&findings, checked.sources());
        output.text(if text.is_empty() { format!("{}\n", path.display()) } else { text }.as_str())?;
        let looked = match depth {
            "syntax" => "syntax",
            "meaning" => "syntax, meaning",
            _ => "syntax, meaning, host",
        };
        output.line(&format!("checked  {looked}"))?;
        output.line(&if findings.is_empty() {
            "ok       no findings".to_owned()
        } else {
            summary(&findings)
        })?;
    } else {
        output.document(&Check { file: path.display().to_string(), ok, findings, depth })?;
    }
    Ok(if ok { Exit::Done } else { Exit::Problem })
}
