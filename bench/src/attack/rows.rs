//! Every row of the report. Rows are generated: a frame, a direction or a kind of flood that is added to its list has its rows.

use std::path::Path;
use std::time::Duration;

use adit_bench::Load;
use adit_crypto::Rng;
use adit_wire::{cp, ppp};

use crate::adit::Mppe;
use crate::crowded::{CrowdAttack, Limits, Origin};
use crate::figures::Figures;
use crate::flood::Kind;
use crate::frames::{self, mppe_frame};
use crate::inside;
use crate::session::{SessionAttack, Shot, Toward, Traffic};
use crate::throughput::{Carried, LoadAttack};

/// The groups: forged packets against the sequence window, the same as a flood, control frames in clear, connections that never log
/// in, floods within a session.
const GROUPS: [&str; 5] = ["A1", "A1-load", "A2", "B", "B3"];

/// One attack.
pub(crate) struct Row {
    /// One of [`GROUPS`].
    pub(crate) group: &'static str,
    pub(crate) name: String,
    attack: Attack,
}

enum Attack {
    Session(SessionAttack),
    Load(LoadAttack),
    Crowd(CrowdAttack),
    Inside(Load),
}

/// How long the attacks last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    /// An attack on the sequence window: a session that is silenced ends after more than a minute.
    window: Duration,
    /// An attack with control frames.
    control: Duration,
    /// Each phase of a measurement of throughput.
    load: Duration,
    logins: Limits,
    inside: Duration,
}

impl Lengths {
    pub(crate) const fn new(quick: bool) -> Lengths {
        const fn seconds(quick: bool, short: u64, long: u64) -> Duration {
            Duration::from_secs(if quick { short } else { long })
        }
        Lengths {
            window: seconds(quick, 15, 130),
            control: seconds(quick, 15, 30),
            load: seconds(quick, 3, 8),
            logins: Limits {
                logins: if quick { 2 } else { 5 },
                patience: seconds(quick, 15, 60),
                length: seconds(quick, 20, 90),
            },
            inside: seconds(quick, 3, 10),
        }
    }
}

/// The frames of a control attack are sent this often, one series after the other.
const CONTROL_TIMES: u32 = 3;
const CONTROL_EVERY: Duration = Duration::from_secs(4);

impl Row {
    /// Whether nothing else may run meanwhile: its figures depend on the speed of the machine, or it disturbs those of others.
    pub(crate) fn is_alone(&self) -> bool {
        match &self.attack {
            Attack::Session(attack) => matches!(attack.shot, Shot::Spray),
            Attack::Load(_) | Attack::Crowd(_) | Attack::Inside(_) => true,
        }
    }

    /// Whether this row is selected by one of the words: a group, or a part of a name.
    pub(crate) fn is_selected(&self, words: &[String]) -> bool {
        let is_match = |word: &String| {
            if GROUPS.iter().any(|group| group.eq_ignore_ascii_case(word)) {
                self.group.eq_ignore_ascii_case(word)
            } else {
                self.name.to_lowercase().contains(&word.to_lowercase())
            }
        };
        words.is_empty() || words.iter().any(is_match)
    }

    /// Runs it once.
    pub(crate) fn run(&self, program: &Path, lengths: Lengths) -> anyhow::Result<Figures> {
        match &self.attack {
            Attack::Session(attack) if self.group == "A2" => attack.run(program, lengths.control),
            Attack::Session(attack) => attack.run(program, lengths.window),
            Attack::Load(attack) => attack.run(program, lengths.load),
            Attack::Crowd(attack) => attack.run(program, lengths.logins),
            Attack::Inside(load) => inside::run(program, *load, lengths.inside),
        }
    }
}

/// All rows.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = window();
    for mppe in Mppe::ALL {
        for carried in Carried::ALL {
            let name = format!("100000 forged/s - {} - {}", mppe.name(), carried.name());
            rows.push(Row { group: "A1-load", name, attack: Attack::Load(LoadAttack { mppe, carried }) });
        }
    }
    rows.extend(control());
    for (from, kinds) in [
        (Origin::Everywhere, &Kind::ALL[..]),
        (Origin::OneNetwork, &[Kind::Calls]),
        (Origin::SameAddressBefore, &[Kind::Close]),
        (Origin::SameAddress, &Kind::ALL),
    ] {
        for &kind in kinds {
            let attack = CrowdAttack { kind, from };
            rows.push(Row { group: "B", name: attack.name(), attack: Attack::Crowd(attack) });
        }
    }
    for (load, name) in inside::LOADS {
        rows.push(Row { group: "B3", name: name.to_owned(), attack: Attack::Inside(load) });
    }
    rows
}

/// Attacks with control frames.
fn control() -> Vec<Row> {
    let mut rows = Vec::new();
    for traffic in Traffic::ALL {
        for toward in Toward::ALL {
            for forgery in frames::control() {
                rows.push(Row {
                    group: "A2",
                    name: format!("{} - {}{}", forgery.name, toward.name(), traffic.suffix()),
                    attack: Attack::Session(SessionAttack {
                        toward,
                        mppe: Mppe::Stateless,
                        shot: Shot::Next(forgery.frames),
                        traffic,
                        times: CONTROL_TIMES,
                        every: CONTROL_EVERY,
                    }),
                });
            }
        }
    }
    rows
}

/// Attacks on the sequence window.
fn window() -> Vec<Row> {
    let mut rng = Rng::from_number(13);
    let pair: Vec<Vec<u8>> = (0..2).map(|_| mppe_frame(&mut rng, true, 84)).collect();
    let clear: Vec<Vec<u8>> =
        (1..=2).map(|id| cp::frame(ppp::LCP, cp::DISCARD_REQUEST, id, &[0x5a, 0x17, 0x0b, 0x3c])).collect();
    let second = Duration::from_secs;
    let shots = [
        ("nothing", Shot::Nothing, 1, Duration::ZERO),
        ("two packets far away", Shot::Far(pair.clone()), 1, Duration::ZERO),
        ("two packets far away every 5 s", Shot::Far(pair), u32::MAX, second(5)),
        ("two clear packets far away", Shot::Far(clear), 1, Duration::ZERO),
        ("spray over all call ids", Shot::Spray, 1, Duration::ZERO),
        ("64 numbers to come every 3 s", Shot::Window(64), u32::MAX, second(3)),
        ("acknowledgment far away every 1 s", Shot::Acknowledgment, u32::MAX, second(1)),
    ];
    let mut rows = Vec::new();
    for (name, shot, times, every) in shots {
        for toward in Toward::ALL {
            for mppe in Mppe::ALL {
                let shot = shot.clone();
                rows.push(Row {
                    group: "A1",
                    name: format!("{name} - {} - {}", toward.name(), mppe.name()),
                    attack: Attack::Session(SessionAttack {
                        toward,
                        mppe,
                        shot,
                        traffic: Traffic::Pings,
                        times,
                        every,
                    }),
                });
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let rows = all();
        let names: BTreeSet<_> = rows.iter().map(|row| (row.group, &row.name)).collect();
        assert_eq!(names.len(), rows.len());
        assert!(rows.iter().all(|row| GROUPS.contains(&row.group)));
        // A comma separates the words of --only.
        assert!(rows.iter().all(|row| !row.name.contains(',')));
        for (group, at_least) in GROUPS.into_iter().zip([20, 6, 140, 12, 3]) {
            assert!(rows.iter().filter(|row| row.group == group).count() >= at_least, "{group}");
        }
    }

    #[test]
    fn a_row_is_selected_by_its_group_or_a_part_of_its_name() {
        let selected = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            all().iter().filter(|row| row.is_selected(&words)).count()
        };
        assert_eq!(selected(&[]), all().len());
        assert_eq!(selected(&["b3"]), 3);
        assert_eq!(selected(&["B"]), all().iter().filter(|row| row.group == "B").count());
        assert_eq!(selected(&["LCP terminate-request"]), 4);
        assert_eq!(selected(&["LCP loops"]), 2);
        assert_eq!(selected(&["b3", "dhcpinform"]), 3);
        assert_eq!(selected(&["nothing like it"]), 0);
    }
}
