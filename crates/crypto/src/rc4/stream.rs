//! One key stream, in pieces of any length.

use core::fmt;

use zeroize::Zeroize as _;

use super::batch::{BLOCK, Block};
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{Form, x86_64};

/// One key stream.
#[derive(Clone)]
pub struct Rc4 {
    bank: Bank,
    /// Key stream that was made and not used yet is `ready[used..]`.
    ready: Block,
    used: usize,
}

#[derive(Clone)]
enum Bank {
    #[cfg(target_arch = "x86_64")]
    X86(x86_64::Bank<1>),
    Portable(portable::Bank<1>),
}

impl Bank {
    fn schedule(&mut self, key: &[u8]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Bank::X86(bank) => bank.schedule_one(key),
            Bank::Portable(bank) => bank.schedule_one(key),
        }
    }

    fn xor(&mut self, data: &mut [Block]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Bank::X86(bank) => bank.xor_one(0, data),
            Bank::Portable(bank) => bank.xor_one(0, data),
        }
    }
}

impl Rc4 {
    /// Sets up the stream. RC4 has keys of 1 to 256 octets, MPPE of 8 or 16; any other length is a mistake of the
    /// caller and gives the stream of the all-zero key.
    pub fn new(key: &[u8]) -> Rc4 {
        #[cfg(target_arch = "x86_64")]
        let bank = match super::assembly(Form::chosen()) {
            Some(avx) => Bank::X86(x86_64::Bank::new(avx)),
            None => Bank::Portable(portable::Bank::new()),
        };
        #[cfg(not(target_arch = "x86_64"))]
        let bank = Bank::Portable(portable::Bank::new());
        Rc4::set_up(bank, key)
    }

    /// A stream of the portable form, whatever the processor.
    #[cfg(test)]
    pub(super) fn portable(key: &[u8]) -> Rc4 {
        Rc4::set_up(Bank::Portable(portable::Bank::new()), key)
    }

    fn set_up(bank: Bank, key: &[u8]) -> Rc4 {
        let mut stream = Rc4 { bank, ready: [0; BLOCK], used: BLOCK };
        stream.bank.schedule(key);
        stream
    }

    /// Encrypts or decrypts in place; the next call continues where this one ended.
    pub fn apply(&mut self, data: &mut [u8]) {
        let (head, data) = data.split_at_mut(data.len().min(BLOCK - self.used));
        self.lay(head);
        let (blocks, tail) = data.as_chunks_mut();
        self.bank.xor(blocks);
        if !tail.is_empty() {
            self.ready = [0; BLOCK];
            self.bank.xor(core::slice::from_mut(&mut self.ready));
            self.used = 0;
            self.lay(tail);
        }
    }

    /// What is ready onto `data`, which is no longer.
    fn lay(&mut self, data: &mut [u8]) {
        let ready = &self.ready[self.used..];
        data.iter_mut().zip(ready).for_each(|(octet, ready)| *octet ^= ready);
        self.used += data.len();
    }
}

impl Drop for Rc4 {
    fn drop(&mut self) {
        self.ready.zeroize();
    }
}

impl fmt::Debug for Rc4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rc4(..)")
    }
}
