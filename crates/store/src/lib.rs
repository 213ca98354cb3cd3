//! Accounts, leases, sessions and events: SQLite behind one trait.
