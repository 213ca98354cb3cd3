//! Adapts the limits of the configuration to the limit of open files.

use adit_api::status::Warning;
use adit_config::Limits;
use adit_diag::Code;
use adit_policy::admission::Capacity;

/// The limit of open files, and what it allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptors {
    limit: u64,
    pub(crate) capacity: Capacity,
}

impl Descriptors {
    /// The capacity under a limit of open files.
    pub(crate) fn new(limit: u64) -> Descriptors {
        Descriptors { limit, capacity: Capacity::new(limit) }
    }

    /// Reduces limits that need more open files than there can be; the warning names them.
    pub(crate) fn adapt(self, limits: &mut Limits) -> Option<Warning> {
        let mut reduced = Vec::new();
        let mut reduce = |key: &str, limit: &mut u32, capacity: u64| {
            if u64::from(*limit) > capacity {
                reduced.push(format!("{key} is {capacity} instead of {limit}"));
                *limit = u32::try_from(capacity).unwrap_or(u32::MAX);
            }
        };
        reduce("limits.sessions", &mut limits.sessions, self.capacity.sessions);
        reduce("limits.starting", &mut limits.starting, self.capacity.starting);
        let what = reduced.join(", and ");
        let text = format!(
            "at most {} files may be open (ulimit -n), so {what}; raise it with LimitNOFILE= in the unit",
            self.limit
        );
        (!reduced.is_empty()).then_some(Warning { code: Code::S08, text })
    }
}

#[cfg(test)]
mod tests {
    use adit_config::Checked;

    use super::*;

    #[test]
    fn limits_are_reduced_to_what_can_be_open_and_the_warning_names_them() {
        let configured = Checked::built_in().into_config().unwrap().limits;
        let mut limits = configured.clone();
        let warning = Descriptors::new(256).adapt(&mut limits).unwrap();
        assert_eq!((limits.sessions, limits.starting), (144, 64));
        assert!(warning.text.contains("limits.sessions is 144 instead of 200"), "{}", warning.text);
        assert!(warning.text.contains("limits.starting is 64 instead of"), "{}", warning.text);
        let mut limits = configured.clone();
        assert_eq!(Descriptors::new(4096).adapt(&mut limits), None);
        assert_eq!(limits, configured);
    }
}
