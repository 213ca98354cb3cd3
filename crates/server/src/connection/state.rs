//! The states of a connection; each owns the data that is valid in it.

use std::time::{Duration, Instant};

use adit_auth::{AddressRequest, Pending};
use adit_diag::LoginRefusal;
use adit_diag::note::Refused;
use adit_tunnel::events::End;
use adit_wire::LocalCallId;
use ipnet::Ipv4Net;

use super::handles::{FinalCounters, Lease, Slot};

/// Where a connection is on its way from accept to the end of its record.
pub(crate) enum State {
    /// The client is connected and has no call.
    NoCall(NoCall),
    /// A call was accepted and is being set up.
    SettingUp(SettingUp),
    /// The call carries traffic.
    Up(Up),
    /// The call or the connection is over; what is left is to say goodbye.
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
    /// The networks behind the client, by its account.
    pub(crate) networks: Vec<Ipv4Net>,
    /// The login that has no answer yet.
    pub(crate) login: Option<OpenLogin>,
}

/// A login that waits for the account sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenLogin {
    /// When it was asked for.
    since: Instant,
    /// Whether it has waited for long, so that others have the slot.
    is_slow: bool,
}

/// A login that has waited for so long leaves its slot to others.
const SLOW: Duration = Duration::from_secs(2);

impl SettingUp {
    /// The account sources are asked.
    pub(crate) fn login_asked(&mut self, now: Instant) {
        self.login = Some(OpenLogin { since: now, is_slow: false });
    }

    /// When [`SettingUp::check_login`] has something to do.
    pub(crate) fn login_is_slow_at(&self) -> Option<Instant> {
        self.login.filter(|login| !login.is_slow).map(|login| login.since + SLOW)
    }

    /// Leaves the slot to others, if the login has waited for long.
    pub(crate) fn check_login(&mut self, now: Instant) {
        if self.login_is_slow_at().is_some_and(|at| now >= at)
            && let Some(login) = &mut self.login
        {
            login.is_slow = true;
            self.slot.set_waiting(true);
        }
    }

    /// The answer is there.
    pub(crate) fn login_answered(&mut self) {
        if self.login.take().is_some_and(|login| login.is_slow) {
            self.slot.set_waiting(false);
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
    /// Of a call that never came up: others wait until it is over.
    pub(crate) slot: Option<Box<dyn Slot>>,
    /// How it ended.
    pub(crate) end: End,
    /// Why the login was refused, if that is how.
    pub(crate) refusal: Option<LoginRefusal>,
    /// Given back when the routes are gone.
    pub(crate) lease: Option<Lease>,
    /// Of the call: packets may have passed after the last look.
    pub(crate) counters: Option<FinalCounters>,
}

/// The one call of a connection.
pub(crate) struct Call {
    /// Its name in the tunnel machine.
    pub(crate) handle: u32,
    /// Its name in the packet path.
    pub(crate) id: LocalCallId,
    pub(crate) lease: Option<Lease>,
    /// The account's own address or pool, if it has any.
    pub(crate) address: Option<Box<AddressRequest>>,
    /// The login, while its account source wants another round.
    pub(crate) pending: Option<Box<Pending>>,
    /// The last refusal: the cause of the end, whatever the client makes of it.
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

    /// The same, to change it.
    pub(crate) fn call_mut(&mut self) -> Option<&mut Call> {
        match self {
            State::SettingUp(SettingUp { call, .. }) | State::Up(Up { call, .. }) => Some(call),
            State::NoCall(_) | State::Ending(_) | State::Ended => None,
        }
    }

    /// Whether the call has been up, or is.
    pub(crate) fn was_up(&self) -> bool {
        match self {
            State::Up(_) => true,
            State::Ending(ending) => ending.slot.is_none(),
            State::NoCall(_) | State::SettingUp(_) | State::Ended => false,
        }
    }
}
