//! Pings at a fixed rate, by the system's `ping`: which were answered, and the longest silence.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use adit_bench::until::wait;
use adit_testbed::{Host, Running};
use anyhow::Context as _;

/// The time between two pings.
const INTERVAL: Duration = Duration::from_millis(100);
/// What `ping` prints where the tunnel, and with it the only route, is gone before the first ping.
const NO_ROUTE: &str = "connect: Network is unreachable";
/// How much longer than planned `ping` may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `ping`.
pub(crate) struct Echoes {
    running: Running,
    wanted: u32,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    sent: u32,
    /// Sequence numbers of the replies, from 1.
    answered: BTreeSet<u32>,
}

impl Echoes {
    /// Pings `target` for a time.
    pub(crate) fn start(host: &Host, target: Ipv4Addr, time: Duration) -> Echoes {
        let wanted = u32::try_from(time.as_millis() / INTERVAL.as_millis()).unwrap_or(u32::MAX);
        let mut ping = Command::new("ping");
        ping.args(["-n", "-i", "0.1", "-W", "1", "-c", &wanted.to_string()]);
        Echoes { running: host.spawn(ping.arg(target.to_string())), wanted }
    }

    /// Waits for the end of `ping`, which is near. The pings of the time `before` do not count.
    ///
    /// # Errors
    /// If it does not end, or has sent less than half of the pings.
    pub(crate) fn finish(mut self, time: Duration, before: Duration) -> anyhow::Result<Answers> {
        let has_ended = wait(time.min(PATIENCE) + PATIENCE, || self.running.status().is_some());
        anyhow::ensure!(has_ended, "ping has not ended: {}", self.running.log());
        self.running.wait(PATIENCE);
        let log = self.running.log();
        let answers = Answers::read(&log, self.wanted).with_context(|| format!("ping printed {log:?}"))?;
        anyhow::ensure!(answers.sent >= self.wanted / 2, "ping has sent {} of {}", answers.sent, self.wanted);
        Ok(answers.without_first(u32::try_from(before.as_millis() / INTERVAL.as_millis())?))
    }
}

impl Answers {
    /// Reads what `ping` of iputils prints. Without a route at its start it ends at once: none of the wanted pings is answered.
    fn read(log: &str, wanted: u32) -> Option<Answers> {
        if log.trim_end().ends_with(NO_ROUTE) {
            return Some(Answers { sent: wanted, answered: BTreeSet::new() });
        }
        let replies = log.lines().filter(|line| line.contains("bytes from"));
        let numbers =
            replies.filter_map(|line| line.split_once("icmp_seq=")?.1.split(' ').next()?.parse().ok());
        let answered = numbers.collect();
        let summary = log.lines().find(|line| line.contains("packets transmitted"))?;
        Some(Answers { sent: summary.split(' ').next()?.parse().ok()?, answered })
    }

    /// The same without the first pings.
    fn without_first(&self, number: u32) -> Answers {
        let answered =
            self.answered.iter().filter_map(|n| n.checked_sub(number)).filter(|&n| n > 0).collect();
        Answers { sent: self.sent.saturating_sub(number), answered }
    }

    /// The share of pings that were answered.
    pub(crate) fn answered_percent(&self) -> f64 {
        100.0 * self.answered.len() as f64 / f64::from(self.sent.max(1))
    }

    /// The longest time without an answer.
    pub(crate) fn longest_silence(&self) -> Duration {
        let (mut longest, mut last) = (0, 0);
        for number in self.answered.iter().copied().chain([self.sent + 1]) {
            longest = longest.max(number.saturating_sub(last + 1));
            last = number;
        }
        INTERVAL * longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_and_silence_are_those_of_the_replies() {
        let log = "PING 10.77.0.1 (10.77.0.1) 56(84) bytes of data.\n\
                   64 bytes from 10.77.0.1: icmp_seq=1 ttl=64 time=0.2 ms\n\
                   64 bytes from 10.77.0.1: icmp_seq=2 ttl=64 time=0.2 ms\n\
                   64 bytes from 10.77.0.1: icmp_seq=2 ttl=64 time=0.2 ms (DUP!)\n\
                   ping: sendmsg: Network is unreachable\n\
                   From 10.77.0.9 icmp_seq=3 Destination Host Unreachable\n\
                   64 bytes from 10.77.0.1: icmp_seq=6 ttl=64 time=0.2 ms\n\
                   \n--- 10.77.0.1 ping statistics ---\n\
                   10 packets transmitted, 3 received, 70% packet loss, time 900ms\n";
        let answers = Answers::read(log, 10).unwrap();
        assert_eq!((answers.sent, answers.answered.len()), (10, 3));
        assert_eq!(answers.answered_percent(), 30.0);
        assert_eq!(answers.longest_silence(), INTERVAL * 4);
        assert_eq!(answers.without_first(2), Answers { sent: 8, answered: [4].into() });
        assert_eq!(Answers::read("ping: unknown host", 10), None);
        let without = Answers::read("ping: connect: Network is unreachable\n", 10);
        assert_eq!(without, Some(Answers { sent: 10, answered: BTreeSet::new() }));
    }

    #[test]
    fn no_answer_at_all_is_silence_from_the_beginning() {
        let answers = Answers { sent: 20, answered: BTreeSet::new() };
        assert_eq!(answers.longest_silence(), INTERVAL * 20);
        assert_eq!(answers.answered_percent(), 0.0);
    }
}
