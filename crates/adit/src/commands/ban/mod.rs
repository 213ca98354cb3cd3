//! `adit ban`

pub(crate) mod change;
pub(crate) mod list;

use ipnet::Ipv4Net;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;

/// Manage banned addresses
#[derive(Debug, clap::Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Ban {
    List(list::Args),
    Add(change::AddArgs),
    Remove(change::RemoveArgs),
}

pub(crate) fn run(ban: Ban, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let settings = &Settings::load(places)?;
    let service = &Service::open(output, places, settings)?;
    match ban {
        Ban::List(args) => list::run(&args, output, service),
        Ban::Add(args) => change::add(&args, output, service),
        Ban::Remove(args) => change::remove(&args, output, service),
    }
}

/// Reads an address or a network.
fn network(text: &str) -> Result<Ipv4Net, String> {
    let parsed = match text.split_once('/') {
        Some(_) => text.parse().ok(),
        None => text.parse().ok().map(|address: std::net::Ipv4Addr| Ipv4Net::from(address)),
    };
    parsed.ok_or_else(|| {
        format!("\"{text}\" is no IPv4 address or network: write 203.0.113.7 or 203.0.113.0/24")
    })
}

/// A network for people: without its length if it is one address.
fn shown(network: Ipv4Net) -> String {
    if network.prefix_len() == 32 { network.addr().to_string() } else { network.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        for (text, expected) in [("203.0.113.7", "203.0.113.7"), ("203.0.113.0/24", "203.0.113.0/24")] {
            assert_eq!(shown(network(text).unwrap()), expected);
        }
        for wrong in ["203.0.113", "203.0.113.7/33", "203.0.113.7/", "::1", "vpn.example.org", ""] {
            assert!(network(wrong).unwrap_err().contains("write 203.0.113.7"), "{wrong}");
        }
    }
}
