//! The cipher work of a batch.

use std::array;

use adit_crypto::mppe::{self, KeySchedule, Wanting};
use adit_crypto::rc4::Job;
use adit_sys::gre::MAX_BATCH;
use adit_tunnel::path::Cipher;
use adit_wire::LocalCallId;

use super::calls::Calls;

/// The number of consecutive packets of a call from which on further ones are likely: some of its keys are
/// precomputed.
const ROW: usize = 4;

/// The cipher work for one packet.
#[derive(Debug)]
pub(super) struct Work<'a> {
    /// The number of the packet in its batch.
    pub(super) number: usize,
    pub(super) call_id: LocalCallId,
    pub(super) cipher: &'a Cipher,
}

/// Does the cipher work for the packets of a batch in parallel. The numbers must rise. Keys of `calls` are
/// precomputed if possible.
pub(super) fn apply<'a>(
    work: impl Iterator<Item = Work<'a>>,
    packets: impl Iterator<Item = &'a mut [u8]>,
    calls: Option<&mut Calls>,
) {
    let mut work = work.peekable();
    if work.peek().is_none() {
        return;
    }
    let mut jobs: [Job<'_>; MAX_BATCH] = array::from_fn(|_| Job::default());
    let mut rows = Rows::default();
    let mut free = jobs.iter_mut();
    for (number, packet) in packets.enumerate() {
        if let Some(work) = work.next_if(|work| work.number == number)
            && let Some(job) = free.next()
        {
            *job = work.cipher.job(packet);
            rows.add(work.call_id);
        }
    }
    let count = MAX_BATCH - free.len();
    mppe::apply_each(jobs.get_mut(..count).unwrap_or_default(), &mut Ahead { calls, rows });
}

/// Detects calls with [`ROW`] consecutive packets.
struct Rows {
    calls: [LocalCallId; MAX_BATCH / ROW],
    count: usize,
    last: Option<LocalCallId>,
    len: usize,
}

impl Default for Rows {
    fn default() -> Rows {
        Rows { calls: [LocalCallId::new(0); MAX_BATCH / ROW], count: 0, last: None, len: 0 }
    }
}

impl Rows {
    fn add(&mut self, call_id: LocalCallId) {
        self.len = if self.last == Some(call_id) { self.len + 1 } else { 1 };
        self.last = Some(call_id);
        if self.len == ROW
            && let Some(buffer) = self.calls.get_mut(self.count)
        {
            *buffer = call_id;
            self.count += 1;
        }
    }

    fn last(&self) -> Option<LocalCallId> {
        self.calls.get(self.count.checked_sub(1)?).copied()
    }
}

/// An iterator over the calls whose keys are to be precomputed.
struct Ahead<'a> {
    calls: Option<&'a mut Calls>,
    rows: Rows,
}

impl Wanting for Ahead<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        let calls = self.calls.as_deref_mut()?;
        while let Some(call_id) = self.rows.last()
            && calls.get_mut(call_id).and_then(|call| call.path.wanting_keys()).is_none()
        {
            self.rows.count -= 1;
        }
        calls.get_mut(self.rows.last()?)?.path.wanting_keys()
    }
}
