//! The kernel filter of a GRE socket (classic BPF).

/// A filter that accepts enhanced GRE only (version 1, protocol type 0x880b: RFC 2637 section 4.1), of calls
/// whose Call ID under `mask` equals `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallFilter {
    mask: u16,
    value: u16,
}

// Classic BPF operations (linux/bpf_common.h), as used below.
const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_IND) as u16;
const LOAD_HEADER_LEN: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

impl CallFilter {
    /// Accepts all calls.
    pub const fn all() -> CallFilter {
        CallFilter { mask: 0, value: 0 }
    }

    /// Accepts the calls whose local Call ID under `mask` equals `value`: one worker's share.
    pub const fn share(mask: u16, value: u16) -> CallFilter {
        CallFilter { mask, value: value & mask }
    }

    /// Accepts nothing, for a socket that only sends.
    pub const fn none() -> CallFilter {
        CallFilter { mask: 0, value: 1 }
    }

    /// Builds the program. It runs on the packet from the IP header on; a load past the end drops the packet.
    pub(super) fn program(self) -> Vec<libc::sock_filter> {
        let op = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        let mut program = vec![
            op(LOAD_HEADER_LEN, 0, 0, 0), // X = 4 * IHL
            op(LOAD_HALF, 0, 0, 2),       // protocol type
            op(JUMP_EQUAL, 0, 6, 0x880b),
            op(LOAD_HALF, 0, 0, 0), // flags and version
            op(AND, 0, 0, 0x0007),
            op(JUMP_EQUAL, 0, 3, 1),
            op(LOAD_HALF, 0, 0, 6), // key: Call ID
            op(AND, 0, 0, u32::from(self.mask)),
            op(JUMP_EQUAL, 1, 0, u32::from(self.value)),
            op(RETURN, 0, 0, 0),
            op(RETURN, 0, 0, u32::MAX),
        ];
        program.shrink_to_fit();
        program
    }
}
