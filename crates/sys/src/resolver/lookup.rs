//! Name resolution through the C library, as in other programs, with the reason for a failure.
#![expect(unsafe_code, reason = "getaddrinfo")]

use std::ffi::{CStr, CString};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

/// The most addresses of one name.
const ADDRESSES_MAX: usize = 64;

/// Why a name could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupError {
    /// The name does not exist.
    NoSuchName,
    /// The name exists, but has no address.
    NoAddress,
    /// No name server answered, or it returned a failure.
    NoAnswer,
    /// Another error, with the C library's message.
    Other(String),
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LookupError::NoSuchName => "there is no such name",
            LookupError::NoAddress => "the name has no address",
            LookupError::NoAnswer => "no name server answered",
            LookupError::Other(words) => words,
        })
    }
}

impl std::error::Error for LookupError {}

/// Every address of `name`, IPv4 and IPv6, in the order in which programs are to try them. It blocks as long as the
/// resolver is configured to wait.
///
/// # Errors
/// Why there is none.
pub fn lookup(name: &str) -> Result<Vec<IpAddr>, LookupError> {
    let name = CString::new(name).map_err(|_| LookupError::NoSuchName)?;
    // SAFETY: an addrinfo of zeroes is a valid hint.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = libc::AF_UNSPEC;
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: `name` ends with a zero octet, `hints` and `list` live through the call.
    let rc = unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &raw const hints, &raw mut list) };
    match rc {
        0 => {}
        libc::EAI_NONAME => return Err(LookupError::NoSuchName),
        libc::EAI_NODATA => return Err(LookupError::NoAddress),
        libc::EAI_AGAIN => return Err(LookupError::NoAnswer),
        code => {
            // SAFETY: gai_strerror returns a static string.
            let words = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
            return Err(LookupError::Other(words.to_string_lossy().into_owned()));
        }
    }
    let mut found = Vec::new();
    let mut entry = list;
    while !entry.is_null() && found.len() < ADDRESSES_MAX {
        // SAFETY: getaddrinfo succeeded, so `entry` is an element of its list, which is freed only below.
        let (address, next) = unsafe { (address_of(&*entry), (*entry).ai_next) };
        if let Some(address) = address
            && !found.contains(&address)
        {
            found.push(address);
        }
        entry = next;
    }
    // SAFETY: the list came from getaddrinfo, is not null, and nothing refers to it any more.
    unsafe { libc::freeaddrinfo(list) };
    if found.is_empty() { Err(LookupError::NoAddress) } else { Ok(found) }
}

/// # Safety
/// `ai_addr` must be null or point to a socket address of the family and length given in `entry`.
unsafe fn address_of(entry: &libc::addrinfo) -> Option<IpAddr> {
    if entry.ai_addr.is_null() {
        return None;
    }
    // SAFETY: as above; the length is checked before each read.
    unsafe {
        let len = entry.ai_addrlen as usize;
        match entry.ai_family {
            libc::AF_INET if len >= size_of::<libc::sockaddr_in>() => {
                let address = entry.ai_addr.cast::<libc::sockaddr_in>().read_unaligned();
                Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
            }
            libc::AF_INET6 if len >= size_of::<libc::sockaddr_in6>() => {
                let address = entry.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned();
                Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_their_own_names() {
        assert_eq!(lookup("192.0.2.7"), Ok(vec!["192.0.2.7".parse().unwrap()]));
        assert_eq!(lookup("2001:db8::1"), Ok(vec!["2001:db8::1".parse().unwrap()]));
        assert_eq!(lookup("a\0b"), Err(LookupError::NoSuchName));
    }

    #[test]
    fn localhost_resolves_to_the_loopback() {
        assert!(lookup("localhost").unwrap().iter().all(IpAddr::is_loopback));
    }
}
