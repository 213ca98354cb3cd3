//! The text of Mikrotik-Rate-Limit:
//! `rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time] [priority [rx-min[/tx-min]]]]]]`.

use core::fmt;

/// The rates of one direction. A rate of 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Bits per second.
    pub rate: u64,
    /// Bits per second during a burst.
    pub burst: Option<u64>,
    /// The average rate above which no burst is allowed, in bits per second.
    pub threshold: Option<u64>,
    /// The time over which the average is taken, in seconds.
    pub time: Option<u64>,
    /// Guaranteed bits per second.
    pub min: Option<u64>,
}

/// Rates in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// From the client: what the router receives (`rx`).
    pub up: Direction,
    /// To the client: what the router sends (`tx`).
    pub down: Direction,
    /// 1 is the highest priority, 8 the lowest.
    pub priority: Option<u8>,
}

/// What is wrong with a Mikrotik-Rate-Limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateError {
    /// There is nothing, or more than six words.
    Words,
    /// A rate is not a number with an optional `k`, `M` or `G`.
    Rate,
    /// A time is not a number of seconds.
    Time,
    /// The priority is not a number from 1 to 8.
    Priority,
    /// The guaranteed rate exceeds the rate.
    MinAboveRate,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RateError::Words => "expected 1 to 6 words such as 10M/20M",
            RateError::Rate => "a rate is not a number with k, M or G behind it",
            RateError::Time => "a burst time is not a number of seconds",
            RateError::Priority => "the priority is not a number from 1 to 8",
            RateError::MinAboveRate => "the guaranteed rate exceeds the rate",
        })
    }
}

impl RateLimit {
    /// Reads the text.
    ///
    /// # Errors
    /// The first part that is wrong.
    pub fn parse(text: &str) -> Result<RateLimit, RateError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if words.is_empty() || words.len() > 6 {
            return Err(RateError::Words);
        }
        let rates = |n: usize| words.get(n).map(|word| pair(word, rate, RateError::Rate)).transpose();
        let rate = rates(0)?.unwrap_or_default();
        let (burst, threshold, min) = (rates(1)?, rates(2)?, rates(5)?);
        let time = words.get(3).map(|word| pair(word, seconds, RateError::Time)).transpose()?;
        let priority = words.get(4).map(|word| priority(word)).transpose()?;
        let direction = |of: fn((u64, u64)) -> u64| Direction {
            rate: of(rate),
            burst: burst.map(of),
            threshold: threshold.map(of),
            time: time.map(of),
            min: min.map(of),
        };
        let limit = RateLimit { up: direction(|pair| pair.0), down: direction(|pair| pair.1), priority };
        let exceeds = |of: Direction| of.rate != 0 && of.min.is_some_and(|min| min > of.rate);
        if exceeds(limit.up) || exceeds(limit.down) { Err(RateError::MinAboveRate) } else { Ok(limit) }
    }
}

/// Two values, or one that is both.
fn pair(word: &str, read: fn(&str) -> Option<u64>, error: RateError) -> Result<(u64, u64), RateError> {
    let (up, down) = word.split_once('/').unwrap_or((word, word));
    Ok((read(up).ok_or(error)?, read(down).ok_or(error)?))
}

fn rate(word: &str) -> Option<u64> {
    let (digits, factor) = match word.as_bytes().last()? {
        b'k' => (word.strip_suffix('k')?, 1_000),
        b'M' => (word.strip_suffix('M')?, 1_000_000),
        b'G' => (word.strip_suffix('G')?, 1_000_000_000),
        _ => (word, 1),
    };
    whole(digits)?.checked_mul(factor)
}

fn seconds(word: &str) -> Option<u64> {
    whole(word.strip_suffix('s').unwrap_or(word))
}

fn priority(word: &str) -> Result<u8, RateError> {
    word.parse().ok().filter(|priority| (1..=8).contains(priority)).ok_or(RateError::Priority)
}

/// Digits alone: `parse` would also take a sign.
fn whole(digits: &str) -> Option<u64> {
    digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c222_received_by_the_router_is_upload() {
        let limit = RateLimit::parse("64k/2M").unwrap();
        assert_eq!((limit.up.rate, limit.down.rate), (64_000, 2_000_000));
        let limit = RateLimit::parse("128k").unwrap();
        assert_eq!((limit.up.rate, limit.down.rate), (128_000, 128_000));
    }

    #[test]
    fn c222_every_part_of_the_text() {
        let limit = RateLimit::parse("1M/2M 3M/4M 500k/1500k 10/20s 5 100k/1G").err();
        assert_eq!(limit, Some(RateError::MinAboveRate));
        let limit = RateLimit::parse("1M/2M 3M/4M 500k/1500k 10/20s 5 100k/200000").unwrap();
        let direction = |rate, burst, threshold, time, min| Direction {
            rate,
            burst: Some(burst),
            threshold: Some(threshold),
            time: Some(time),
            min: Some(min),
        };
        assert_eq!(limit.up, direction(1_000_000, 3_000_000, 500_000, 10, 100_000));
        assert_eq!(limit.down, direction(2_000_000, 4_000_000, 1_500_000, 20, 200_000));
        assert_eq!(limit.priority, Some(5));
        assert_eq!(RateLimit::parse("0/0").unwrap().up, Direction::default());
    }

    #[test]
    fn c222_malformed_texts_are_errors() {
        for (text, error) in [
            ("", RateError::Words),
            ("1 2 3 4 5 6 7", RateError::Words),
            ("fast", RateError::Rate),
            ("+5", RateError::Rate),
            ("/5", RateError::Rate),
            ("5K", RateError::Rate),
            ("99999999999999999999", RateError::Rate),
            ("99999999999G", RateError::Rate),
            ("1M 2M 3M soon", RateError::Time),
            ("1M 2M 3M 1 9", RateError::Priority),
            ("1M 2M 3M 1 0", RateError::Priority),
            ("1M 2M 3M 1 8 2M", RateError::MinAboveRate),
        ] {
            assert_eq!(RateLimit::parse(text), Err(error), "{text:?}");
        }
    }
}
