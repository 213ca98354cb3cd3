//! Users, and control of other processes.

use std::io;

/// The effective user of this process. (The owner of /proc/self is root while a process forbids its inspection.)
pub fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Sends SIGTERM to a process.
///
/// # Errors
/// The error of the kernel: no such process, or no permission.
#[allow(unsafe_code, reason = "kill(2) has no safe wrapper in std")]
pub fn terminate(pid: u32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // 0 and negative numbers address whole process groups.
    if pid <= 1 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: kill(2) takes two integers and touches no memory of this process.
    match unsafe { libc::kill(pid, libc::SIGTERM) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_is_terminated_and_groups_are_refused() {
        for pid in [0, 1, u32::MAX] {
            assert_eq!(terminate(pid).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        terminate(child.id()).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
