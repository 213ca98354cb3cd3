//! Live capture on an interface, instead of a file.

use std::path::PathBuf;
use std::time::Duration;

use adit_capture::write;
use adit_sys::observe::Observer;
use adit_sys::packet::interface_index;

use super::read::Reading;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::signal::wait_for_signal;

/// Maximum number of bytes kept of a packet.
const PACKET_MAX: usize = 65_536;
/// Link type "Linux cooked v2": its header has the direction of each packet.
const COOKED: u16 = 276;
const PORT: u16 = 1723;
/// Interval at which packets are read from the kernel, which queues them meanwhile.
const LOOK: Duration = Duration::from_millis(20);

/// Captures until the time is over, or until Ctrl-C.
pub(super) fn interface(
    name: &str,
    seconds: u64,
    reading: &mut Reading,
    output: &Output,
) -> Result<(), Failure> {
    let index = index(name)?;
    let observer = Observer::open(PORT).map_err(Failure::from)?;
    output.remark(
        "watching",
        &format!("{name} for {seconds} s: TCP 1723, GRE, ICMP and DNS; Ctrl-C judges at once"),
    );
    reading.feed(&write::header(COOKED));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("starting", &PathBuf::from("the capture"), &error))?;
    runtime.block_on(async {
        let end = tokio::time::sleep(Duration::from_secs(seconds));
        let stop = wait_for_signal();
        tokio::pin!(end, stop);
        let mut tick = tokio::time::interval(LOOK);
        let mut packet = vec![0; PACKET_MAX];
        let mut reported = 0;
        loop {
            let is_over = tokio::select! {
                () = &mut end => true,
                () = &mut stop => true,
                _ = tick.tick() => false,
            };
            let failed = |error| Failure::io("watching", &PathBuf::from(name), &error);
            while let Some(seen) = observer.receive(&mut packet).map_err(failed)? {
                if index.is_none_or(|index| index == seen.interface) {
                    let octets = packet.get(..seen.len).unwrap_or_default();
                    reading.feed(&record(octets, seen.total, seen.time, seen.outgoing));
                }
            }
            let (conversations, _) = reading.seen();
            if conversations > reported {
                reported = conversations;
                let plural = if conversations == 1 { "" } else { "s" };
                output.remark("seen", &format!("{conversations} control connection{plural}"));
            }
            if is_over {
                return Ok(());
            }
        }
    })
}

/// Builds a capture file record with a cooked header.
fn record(octets: &[u8], total: usize, time: Duration, outgoing: bool) -> Vec<u8> {
    const HEADER: usize = 20;
    let is_v6 = octets.first().is_some_and(|first| first >> 4 == 6);
    let mut frame = vec![0; HEADER];
    let protocol: u16 = if is_v6 { 0x86dd } else { 0x0800 };
    frame[..2].copy_from_slice(&protocol.to_be_bytes());
    frame[9] = 1; // Ethernet, or what behaves like it
    frame[10] = if outgoing { 4 } else { 0 };
    frame.extend_from_slice(octets);
    let mut out = Vec::with_capacity(frame.len() + 16);
    write::frame(&mut out, time, &frame, total + HEADER);
    out
}

/// The interface's index; `None` for `any`.
fn index(name: &str) -> Result<Option<u32>, Failure> {
    if name == "any" {
        return Ok(None);
    }
    interface_index(name).map(Some).map_err(|_| {
        Failure::new(Exit::NotFound, format!("there is no interface {name}"))
            .fix("ip link lists them; any takes all")
    })
}
