//! The XDP program in the network driver: redirects unfragmented enhanced GRE packets for this host and
//! passes the rest.
//!
//! It is assembled here, so that neither a compiler nor a library for BPF is needed. In doubt a packet is
//! passed: it takes the kernel's own path, and a raw socket receives it.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::bpf::Instruction;
use super::header::{ETHERNET, IP};

/// The most local addresses that the program compares with.
pub(super) const MAX_ADDRESSES: usize = 64;

/// The number of entries of the map of calls: one for each Call ID, and the gate.
pub(super) const CALLS: u32 = GATE + 1;
/// The key of the entry that is 1 while packets are redirected.
pub(super) const GATE: u32 = 1 << 16;

/// The packets that the program redirects.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// The MAC address of the frames: in promiscuous mode an interface receives others too.
    pub(super) mac: [u8; 6],
    /// The destination addresses. A router also receives packets for others.
    pub(super) addresses: &'a [Ipv4Addr],
    /// The longest IP packet.
    pub(super) longest: u16,
    /// The number of workers (a power of two). With several, only packets on a queue of the call's own worker
    /// are redirected: the number of the queue and the Call ID have the same low bits.
    pub(super) workers: u16,
}

// Operations (linux/bpf.h, linux/bpf_common.h).
const LOAD_U8: u8 = 0x71;
const LOAD_U16: u8 = 0x69;
const LOAD_U32: u8 = 0x61;
const LOAD_MAP: u8 = 0x18;
const STORE_U32: u8 = 0x63;
const MOVE: u8 = 0xbf;
const SET: u8 = 0xb7;
const ADD: u8 = 0x07;
const XOR_REGISTER: u8 = 0xaf;
const AND: u8 = 0x57;
const TO_BIG_ENDIAN: u8 = 0xdc;
const JUMP: u8 = 0x05;
const JUMP_REGISTER_GREATER: u8 = 0x2d;
const JUMP_EQUAL: u8 = 0x15;
const JUMP_EQUAL_32: u8 = 0x16;
const JUMP_NOT_EQUAL_32: u8 = 0x56;
const JUMP_NOT_EQUAL_REGISTER: u8 = 0x5d;
const JUMP_GREATER: u8 = 0x25;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;

/// The source register of a load that refers to a map by descriptor.
const PSEUDO_MAP_FD: u8 = 1;
const MAP_LOOKUP_ELEM: i32 = 1;
const REDIRECT_MAP: i32 = 51;
const XDP_PASS: i32 = 2;

// Offsets in `struct xdp_md`.
const DATA: i16 = 0;
const DATA_END: i16 = 4;
const RX_QUEUE: i16 = 16;

// Registers: r6 keeps the context, r7 the source address, r2 the packet (until the first call of a function), r5 is what
// was just loaded, r10 the end of the stack.
const R0: u8 = 0;
const R1: u8 = 1;
const R2: u8 = 2;
const R3: u8 = 3;
const R4: u8 = 4;
const R5: u8 = 5;
const R6: u8 = 6;
const R7: u8 = 7;
const R10: u8 = 10;
/// The offset of a key on the stack.
const KEY: i16 = -4;

/// An assembler for instructions with jumps to two places that are known only at the end.
#[derive(Default)]
struct Assembler {
    code: Vec<Instruction>,
    to_pass: Vec<usize>,
    to_take: Vec<usize>,
}

impl Assembler {
    fn op(&mut self, code: u8, to: u8, from: u8, offset: i16, constant: i32) {
        let registers = if cfg!(target_endian = "little") { from << 4 | to } else { to << 4 | from };
        self.code.push(Instruction { code, registers, offset, constant });
    }

    /// Loads the packet's octets at `at` into r5, in network byte order as the host sees it.
    fn load(&mut self, width: u8, at: usize) {
        self.op(width, R5, R2, at as i16, 0);
    }

    fn pass_unless(&mut self, value: u32) {
        self.to_pass.push(self.code.len());
        self.op(JUMP_NOT_EQUAL_32, R5, 0, 0, value as i32);
    }

    fn take_if(&mut self, value: u32) {
        self.to_take.push(self.code.len());
        self.op(JUMP_EQUAL_32, R5, 0, 0, value as i32);
    }

    /// Loads the entry of an array map whose key is on the stack into r5.
    fn look_up(&mut self, map: BorrowedFd<'_>) {
        self.op(LOAD_MAP, R1, PSEUDO_MAP_FD, 0, map.as_raw_fd());
        self.op(0, 0, 0, 0, 0);
        self.op(MOVE, R2, R10, 0, 0);
        self.op(ADD, R2, 0, 0, i32::from(KEY));
        self.op(CALL, 0, 0, 0, MAP_LOOKUP_ELEM);
        self.to_pass.push(self.code.len());
        self.op(JUMP_EQUAL, R0, 0, 0, 0);
        self.op(LOAD_U32, R5, R0, 0, 0);
    }

    fn resolve(&mut self, jumps: &[usize]) {
        let here = self.code.len();
        for at in jumps {
            if let Some(jump) = self.code.get_mut(*at) {
                jump.offset = (here - at - 1) as i16;
            }
        }
    }
}

/// Two octets in network byte order, as the host loads them.
fn wire16(value: u16) -> u32 {
    u32::from(u16::from_ne_bytes(value.to_be_bytes()))
}

/// Assembles the program. It redirects packets whose source address is the entry of their Call ID in `calls` to the socket
/// in `sockets` whose key is the number of the receive queue, if the entry [`GATE`] of `calls` is 1.
pub(super) fn assemble(
    wanted: &Wanted<'_>,
    calls: BorrowedFd<'_>,
    sockets: BorrowedFd<'_>,
) -> Vec<Instruction> {
    const GRE: usize = ETHERNET + IP;
    let mut a = Assembler::default();
    let [m0, m1, m2, m3, m4, m5] = wanted.mac;
    a.op(MOVE, R6, R1, 0, 0);
    a.op(LOAD_U32, R2, R1, DATA, 0);
    a.op(LOAD_U32, R3, R1, DATA_END, 0);
    a.op(MOVE, R4, R2, 0, 0);
    a.op(ADD, R4, 0, 0, (GRE + 8) as i32);
    a.to_pass.push(a.code.len());
    a.op(JUMP_REGISTER_GREATER, R4, R3, 0, 0);
    a.load(LOAD_U32, 0);
    a.pass_unless(u32::from_ne_bytes([m0, m1, m2, m3]));
    a.load(LOAD_U16, 4);
    a.pass_unless(u32::from(u16::from_ne_bytes([m4, m5])));
    a.load(LOAD_U16, 12);
    a.pass_unless(wire16(0x0800));
    // Version 4, no options.
    a.load(LOAD_U8, ETHERNET);
    a.pass_unless(0x45);
    a.load(LOAD_U8, ETHERNET + 9);
    a.pass_unless(47);
    // Not a fragment: neither More Fragments nor an offset.
    a.load(LOAD_U16, ETHERNET + 6);
    a.op(AND, R5, 0, 0, wire16(0x3fff) as i32);
    a.pass_unless(0);
    // Enhanced GRE (RFC 2637 section 4.1).
    a.load(LOAD_U16, GRE + 2);
    a.pass_unless(wire16(0x880b));
    a.load(LOAD_U8, GRE + 1);
    a.op(AND, R5, 0, 0, 7);
    a.pass_unless(1);
    a.load(LOAD_U16, ETHERNET + 2);
    a.op(TO_BIG_ENDIAN, R5, 0, 0, 16);
    a.to_pass.push(a.code.len());
    a.op(JUMP_GREATER, R5, 0, 0, i32::from(wanted.longest));
    a.load(LOAD_U32, ETHERNET + 16);
    for address in wanted.addresses.iter().take(MAX_ADDRESSES) {
        a.take_if(u32::from_ne_bytes(address.octets()));
    }
    a.to_pass.push(a.code.len());
    a.op(JUMP, 0, 0, 0, 0);

    let take = std::mem::take(&mut a.to_take);
    a.resolve(&take);
    a.op(LOAD_U32, R7, R2, (ETHERNET + 12) as i16, 0);
    a.load(LOAD_U16, GRE + 6);
    a.op(TO_BIG_ENDIAN, R5, 0, 0, 16);
    a.op(STORE_U32, R10, R5, KEY, 0);
    a.op(LOAD_U32, R2, R6, RX_QUEUE, 0);
    a.op(XOR_REGISTER, R5, R2, 0, 0);
    a.op(AND, R5, 0, 0, i32::from(wanted.workers.saturating_sub(1)));
    a.pass_unless(0);
    a.look_up(calls);
    // No call: the entry is 0, which may be the source address of a packet too.
    a.to_pass.push(a.code.len());
    a.op(JUMP_EQUAL, R5, 0, 0, 0);
    a.to_pass.push(a.code.len());
    a.op(JUMP_NOT_EQUAL_REGISTER, R5, R7, 0, 0);
    a.op(SET, R5, 0, 0, GATE as i32);
    a.op(STORE_U32, R10, R5, KEY, 0);
    a.look_up(calls);
    a.pass_unless(1);
    a.op(LOAD_MAP, R1, PSEUDO_MAP_FD, 0, sockets.as_raw_fd());
    a.op(0, 0, 0, 0, 0);
    a.op(LOAD_U32, R2, R6, RX_QUEUE, 0);
    // Without a socket for that queue: pass.
    a.op(SET, R3, 0, 0, XDP_PASS);
    a.op(CALL, 0, 0, 0, REDIRECT_MAP);
    a.op(EXIT, 0, 0, 0, 0);

    let pass = std::mem::take(&mut a.to_pass);
    a.resolve(&pass);
    a.op(SET, R0, 0, 0, XDP_PASS);
    a.op(EXIT, 0, 0, 0, 0);
    a.code
}
