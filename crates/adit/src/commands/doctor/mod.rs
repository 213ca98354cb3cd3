//! `adit doctor`

mod args;
mod bundle;
pub(crate) mod json;
mod live;
mod pcap;
mod server;

pub(crate) use self::args::Args;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    if args.pcap.is_some() || args.capture.is_some() {
        return pcap::run(args, output);
    }
    if args.server {
        return server::run(args, output, places);
    }
    live::run(args, output)
}
