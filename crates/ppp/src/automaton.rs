//! The option negotiation automaton of RFC 1661 section 4.1: one table over (event, state).
//!
//! The table is the RFC's, cell by cell; a test compares it with a copy extracted from the RFC. What the table leaves
//! to the text (identifiers, timers, counters, when an event happens at all) is in [`crate::fsm`].

use core::fmt;

/// The states, with the numbers of the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// 0: the lower layer is down, no Open happened.
    Initial,
    /// 1: the lower layer is down, an Open happened.
    Starting,
    /// 2: the lower layer is up, no Open happened.
    Closed,
    /// 3: negotiation has ended or failed, and only the peer can start it again.
    Stopped,
    /// 4: a Close was requested, a Terminate-Request was sent.
    Closing,
    /// 5: as Closing, but the Close was not ours.
    Stopping,
    /// 6: a Configure-Request was sent.
    ReqSent,
    /// 7: our request was acknowledged.
    AckRcvd,
    /// 8: the peer's request was acknowledged.
    AckSent,
    /// 9: both requests were acknowledged.
    Opened,
}

impl State {
    /// All states in the order of their numbers.
    pub const ALL: [State; 10] = [
        State::Initial,
        State::Starting,
        State::Closed,
        State::Stopped,
        State::Closing,
        State::Stopping,
        State::ReqSent,
        State::AckRcvd,
        State::AckSent,
        State::Opened,
    ];

    /// Whether the Restart timer runs in this state (RFC 1661 section 4.2).
    pub const fn is_timed(self) -> bool {
        matches!(self, State::Closing | State::Stopping | State::ReqSent | State::AckRcvd | State::AckSent)
    }

    /// Whether options are being negotiated.
    pub const fn is_negotiating(self) -> bool {
        matches!(self, State::ReqSent | State::AckRcvd | State::AckSent)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Initial => "Initial",
            State::Starting => "Starting",
            State::Closed => "Closed",
            State::Stopped => "Stopped",
            State::Closing => "Closing",
            State::Stopping => "Stopping",
            State::ReqSent => "Req-Sent",
            State::AckRcvd => "Ack-Rcvd",
            State::AckSent => "Ack-Sent",
            State::Opened => "Opened",
        })
    }
}

/// An event of the automaton; `Plus` and `Minus` stand for the RFC's + and -.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Event {
    /// The lower layer is up.
    Up,
    /// The lower layer is down.
    Down,
    /// The layer may come up.
    Open,
    /// The layer is to be closed.
    Close,
    /// TO+: timeout, and the Restart counter is above zero.
    ToPlus,
    /// TO-: timeout, and the Restart counter is used up.
    ToMinus,
    /// RCR+: an acceptable Configure-Request was received.
    RcrPlus,
    /// RCR-: an unacceptable Configure-Request was received.
    RcrMinus,
    /// RCA: a Configure-Ack was received.
    Rca,
    /// RCN: a Configure-Nak or Configure-Reject was received.
    Rcn,
    /// RTR: a Terminate-Request was received.
    Rtr,
    /// RTA: a Terminate-Ack was received.
    Rta,
    /// RUC: a packet with an unknown code was received.
    Ruc,
    /// RXJ+: a Code-Reject or Protocol-Reject was received that is acceptable.
    RxjPlus,
    /// RXJ-: a Code-Reject or Protocol-Reject was received that is catastrophic.
    RxjMinus,
    /// RXR: an Echo-Request, Echo-Reply, Discard-Request or another extra code was received.
    Rxr,
}

impl Event {
    /// All events in the order of the table's rows.
    pub const ALL: [Event; 16] = [
        Event::Up,
        Event::Down,
        Event::Open,
        Event::Close,
        Event::ToPlus,
        Event::ToMinus,
        Event::RcrPlus,
        Event::RcrMinus,
        Event::Rca,
        Event::Rcn,
        Event::Rtr,
        Event::Rta,
        Event::Ruc,
        Event::RxjPlus,
        Event::RxjMinus,
        Event::Rxr,
    ];
}

/// An action of the table, by the RFC's abbreviations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// This-Layer-Up.
    Tlu,
    /// This-Layer-Down.
    Tld,
    /// This-Layer-Started.
    Tls,
    /// This-Layer-Finished.
    Tlf,
    /// Initialize-Restart-Count.
    Irc,
    /// Zero-Restart-Count.
    Zrc,
    /// Send-Configure-Request.
    Scr,
    /// Send-Configure-Ack.
    Sca,
    /// Send-Configure-Nak or -Reject.
    Scn,
    /// Send-Terminate-Request.
    Str,
    /// Send-Terminate-Ack.
    Sta,
    /// Send-Code-Reject.
    Scj,
    /// Send-Echo-Reply.
    Ser,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The actions, in this order.
    pub actions: &'static [Action],
    /// The state afterwards.
    pub next: State,
}

/// The cell of the table; `None` if the event cannot happen in the state according to the RFC.
pub const fn transition(state: State, event: Event) -> Option<Transition> {
    // Both indices come from enums with exactly as many variants as the array has elements.
    TABLE[event as usize][state as usize]
}

macro_rules! cell {
    (-) => {
        None
    };
    ($($action:ident)* $next:literal) => {
        Some(Transition { actions: &[$(Action::$action),*], next: State::ALL[$next] })
    };
}

macro_rules! table {
    ($($event:ident $([$($cell:tt)*])*;)*) => {{
        let mut table = [[None; State::ALL.len()]; Event::ALL.len()];
        $(table[Event::$event as usize] = [$(cell!($($cell)*)),*];)*
        table
    }};
}

/// A row for each event, a column for each state; a cell holds the actions and the number of the next state.
const TABLE: [[Option<Transition>; State::ALL.len()]; Event::ALL.len()] = table! {
    //           0         1           2             3           4       5         6           7           8             9
    Up        [2]     [Irc Scr 6] [-]         [-]             [-]     [-]     [-]         [-]         [-]         [-];
    Down      [-]     [-]         [0]         [Tls 1]         [0]     [1]     [1]         [1]         [1]         [Tld 1];
    Open      [Tls 1] [1]         [Irc Scr 6] [3]             [5]     [5]     [6]         [7]         [8]         [9];
    Close     [0]     [Tlf 0]     [2]         [2]             [4]     [4]     [Irc Str 4] [Irc Str 4] [Irc Str 4] [Tld Irc Str 4];
    ToPlus    [-]     [-]         [-]         [-]             [Str 4] [Str 5] [Scr 6]     [Scr 6]     [Scr 8]     [-];
    ToMinus   [-]     [-]         [-]         [-]             [Tlf 2] [Tlf 3] [Tlf 3]     [Tlf 3]     [Tlf 3]     [-];
    RcrPlus   [-]     [-]         [Sta 2]     [Irc Scr Sca 8] [4]     [5]     [Sca 8]     [Sca Tlu 9] [Sca 8]     [Tld Scr Sca 8];
    RcrMinus  [-]     [-]         [Sta 2]     [Irc Scr Scn 6] [4]     [5]     [Scn 6]     [Scn 7]     [Scn 6]     [Tld Scr Scn 6];
    Rca       [-]     [-]         [Sta 2]     [Sta 3]         [4]     [5]     [Irc 7]     [Scr 6]     [Irc Tlu 9] [Tld Scr 6];
    Rcn       [-]     [-]         [Sta 2]     [Sta 3]         [4]     [5]     [Irc Scr 6] [Scr 6]     [Irc Scr 8] [Tld Scr 6];
    Rtr       [-]     [-]         [Sta 2]     [Sta 3]         [Sta 4] [Sta 5] [Sta 6]     [Sta 6]     [Sta 6]     [Tld Zrc Sta 5];
    Rta       [-]     [-]         [2]         [3]             [Tlf 2] [Tlf 3] [6]         [6]         [8]         [Tld Scr 6];
    Ruc       [-]     [-]         [Scj 2]     [Scj 3]         [Scj 4] [Scj 5] [Scj 6]     [Scj 7]     [Scj 8]     [Scj 9];
    RxjPlus   [-]     [-]         [2]         [3]             [4]     [5]     [6]         [6]         [8]         [9];
    RxjMinus  [-]     [-]         [Tlf 2]     [Tlf 3]         [Tlf 2] [Tlf 3] [Tlf 3]     [Tlf 3]     [Tlf 3]     [Tld Irc Str 5];
    Rxr       [-]     [-]         [2]         [3]             [4]     [5]     [6]         [7]         [8]         [Ser 9];
};

#[cfg(test)]
mod tests;
