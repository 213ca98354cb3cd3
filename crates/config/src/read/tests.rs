use std::time::Duration;

use super::*;

#[test]
fn durations() {
    for (text, seconds) in
        [("0", 0), ("30s", 30), ("15m", 900), ("12h", 43_200), ("90d", 7_776_000), ("1h30m", 5_400)]
    {
        assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        assert_eq!(
            parse_duration(&show_duration(Duration::from_secs(seconds))),
            Some(Duration::from_secs(seconds))
        );
    }
    assert_eq!(parse_duration("100ms"), Some(Duration::from_millis(100)));
    for text in
        ["", "30", "s", "30 s", "1.5h", "-3s", "30S", "3w", "99999999999999999999d", "18446744073709551615d"]
    {
        assert_eq!(parse_duration(text), None, "{text}");
    }
    assert_eq!(show_duration(Duration::from_millis(90_061_001)), "1d1h1m1s1ms");
}
