//! A map of limited size. When it is full, the entry that will first be of no more use gives way: a lock that lasts stays,
//! and what an attacker adds with one failed login does not.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    most: usize,
    entries: BTreeMap<K, (u64, V)>,
    by_expiry: BTreeSet<(u64, K)>,
}

impl<K: Clone + Ord, V> Table<K, V> {
    pub(super) fn new(most: usize) -> Table<K, V> {
        Table { most: most.max(1), entries: BTreeMap::new(), by_expiry: BTreeSet::new() }
    }

    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// Puts an entry that is of use until `expires`; returns the keys that were removed for it.
    pub(super) fn put(&mut self, now: u64, key: K, value: V, expires: u64) -> Vec<K> {
        if let Some((before, _)) = self.entries.insert(key.clone(), (expires, value)) {
            self.by_expiry.remove(&(before, key.clone()));
        }
        self.by_expiry.insert((expires, key.clone()));
        let mut removed = Vec::new();
        // The new entry stays: it is about the present.
        while let Some((until, oldest)) = self.by_expiry.iter().find(|(_, other)| *other != key).cloned() {
            if self.entries.len() <= self.most && until > now {
                break;
            }
            self.by_expiry.remove(&(until, oldest.clone()));
            self.entries.remove(&oldest);
            removed.push(oldest);
        }
        removed
    }

    /// Removes the entries that are of no more use; returns their keys.
    pub(super) fn purge(&mut self, now: u64) -> Vec<K> {
        let mut removed = Vec::new();
        while let Some((until, _)) = self.by_expiry.first()
            && *until <= now
            && let Some((_, key)) = self.by_expiry.pop_first()
        {
            self.entries.remove(&key);
            removed.push(key);
        }
        removed
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let (key, (expires, value)) = self.entries.remove_entry(key)?;
        self.by_expiry.remove(&(expires, key));
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, value))| (key, value))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_that_is_of_use_for_the_shortest_time_gives_way() {
        let mut table = Table::new(3);
        for (key, expires) in [("locked", 900), ("once", 200), ("twice", 300)] {
            assert!(table.put(100, key, (), expires).is_empty());
        }
        assert_eq!(table.put(100, "new", (), 150), ["once"]);
        assert_eq!(table.put(100, "newer", (), 150), ["new"]);
        assert_eq!(
            table.put(301, "last", (), 400),
            ["newer", "twice"],
            "what is of no more use goes at once"
        );
        assert_eq!((table.len(), table.by_expiry.len()), (2, 2));
        assert!(table.get("locked").is_some());
        table.put(301, "last", (), 500);
        assert_eq!((table.len(), table.by_expiry.len()), (2, 2));
        assert!(table.remove("last").is_some() && table.by_expiry.len() == 1);
    }
}
