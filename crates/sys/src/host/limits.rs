//! Descriptor limits and random numbers.
#![expect(unsafe_code, reason = "getrlimit, setrlimit, getrandom")]

use std::io;

use crate::error::{Error, Result};

/// Raises the soft limit of descriptors to the hard limit; returns the new limit.
///
/// # Errors
/// The error of the kernel.
pub fn raise_descriptor_limit() -> Result<u64> {
    let failed = |tried: &str| Error::io(tried, &io::Error::last_os_error());
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit to be filled in.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } < 0 {
        return Err(failed("cannot read the limit of open files"));
    }
    // A service with both limits alike may be forbidden to set them (SystemCallFilter=).
    if limit.rlim_cur == limit.rlim_max {
        return Ok(limit.rlim_cur);
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a valid rlimit.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } < 0 {
        return Err(failed("cannot raise the limit of open files"));
    }
    Ok(limit.rlim_cur)
}

/// Thirty-two random octets from the operating system, suitable for keys.
///
/// # Errors
/// Never on a kernel from 3.17 on; there is no weaker source to fall back to.
pub fn random_seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    let mut filled = 0;
    while filled < seed.len() {
        let rest = seed.get_mut(filled..).unwrap_or_default();
        // SAFETY: `rest` is writable for its length.
        let n = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(n) {
            Ok(n) => filled += n,
            Err(_) => {
                let e = io::Error::last_os_error();
                if e.kind() != io::ErrorKind::Interrupted {
                    return Err(
                        Error::io("cannot get random octets", &e).with_fix("allow getrandom (seccomp)")
                    );
                }
            }
        }
    }
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ() {
        let (a, b) = (random_seed().unwrap(), random_seed().unwrap());
        assert_ne!(a, b);
        assert_ne!(a, [0; 32]);
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one_and_stays() {
        let first = raise_descriptor_limit().unwrap();
        assert!(first >= 256);
        assert_eq!(raise_descriptor_limit().unwrap(), first);
    }
}
