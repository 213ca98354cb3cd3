//! Protocol-Field-Compression and Address-and-Control-Field-Compression (RFC 1661 section 6.5, 6.6): options without a
//! value. A side that sends one can receive the short form.

#[derive(Debug)]
pub(in crate::lcp) struct Compression {
    /// We ask for it.
    pub(in crate::lcp) own: bool,
    /// The peer can receive the short form.
    pub(in crate::lcp) peer: bool,
}

impl Compression {
    pub(in crate::lcp) fn new(own: bool) -> Compression {
        Compression { own, peer: false }
    }
}
