//! `adit version`

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Print the version
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What `adit version --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Version {
    /// The version.
    version: &'static str,
    /// The processor it was built for.
    processor: &'static str,
    /// The operating system it was built for.
    system: &'static str,
}

impl Document for Version {
    const NAME: &'static str = "adit.version/1";
}

pub(crate) fn run(output: &Output) -> Result<Exit, Failure> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        processor: std::env::consts::ARCH,
        system: std::env::consts::OS,
    };
    if output.is_text() {
        output.line(&format!("adit {} ({} {})", version.version, version.system, version.processor))?;
    } else {
        output.document(&version)?;
    }
    Ok(Exit::Done)
}
