//! Opening /dev/net/tun.
#![expect(unsafe_code, reason = "ioctl")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use adit_diag::Code;

use super::{Offload, Tun, TunOptions, VnetHeader};
use crate::error::{Error, Kind, Result};
use crate::host::{Capability, has_capability};

const DEVICE: &str = "/dev/net/tun";

pub(super) fn open(options: &TunOptions) -> Result<Tun> {
    let mut request = request(options)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(DEVICE)
        .map_err(|e| no_device(&e))?;
    // SAFETY: TUNSETIFF reads and writes one ifreq, which lives through the call.
    ioctl(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })
        .map_err(|e| refused(&options.name, &e))?;
    let len = VnetHeader::LEN as libc::c_int;
    // SAFETY: TUNSETVNETHDRSZ reads one int.
    ioctl(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETVNETHDRSZ, &raw const len) })
        .map_err(|e| Error::io("cannot set the header size of the TUN interface", &e))?;
    let name = name_of(&request);
    let offload = set_offload(&file, options.offload)
        .map_err(|e| Error::io(format!("cannot set the offload of TUN interface {name}"), &e))?;
    Ok(Tun { file, name, offload, multi_queue: options.multi_queue })
}

/// Requests `wanted`, then less. The mask belongs to the interface and outlives the process that set it, so
/// that even no offload must be requested.
fn set_offload(file: &File, wanted: Offload) -> io::Result<Offload> {
    let mut last = Ok(Offload::None);
    for offload in [Offload::TcpUdp, Offload::Tcp, Offload::None] {
        if offload > wanted {
            continue;
        }
        let tcp = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6 | libc::TUN_F_TSO_ECN;
        let mask = match offload {
            Offload::None => 0,
            Offload::Tcp => tcp,
            Offload::TcpUdp => tcp | libc::TUN_F_USO4 | libc::TUN_F_USO6,
        };
        // SAFETY: TUNSETOFFLOAD takes the mask by value.
        match ioctl(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETOFFLOAD, libc::c_ulong::from(mask)) })
        {
            Ok(()) => return Ok(offload),
            Err(e) => last = Err(e),
        }
    }
    last
}

fn request(options: &TunOptions) -> Result<libc::ifreq> {
    let name = options.name.as_bytes();
    let fits = !name.is_empty() && name.len() < libc::IFNAMSIZ;
    if !fits || name.iter().any(|c| *c <= b' ' || *c == b'/' || *c >= 0x7f) {
        let tried = format!("cannot create TUN interface {:?}", options.name);
        return Err(Error::new(Kind::Other, tried, "not a valid interface name")
            .with_fix("use 1 to 15 letters, digits, dots, dashes"));
    }
    // SAFETY: an ifreq of zeroes is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    let queues = if options.multi_queue { libc::IFF_MULTI_QUEUE } else { 0 };
    request.ifr_ifru.ifru_flags =
        (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR | queues) as libc::c_short;
    Ok(request)
}

fn name_of(request: &libc::ifreq) -> String {
    request.ifr_name.iter().take_while(|c| **c != 0).map(|c| char::from(*c as u8)).collect()
}

fn ioctl(rc: libc::c_int) -> io::Result<()> {
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn no_device(e: &io::Error) -> Error {
    let error = Error::io(format!("cannot open {DEVICE}"), e).with_code(Code::S07);
    match error.kind() {
        Kind::NotFound => error.with_fix(format!(
            "load the module (modprobe tun), or give the container --device {DEVICE}"
        )),
        // The device alone would not be sufficient.
        Kind::NotPermitted if !has_capability(Capability::NetAdmin) => error.needs("CAP_NET_ADMIN"),
        Kind::NotPermitted => error.with_fix(format!(
            "allow the device: DeviceAllow={DEVICE} rw in the unit, --device {DEVICE} for a container, or run as root"
        )),
        _ => error,
    }
}

fn refused(name: &str, e: &io::Error) -> Error {
    let error = Error::io(format!("cannot create TUN interface {name}"), e).needs("CAP_NET_ADMIN");
    match (error.kind(), e.raw_os_error()) {
        (Kind::Busy, _) => {
            error.with_fix(format!("another process holds {name}: end it, or choose another name"))
        }
        (_, Some(libc::EINVAL)) => error
            .with_fix(format!("{name} exists and is not a TUN interface of this kind: choose another name")),
        _ => error,
    }
}
