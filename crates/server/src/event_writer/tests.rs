use adit_config::{Log, LogFormat, LogLevel, LogTarget};
use adit_diag::EventFacts;
use adit_store::StoreConfig;
use jiff::Timestamp;

use super::*;

#[test]
fn events_reach_log_and_store_in_order_before_flush_returns() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::sqlite(dir.path().join("adit.db"), dir.path().join("key"));
    let store = adit_store::open(&config).unwrap();
    let path = dir.path().join("adit.log");
    let log = Log { level: LogLevel::Info, to: vec![LogTarget::File(path.clone())], format: LogFormat::Kv };
    let writer = EventWriter::start(store.clone(), LogLines::open(&log).unwrap());
    // More than one batch.
    for n in 0..MAX_BATCH + 44 {
        let refused = n as u64;
        writer.enqueue_event(NewEvent::new(Timestamp::now(), EventFacts::CallFlood { refused }));
    }
    writer.flush();
    let log = std::fs::read_to_string(&path).unwrap();
    let numbers: Vec<&str> = log.lines().filter_map(|line| line.split("refused=").last()).collect();
    let expected: Vec<String> = (0..MAX_BATCH + 44).map(|n| n.to_string()).collect();
    assert_eq!(numbers, expected);
    let filter = adit_store::EventFilter { last: Some(1000), ..adit_store::EventFilter::default() };
    assert_eq!(store.events(&filter).unwrap().len(), MAX_BATCH + 44);
    assert_eq!((writer.lost(), writer.trouble()), (0, None));
}

#[test]
fn entries_beyond_the_capacity_are_lost_and_counted_without_waiting() {
    let (entries, receiver) = sync_channel(2);
    let writer = EventWriter { entries, health: Health::default(), broadcast: Broadcast::new() };
    for _ in 0..5 {
        writer.enqueue(Entry::Prune(Retention::default()));
    }
    assert_eq!(writer.lost(), 3);
    drop(receiver);
    writer.enqueue(Entry::Prune(Retention::default()));
    assert_eq!(writer.lost(), 4, "a writer that is gone loses everything");
}
