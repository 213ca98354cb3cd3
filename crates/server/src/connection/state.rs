//! The states of a connection. Each state owns the data that is valid in it.

use std::time::{Duration, Instant};

use adit_auth::{AddressRequest, Pending};
use adit_diag::LoginRefusal;
use adit_diag::note::Refused;
use adit_policy::admission::Stage;
use adit_tunnel::events::End;
use adit_wire::LocalCallId;
use ipnet::Ipv4Net;

use super::handles::{FinalCounters, Lease, Slot};

/// The state of a connection between accept and the end of its record.
pub(crate) enum State {
    /// The client is connected and has no call.
    NoCall(NoCall),
    /// A call was accepted and is being set up.
    SettingUp(SettingUp),
    /// The call carries traffic.
    Up(Up),
    /// The call or the connection is over, and the closing messages are exchanged.
    Ending(Ending),
    /// The end is recorded.
    Ended,
}

/// See [`State::NoCall`].
pub(crate) struct NoCall {
    pub(crate) slot: Box<dyn Slot>,
}

/// See [`State::SettingUp`].
pub(crate) struct SettingUp {
    pub(crate) slot: Box<dyn Slot>,
    pub(crate) call: Call,
    /// The networks behind the client, as set in its account.
    pub(crate) networks: Vec<Ipv4Net>,
    /// The login that has no answer yet.
    pub(crate) login: Option<OpenLogin>,
}

/// A login that waits for an account source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenLogin {
    /// When the account sources were asked.
    since: Instant,
    /// Whether it has waited so long that it has given up its slot.
    is_slow: bool,
}

/// A login that has waited this long gives up its slot.
const SLOW: Duration = Duration::from_secs(2);

impl SettingUp {
    /// Records that the account sources were asked.
    pub(crate) fn login_asked(&mut self, now: Instant) {
        self.login = Some(OpenLogin { since: now, is_slow: false });
        self.slot.reached(Stage::Login);
    }

    /// When [`SettingUp::check_login`] must be called.
    pub(crate) fn login_is_slow_at(&self) -> Option<Instant> {
        self.login.filter(|login| !login.is_slow).map(|login| login.since + SLOW)
    }

    /// Gives up the slot if the login has waited for long.
    pub(crate) fn check_login(&mut self, now: Instant) {
        if self.login_is_slow_at().is_some_and(|at| now >= at)
            && let Some(login) = &mut self.login
        {
            login.is_slow = true;
            self.slot.set_waiting(true);
        }
    }

    /// Records that the account sources have answered.
    pub(crate) fn login_answered(&mut self) {
        match self.login.take() {
            Some(OpenLogin { is_slow: true, .. }) => self.slot.set_waiting(false),
            Some(OpenLogin { is_slow: false, .. }) => self.slot.reached(Stage::Answered),
            None => {}
        }
    }
}

/// See [`State::Up`].
pub(crate) struct Up {
    pub(crate) call: Call,
    /// Routes of the host that lead to the client.
    pub(crate) routes: Vec<Ipv4Net>,
}

/// See [`State::Ending`].
pub(crate) struct Ending {
    /// The slot of a call that never came up: it is held until the connection is over.
    pub(crate) slot: Option<Box<dyn Slot>>,
    /// How it ended.
    pub(crate) end: End,
    /// Why the login was refused, if it was.
    pub(crate) refusal: Option<LoginRefusal>,
    /// The lease, released after the routes are removed.
    pub(crate) lease: Option<Lease>,
    /// The counters of the call. Packets may have passed after they were last read.
    pub(crate) counters: Option<FinalCounters>,
}

/// The single call of a connection.
pub(crate) struct Call {
    /// The handle of the call in the tunnel machine.
    pub(crate) handle: u32,
    /// The Call ID, which names the call in the packet path.
    pub(crate) id: LocalCallId,
    pub(crate) lease: Option<Lease>,
    /// The account's own address or pool, if it has any.
    pub(crate) address: Option<Box<AddressRequest>>,
    /// The login, while its account source requires another round.
    pub(crate) pending: Option<Box<Pending>>,
    /// The last refusal. It is the cause of the end, whatever the client does next.
    pub(crate) refused: Option<Refused>,
}

impl State {
    /// The call, while there is one.
    pub(crate) fn call(&self) -> Option<&Call> {
        match self {
            State::SettingUp(SettingUp { call, .. }) | State::Up(Up { call, .. }) => Some(call),
            State::NoCall(_) | State::Ending(_) | State::Ended => None,
        }
    }

    /// The call, mutable, while there is one.
    pub(crate) fn call_mut(&mut self) -> Option<&mut Call> {
        match self {
            State::SettingUp(SettingUp { call, .. }) | State::Up(Up { call, .. }) => Some(call),
            State::NoCall(_) | State::Ending(_) | State::Ended => None,
        }
    }

    /// Whether the call is or was up.
    pub(crate) fn was_up(&self) -> bool {
        match self {
            State::Up(_) => true,
            State::Ending(ending) => ending.slot.is_none(),
            State::NoCall(_) | State::SettingUp(_) | State::Ended => false,
        }
    }
}
