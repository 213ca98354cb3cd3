//! One program: a PPTP server, a PPTP client, and tools to configure, monitor and diagnose them.
//!
//! This crate only parses arguments and prints text or JSON. There is one file per command below `commands`.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod control;
mod dispatch;
mod document;
mod facts;
mod failure;
mod global;
mod help;
mod list;
mod negative_values;
mod output;
mod places;
mod prompt;
mod service;
mod settings;
mod signal;
mod style;
mod table;
mod when;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (cli, output) = match cli::read() {
        Ok(read) => read,
        Err(code) => return code,
    };
    let exit = match dispatch::run(cli, &output) {
        Ok(exit) => exit,
        Err(failure) => {
            output.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(exit.number())
}
