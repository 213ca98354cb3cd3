//! RC4, one stream or many packets at once.
//!
//! [`apply_each`] is the call for a batch: every packet of stateless MPPE has a key of its own, so several are worked
//! on side by side. There are two forms, which give the same octets: [`portable`] in safe Rust, and one in assembly
//! where the processor is an x86-64 with AVX. [`Form`] tells which is in use.

use core::fmt;

mod batch;
mod form;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub mod portable;

pub(crate) use batch::Beside;
pub use form::Form;
pub use stream::Rc4;

/// One packet and its key.
#[derive(Default)]
pub struct Job<'a> {
    /// The key, 8 or 16 octets for MPPE.
    pub key: &'a [u8],
    /// Encrypted or decrypted in place.
    pub data: &'a mut [u8],
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({} octets)", self.data.len())
    }
}

/// Encrypts or decrypts every packet from the beginning of the stream of its own key.
pub fn apply_each(jobs: &mut [Job<'_>]) {
    apply_each_beside(jobs, &mut |_| false);
}

/// [`apply_each`], with keys encrypted beside the packets.
pub(crate) fn apply_each_beside(jobs: &mut [Job<'_>], beside: &mut Beside<'_>) {
    // A packet alone, as on an idle link, needs one of three tables: 4 % less time at 64 and 576 octets (AMD family 25).
    if let [Job { key, data }] = jobs {
        return Rc4::new(key).apply(data);
    }
    apply_each_in(Form::chosen(), jobs, beside);
}

/// [`apply_each_beside`] in this form; in the portable one if this processor cannot use it.
pub(crate) fn apply_each_in(form: Form, jobs: &mut [Job<'_>], beside: &mut Beside<'_>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx) = assembly(form) {
        return batch::apply_each(&mut x86_64::Bank::<3>::new(avx), jobs, beside);
    }
    portable::apply_each_beside(jobs, beside);
}

/// Encrypts a key of `len` octets, 8 or 16, which zeros follow, with itself.
pub(crate) fn of_itself(key: &mut [u8; 16], len: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx) = assembly(Form::chosen()) {
        key.copy_within(..16 - len, len);
        x86_64::of_itself(avx, key);
        key[len..].fill(0);
        return;
    }
    portable::of_itself(key, len);
}

/// What the assembly needs, if it is this form.
#[cfg(target_arch = "x86_64")]
fn assembly(form: Form) -> Option<x86_64::Avx> {
    (form == Form::Assembly).then(x86_64::Avx::find).flatten()
}
