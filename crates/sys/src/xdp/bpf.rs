//! The required operations of bpf(2), without a library.
#![expect(unsafe_code, reason = "the bpf system call takes pointers in structures")]

use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::host::{Capability, with_capability};

/// One instruction (linux/bpf.h, `struct bpf_insn`): operation, registers, offset, constant.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) code: u8,
    /// Destination in the low half, source in the high one on little-endian hosts; reversed on big-endian
    /// ones.
    pub(super) registers: u8,
    pub(super) offset: i16,
    pub(super) constant: i32,
}

const MAP_CREATE: libc::c_long = 0;
const MAP_UPDATE: libc::c_long = 2;
const PROG_LOAD: libc::c_long = 5;
const INFO: libc::c_long = 15;
const LINK_CREATE: libc::c_long = 28;

const MAP_TYPE_ARRAY: u32 = 2;
const MAP_TYPE_XSKMAP: u32 = 17;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;
/// The program reads only the first fragment of a packet in several buffers. Without this flag a driver would
/// not pass such packets, and veth would disable segmentation offload.
const HAS_FRAGS: u32 = 1 << 5;

/// The attach modes of a program (linux/if_link.h, XDP_FLAGS_…).
pub(super) const SKB_MODE: u32 = 1 << 1;
pub(super) const DRV_MODE: u32 = 1 << 2;

fn call<T>(command: libc::c_long, attributes: &T) -> io::Result<libc::c_long> {
    with_capability(Capability::Bpf, || {
        // SAFETY: the kernel reads `size_of_val(attributes)` octets of `attributes`; the pointers in them are the callers'
        // to keep alive, and each says so.
        let answer = unsafe {
            libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size_of_val(attributes))
        };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
    })
}

fn descriptor(answer: libc::c_long) -> OwnedFd {
    // SAFETY: the kernel has just returned this descriptor, and nothing else owns it. It is closed on exec.
    unsafe { OwnedFd::from_raw_fd(answer as i32) }
}

/// Creates a map from a number below `entries` to an AF_XDP socket.
pub(super) fn socket_map(entries: u32) -> io::Result<OwnedFd> {
    map(MAP_TYPE_XSKMAP, entries)
}

/// Creates a map from a number below `entries` to a number, initially 0.
pub(super) fn number_map(entries: u32) -> io::Result<OwnedFd> {
    map(MAP_TYPE_ARRAY, entries)
}

fn map(kind: u32, max_entries: u32) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Create {
        kind: u32,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
    }
    let create = Create { kind, key_size: 4, value_size: 4, max_entries };
    call(MAP_CREATE, &create).map(descriptor)
}

/// Stores a socket in a map.
pub(super) fn set_socket(map: BorrowedFd<'_>, key: u32, socket: BorrowedFd<'_>) -> io::Result<()> {
    set(map, key, socket.as_raw_fd() as u32)
}

/// Stores a number in a map.
pub(super) fn set(map: BorrowedFd<'_>, key: u32, value: u32) -> io::Result<()> {
    #[repr(C)]
    struct Update {
        map: u32,
        _pad: u32,
        key: u64,
        value: u64,
        flags: u64,
    }
    let update = Update {
        map: map.as_raw_fd() as u32,
        _pad: 0,
        key: std::ptr::from_ref(&key) as u64,
        value: std::ptr::from_ref(&value) as u64,
        flags: 0,
    };
    // `key` and `value` live through the call; the kernel reads four octets of each, as the map was made.
    call(MAP_UPDATE, &update).map(|_| ())
}

/// Loads an XDP program.
pub(super) fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
        kernel_version: u32,
        flags: u32,
        name: [u8; 16],
        interface: u32,
        attach_type: u32,
    }
    let mut load = Load {
        kind: PROG_TYPE_XDP,
        count: program.len() as u32,
        instructions: program.as_ptr() as u64,
        license: c"MIT".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: HAS_FRAGS,
        name: *b"adit_gre\0\0\0\0\0\0\0\0",
        interface: 0,
        attach_type: ATTACH_XDP,
    };
    // `program` and the licence live through the call, and the kernel copies both.
    match call(PROG_LOAD, &load) {
        // Kernels before 5.18 do not have the flag and do not need it.
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
            load.flags = 0;
            call(PROG_LOAD, &load).map(descriptor)
        }
        other => other.map(descriptor),
    }
}

/// The number by which the kernel lists a program.
pub(super) fn program_id(program: BorrowedFd<'_>) -> io::Result<u32> {
    /// The beginning of `struct bpf_prog_info`; the kernel fills in no more than the length given.
    #[repr(C)]
    #[derive(Default)]
    struct About {
        kind: u32,
        id: u32,
    }
    #[repr(C)]
    struct Info {
        program: u32,
        len: u32,
        about: u64,
    }
    let mut about = About::default();
    let info = Info {
        program: program.as_raw_fd() as u32,
        len: size_of_val(&about) as u32,
        about: std::ptr::from_mut(&mut about) as u64,
    };
    // `about` lives through the call, and the kernel writes `len` octets to it.
    call(INFO, &info)?;
    Ok(about.id)
}

/// Attaches a program to an interface, for as long as the descriptor returned is open.
pub(super) fn attach(program: BorrowedFd<'_>, interface: u32, mode: u32) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Create {
        program: u32,
        interface: u32,
        attach_type: u32,
        flags: u32,
    }
    let create =
        Create { program: program.as_raw_fd() as u32, interface, attach_type: ATTACH_XDP, flags: mode };
    call(LINK_CREATE, &create).map(descriptor)
}
