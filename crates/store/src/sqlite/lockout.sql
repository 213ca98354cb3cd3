-- Failed logins, locks and bans, so that they outlive the server. Of names without an account nothing is stored.
-- A bucket holds thousandths of a failed login, as of a time.

CREATE TABLE lockout_accounts (
    name_key     TEXT NOT NULL PRIMARY KEY,
    failures     INTEGER NOT NULL,              -- from addresses that are not the account's own
    failed       INTEGER NOT NULL,              -- the last one
    locks        INTEGER NOT NULL,              -- that followed each other
    locked_until INTEGER NOT NULL,              -- 0: never
    foreign_full INTEGER NOT NULL,              -- bucket of an hour, other addresses
    foreign_at   INTEGER NOT NULL,
    own_full     INTEGER NOT NULL,              -- bucket of an hour, own addresses
    own_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Networks from which a user logged in: the account's own.
CREATE TABLE lockout_homes (
    name_key     TEXT NOT NULL,
    network      TEXT NOT NULL,                 -- 198.51.100.0/24
    address      TEXT NOT NULL,                 -- of the last login
    login        INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    failed       INTEGER NOT NULL,
    locks        INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (name_key, network)
) STRICT, WITHOUT ROWID;

-- Failed logins by address (/32) and by network (/24).
CREATE TABLE lockout_senders (
    network      TEXT NOT NULL PRIMARY KEY,
    bucket_full  INTEGER NOT NULL,
    bucket_at    INTEGER NOT NULL,
    bans         INTEGER NOT NULL,              -- that followed each other
    banned_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bans (
    network TEXT NOT NULL PRIMARY KEY,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    by      TEXT,                               -- NULL: the server, after failed logins
    reason  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Users keep access from where they logged in last. The trailing ".0/24" replaces the last octet.
INSERT INTO lockout_homes (name_key, network, address, login, failures, failed, locks, locked_until)
    SELECT name_key, rtrim(login_from, '0123456789') || '0/24', login_from, login_at, 0, 0, 0, 0
    FROM accounts WHERE login_at IS NOT NULL AND login_from LIKE '%.%.%.%' AND login_from NOT LIKE '%:%';
