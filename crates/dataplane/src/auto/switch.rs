//! When AF_XDP is used, by what is known about the host. No clock, no I/O.

use std::time::{Duration, Instant};

/// The least time from one change to the socket to the next use of AF_XDP: a rule set that changes all the time must not move
/// the packets back and forth.
const AWAY: Duration = Duration::from_secs(600);

/// The decision. AF_XDP is in use at first.
#[derive(Debug)]
pub(crate) struct Switch {
    uses_xdp: bool,
    obstacles: Vec<String>,
    /// AF_XDP is not used before this time.
    back_at: Option<Instant>,
    /// It is not used again at all.
    ended: bool,
}

impl Switch {
    pub(crate) fn new() -> Switch {
        Switch { uses_xdp: true, obstacles: Vec::new(), back_at: None, ended: false }
    }

    /// Takes what is in the way of AF_XDP now; nothing if it changes nothing for any packet.
    pub(crate) fn judge(&mut self, now: Instant, obstacles: Vec<String>) {
        if !self.ended {
            self.obstacles = obstacles;
        }
        self.decide(now);
    }

    /// Does not use AF_XDP again.
    pub(crate) fn end(&mut self, now: Instant, why: String) {
        self.ended = true;
        self.obstacles = vec![why];
        self.decide(now);
    }

    /// Decides again, because time has passed; whether AF_XDP is used.
    pub(crate) fn decide(&mut self, now: Instant) -> bool {
        let safe = self.obstacles.is_empty();
        if self.uses_xdp && !safe {
            self.back_at = Some(now + AWAY);
        }
        self.uses_xdp = safe && (self.uses_xdp || self.back_at.is_none_or(|at| now >= at));
        self.uses_xdp
    }

    /// When to decide again although nothing new is known.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.back_at.filter(|_| !self.uses_xdp && self.obstacles.is_empty())
    }

    /// Why AF_XDP is not used; empty if it is.
    pub(crate) fn reason(&self, now: Instant) -> String {
        match self.next() {
            Some(at) => {
                let minutes = at.saturating_duration_since(now).as_secs().div_ceil(60);
                format!(
                    "it was not safe a moment ago; it is used again in {minutes} min unless something changes"
                )
            }
            None => list(&self.obstacles),
        }
    }
}

/// The first obstacles as one text.
pub(crate) fn list(obstacles: &[String]) -> String {
    const SHOWN: usize = 16;
    let mut text = obstacles.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if let Some(more) = obstacles.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Vec<String> {
        vec!["a rule".to_owned()]
    }

    #[test]
    fn it_is_used_until_something_is_in_the_way_and_again_after_ten_minutes() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut switch = Switch::new();
        switch.judge(at(0), Vec::new());
        assert!(switch.decide(at(5)) && switch.next().is_none());
        switch.judge(at(10), rule());
        assert!(!switch.decide(at(10)));
        assert_eq!(switch.reason(at(10)), "a rule");
        assert_eq!(switch.next(), None, "only news can end this");
        switch.judge(at(20), Vec::new());
        assert!(!switch.decide(at(20)) && !switch.decide(at(609)));
        assert_eq!(switch.next(), Some(at(610)));
        assert!(switch.reason(at(20)).contains("in 10 min"));
        assert!(switch.decide(at(610)));
        assert_eq!((switch.reason(at(610)).as_str(), switch.next()), ("", None));
        // A rule that stays longer than that is not in the way any more as soon as it is removed.
        switch.judge(at(700), rule());
        switch.judge(at(4000), Vec::new());
        assert!(switch.decide(at(4000)));
    }

    #[test]
    fn rules_that_change_all_the_time_move_the_packets_once_in_ten_minutes() {
        let start = Instant::now();
        let mut switch = Switch::new();
        let mut returns = Vec::new();
        let mut before = true;
        for second in 0..7200 {
            let now = start + Duration::from_secs(second);
            switch.judge(now, if second % 2 == 0 { rule() } else { Vec::new() });
            let uses = switch.decide(now);
            if uses && !before {
                returns.push(second);
            }
            before = uses;
        }
        assert!(returns.len() >= 11 && returns.windows(2).all(|two| two[1] - two[0] >= 600), "{returns:?}");
    }

    #[test]
    fn an_end_is_final() {
        let now = Instant::now();
        let mut switch = Switch::new();
        switch.end(now, "eth0 lost its carrier".to_owned());
        switch.judge(now, Vec::new());
        assert!(!switch.decide(now + 2 * AWAY));
        assert_eq!((switch.next(), switch.reason(now).as_str()), (None, "eth0 lost its carrier"));
    }

    #[test]
    fn many_obstacles_are_counted() {
        let many: Vec<String> = (0..18).map(|n| format!("rule {n}")).collect();
        assert!(list(&many).ends_with("; rule 15; and 2 more"));
        assert_eq!(list(&many[..3]), "rule 0; rule 1; rule 2");
    }
}
