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
    StateDeleted,
    ReadOnly,
    DiskFull,
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
            Fault::DatabaseDeleted | Fault::DatabaseMoved | Fault::StateDeleted | Fault::ReadOnly => {
                Shown::Fault("database", "S09")
            }
            Fault::DiskFull => Shown::Fault("database", "S06"),
            Fault::Killed | Fault::Terminated => Shown::End,
        }
    }

    /// Whether it lasts until it is taken away, so that a new call can be seen to be refused.
    pub(crate) const fn lasts(self) -> bool {
        matches!(self, Fault::DatabaseMoved | Fault::ReadOnly | Fault::DiskFull)
    }

    /// The exit status of the server, where it has to end.
    pub(crate) const fn exit(self) -> Option<i32> {
        match self {
            Fault::Terminated => Some(0),
            _ => None,
        }
    }

    /// Whether the sessions go on.
    pub(crate) const fn keeps_sessions(self) -> bool {
        !matches!(self, Fault::Killed | Fault::Terminated)
    }
}
