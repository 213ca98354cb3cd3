//! The queues between a machine and its caller.

use std::collections::VecDeque;

/// The next entry. A link is quiet for most of its life, so an empty queue holds no memory for what may come.
pub(crate) fn take<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let next = queue.pop_front();
    if next.is_none() {
        *queue = VecDeque::new();
    }
    next
}

/// Appends the next packet to `out`; `false` when there is none.
pub(crate) fn take_into(queue: &mut VecDeque<Vec<u8>>, out: &mut Vec<u8>) -> bool {
    let next = take(queue);
    out.extend_from_slice(next.as_deref().unwrap_or_default());
    next.is_some()
}
