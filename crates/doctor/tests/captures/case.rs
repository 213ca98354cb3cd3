//! Tables of captures, each with the code that is expected of it.

use adit_diag::Code;
use adit_doctor::Verdict;

use crate::world::{Near, World};

/// What happens, where it is seen, and what it means.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) near: Near,
    pub(crate) make: fn(&mut World),
    pub(crate) code: Code,
}

impl Case {
    pub(crate) fn verdict(&self) -> Verdict {
        let mut world = World::new(self.near);
        (self.make)(&mut world);
        world.verdict()
    }
}

/// Asks `wrong` about the verdict on each case, and tells everything that is at once.
#[track_caller]
pub(crate) fn all_right(cases: &[Case], wrong: impl Fn(&Case, &Verdict) -> Option<String>) {
    let wrong: Vec<_> = cases.iter().filter_map(|case| wrong(case, &case.verdict())).collect();
    assert!(wrong.is_empty(), "{} of {} wrong\n\n{}", wrong.len(), cases.len(), wrong.join("\n----\n"));
}
