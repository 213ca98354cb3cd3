-- adit's database. Times are milliseconds since 1970-01-01 UTC: datetime(started / 1000, 'unixepoch').
-- Names are unique without regard to case: the columns called "..._key" hold the lower-case form.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Sealed things, by name: never readable without the key file.
CREATE TABLE sealed_meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    name_key         TEXT NOT NULL PRIMARY KEY,
    name             TEXT NOT NULL,
    group_name       TEXT,
    address          TEXT UNIQUE,               -- 10.99.0.14
    networks         TEXT NOT NULL DEFAULT '',  -- 192.168.7.0/24 192.168.8.0/24
    expires          INTEGER,
    disabled         TEXT,                      -- the reason; NULL: switched on
    vpn              INTEGER NOT NULL DEFAULT 1 CHECK (vpn IN (0, 1)),
    locked_until     INTEGER,
    must_change      INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)),
    nt_hash          BLOB,                      -- sealed
    password         BLOB,                      -- sealed; only where the clear password is kept
    password_changed INTEGER,
    created          INTEGER NOT NULL,
    note             TEXT NOT NULL DEFAULT '',
    login_at         INTEGER,
    login_from       TEXT,
    revision         INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    pool     TEXT NOT NULL,
    number   INTEGER NOT NULL,                  -- the address as a number, for the order
    address  TEXT NOT NULL,
    user     TEXT NOT NULL,
    user_key TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('free', 'used', 'quarantine')),
    session  INTEGER,
    since    INTEGER NOT NULL,
    until    INTEGER,                           -- end of the quarantine
    PRIMARY KEY (pool, number),
    CHECK ((state = 'used') = (session IS NOT NULL)),
    CHECK ((state = 'quarantine') = (until IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX leases_by_user ON leases (user_key);

CREATE TABLE sessions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    started        INTEGER NOT NULL,
    from_address   TEXT NOT NULL,
    from_port      INTEGER NOT NULL,
    up             INTEGER,
    host           TEXT,
    vendor         TEXT,
    user           TEXT,
    user_key       TEXT,
    group_name     TEXT,
    pool           TEXT,
    address        TEXT,
    server_address TEXT,
    method         TEXT,
    mppe           TEXT,
    rx_bytes       INTEGER NOT NULL DEFAULT 0,
    tx_bytes       INTEGER NOT NULL DEFAULT 0,
    rx_packets     INTEGER NOT NULL DEFAULT 0,
    tx_packets     INTEGER NOT NULL DEFAULT 0,
    seen           INTEGER NOT NULL,            -- last time anything of this row was written while it ran
    ended          INTEGER,
    why            TEXT,
    ended_by       TEXT,
    code           TEXT,
    detail         TEXT,
    omitted        INTEGER NOT NULL DEFAULT 0   -- steps left out of the middle of the record
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_key, id);
CREATE INDEX sessions_by_end ON sessions (ended);

-- The record of a session: what was said, step by step.
CREATE TABLE steps (
    session INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    at_us   INTEGER NOT NULL,                   -- microseconds since the session started
    who     TEXT NOT NULL,
    layer   TEXT NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (session, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    user         TEXT,
    user_key     TEXT,
    from_address TEXT,
    code         TEXT,
    session      INTEGER,
    fields       TEXT NOT NULL DEFAULT '{}'     -- a JSON object of texts
) STRICT;
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_user ON events (user_key, at);
CREATE INDEX events_by_session ON events (session);
