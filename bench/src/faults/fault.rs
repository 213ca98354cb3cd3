//! The faults, and what the server has to do about each.

use clap::ValueEnum;

/// What happens to the host, the configuration or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    PoolChange,
    HarmlessChange,
    InterfaceDeleted,
    InterfaceDown,
    AddressDeleted,
    RouteDeleted,
    DatabaseDeleted,
    DatabaseMoved,
    DatabaseReplaced,
    StateDeleted,
    ReadOnly,
    DiskFull,
    ClockAhead,
    Killed,
    Terminated,
}

/// How the fault shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    /// A fault of this part with this code in the status, its event, and a line of `adit doctor --server`.
    Fault(&'static str, &'static str),
    /// A line of this text in the log, and this event if one is named.
    Line(&'static str, Option<&'static str>),
    /// The server has ended.
    End,
}

impl Fault {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) const fn shown(self) -> Shown {
        match self {
            Fault::PoolChange => Shown::Line("reload   FAILED", Some("config.fail")),
            Fault::HarmlessChange => Shown::Line("reload   ok", None),
            Fault::InterfaceDeleted | Fault::InterfaceDown => Shown::Fault("interface", "S07"),
            Fault::AddressDeleted => Shown::Fault("address", "S10"),
            Fault::RouteDeleted => Shown::Fault("route", "S10"),
            Fault::DatabaseDeleted
            | Fault::DatabaseMoved
            | Fault::DatabaseReplaced
            | Fault::StateDeleted
            | Fault::ReadOnly => Shown::Fault("database", "S09"),
            Fault::DiskFull => Shown::Fault("database", "S06"),
            Fault::ClockAhead => Shown::Fault("clock", "S05"),
            Fault::Killed | Fault::Terminated => Shown::End,
        }
    }

    /// Whether it lasts until it is taken away, or for ten seconds, so that a new call can be seen to be refused.
    pub(crate) const fn lasts(self) -> bool {
        matches!(self, Fault::DatabaseMoved | Fault::DatabaseReplaced | Fault::ReadOnly | Fault::DiskFull)
    }

    /// Whether what happens just before it is not on record afterwards, as a copy of the database does not contain what was
    /// written after it was made.
    pub(crate) const fn loses_the_last_moment(self) -> bool {
        matches!(self, Fault::DatabaseReplaced)
    }

    /// Whether adit reports it as long as the server runs.
    pub(crate) const fn stays(self) -> bool {
        matches!(self, Fault::ClockAhead)
    }

    /// The exit status of the server, where it has to end.
    pub(crate) const fn exit(self) -> Option<i32> {
        match self {
            Fault::DatabaseReplaced => Some(19),
            Fault::Terminated => Some(0),
            _ => None,
        }
    }

    /// Whether the sessions go on.
    pub(crate) const fn keeps_sessions(self) -> bool {
        !matches!(self, Fault::DatabaseReplaced | Fault::ClockAhead | Fault::Killed | Fault::Terminated)
    }
}
