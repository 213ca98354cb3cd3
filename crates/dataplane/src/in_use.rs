//! The method by which GRE packets are moved.

use std::sync::Arc;

use adit_sys::gre::GreSocket;
use adit_sys::tun::{Offload, Tun};
use adit_sys::xdp::{self, CallSet, Xdp, XdpOptions};

use crate::auto::{self, Follower};
use crate::config::{DataplaneConfig, Io};

/// The method in use, and why not another one.
#[derive(Debug)]
pub(crate) struct IoInUse {
    /// TUN and workers, for display.
    rest: String,
    xdp: Option<InUse>,
    /// Why AF_XDP could not be opened.
    refused: String,
}

/// AF_XDP is open.
#[derive(Debug)]
struct InUse {
    about: String,
    calls: Arc<CallSet>,
    /// With `link.io = "auto"`.
    follower: Option<Follower>,
}

impl IoInUse {
    /// The socket, for this number of workers.
    pub(crate) fn socket(queues: &[Arc<Tun>], workers: usize) -> IoInUse {
        let offload = match queues.first().map(|tun| tun.offload()) {
            Some(Offload::TcpUdp) => "TUN with TCP and UDP offload",
            Some(Offload::Tcp) => "TUN with TCP offload",
            Some(Offload::None) | None => "TUN without offload",
        };
        let workers = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
        IoInUse { rest: format!("{offload}, {workers}"), xdp: None, refused: String::new() }
    }

    /// Opens AF_XDP if it was requested, or is wanted where it is safe: a share for each worker's socket, none if the
    /// sockets carry all packets.
    pub(crate) fn open_xdp(&mut self, config: &DataplaneConfig, sockets: &[Arc<GreSocket>]) -> Vec<Xdp> {
        let opened = match config.io {
            Io::Socket => return Vec::new(),
            Io::Xdp => requested(config, sockets)
                .map_err(|error| format!("{} ({}); {}", error.tried(), error.answer(), error.fix())),
            Io::Auto => auto::open(config, sockets),
        };
        match opened.and_then(|shares| self.take(config, &shares).map(|()| shares)) {
            Ok(shares) => shares,
            Err(why) => {
                self.refused = why;
                Vec::new()
            }
        }
    }

    fn take(&mut self, config: &DataplaneConfig, shares: &[Xdp]) -> Result<(), String> {
        let Some(Xdp { about, calls, .. }) = shares.first() else { return Ok(()) };
        let follower = match config.io {
            Io::Auto => Some(Follower::start(config, about, Arc::clone(calls))?),
            Io::Socket | Io::Xdp => None,
        };
        self.xdp = Some(InUse { about: about.to_string(), calls: Arc::clone(calls), follower });
        Ok(())
    }

    /// The calls of AF_XDP, if it is open.
    pub(crate) fn calls(&self) -> Option<&CallSet> {
        self.xdp.as_ref().map(|xdp| xdp.calls.as_ref())
    }

    /// The method, for display.
    pub(crate) fn text(&self) -> String {
        match &self.xdp {
            Some(xdp) if xdp.calls.uses_xdp() => format!("{}, {}", xdp.about, self.rest),
            _ => format!("raw socket, {}", self.rest),
        }
    }

    /// Why AF_XDP is not in use; empty if it is, or is not wanted.
    pub(crate) fn no_xdp(&self) -> String {
        match self.xdp.as_ref().and_then(|xdp| xdp.follower.as_ref()) {
            Some(follower) => follower.reason(),
            None => self.refused.clone(),
        }
    }
}

/// Opens AF_XDP because the configuration says so.
fn requested(config: &DataplaneConfig, sockets: &[Arc<GreSocket>]) -> adit_sys::Result<Vec<Xdp>> {
    let interface = match &config.interface {
        Some(interface) => interface.clone(),
        None => xdp::interface_for(config.near.or(config.local))?,
    };
    let options =
        XdpOptions { interface, local: config.local, dont_fragment: config.dont_fragment, mode: None };
    xdp::open(&options, sockets)
}
