//! The state of the kernel's clock.
#![expect(unsafe_code, reason = "adjtimex")]

/// Whether the kernel's clock is synchronised (NTP, PTP, a hypervisor); `None` if that is unknown.
pub fn clock_is_synchronised() -> Option<bool> {
    // SAFETY: all-zero is a valid timex; modes 0 only reads.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `timex` is valid and writable.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    (state >= 0).then_some(state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0)
}
