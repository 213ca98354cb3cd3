//! Safe wrappers for the socket calls that the standard library lacks.
#![expect(unsafe_code, reason = "socket system calls")]

use std::io;
use std::mem::{size_of, size_of_val};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// Creates a socket, closed on exec and non-blocking.
pub(crate) fn open(family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: socket takes no pointers.
    let fd = unsafe { libc::socket(family, kind, protocol) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just returned this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets an option whose value is the octets of `value`.
pub(crate) fn set<T: Copy>(socket: impl AsFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    set_raw(socket, level, name, std::ptr::from_ref(value).cast(), size_of_val(value))
}

/// Sets an option whose value is a string.
pub(crate) fn set_str(socket: impl AsFd, level: i32, name: i32, value: &str) -> io::Result<()> {
    set_raw(socket, level, name, value.as_ptr(), value.len())
}

fn set_raw(socket: impl AsFd, level: i32, name: i32, value: *const u8, len: usize) -> io::Result<()> {
    // SAFETY: both callers pass a pointer to `len` octets that live through the call.
    let rc = unsafe {
        libc::setsockopt(socket.as_fd().as_raw_fd(), level, name, value.cast(), len as libc::socklen_t)
    };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reads an option into integers; returns those that the kernel set.
pub(crate) fn get<const N: usize>(socket: impl AsFd, level: i32, name: i32) -> io::Result<[u32; N]> {
    let mut value = [0u32; N];
    let mut len = size_of::<[u32; N]>() as libc::socklen_t;
    // SAFETY: `value` has space for `len` octets, and any octets are valid integers.
    let rc = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            std::ptr::from_mut(&mut len),
        )
    };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Binds a socket to an address structure of its family.
pub(crate) fn bind<T: Copy>(socket: impl AsFd, address: &T) -> io::Result<()> {
    // SAFETY: `address` is readable for its size; the kernel checks family and length itself.
    let rc = unsafe {
        libc::bind(
            socket.as_fd().as_raw_fd(),
            std::ptr::from_ref(address).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Attaches a classic BPF program.
pub(crate) fn attach_filter(socket: impl AsFd, program: &mut [libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Requests a receive or send buffer of `octets`, beyond the system's limit if permitted; returns the size
/// that was granted.
pub(crate) fn set_buffer(socket: impl AsFd, force: i32, name: i32, octets: usize) -> io::Result<usize> {
    let socket = socket.as_fd();
    let wanted = i32::try_from(octets).unwrap_or(i32::MAX);
    if set(socket, libc::SOL_SOCKET, force, &wanted).is_err() {
        set(socket, libc::SOL_SOCKET, name, &wanted)?;
    }
    // The kernel doubles the size for its own bookkeeping and reports the doubled size.
    Ok(get::<1>(socket, libc::SOL_SOCKET, name)?[0] as usize / 2)
}

/// An IPv4 address as the kernel expects it.
pub(crate) fn address(address: std::net::Ipv4Addr) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from(address).to_be() },
        sin_zero: [0; 8],
    }
}
