-- The same table with the states of the check one by one: for a list of three, SQLite makes and drops a table of its own
-- whenever it writes a row.
CREATE TABLE new_leases (
    pool     TEXT NOT NULL,
    number   INTEGER NOT NULL,                  -- the address as a number, for the order
    address  TEXT NOT NULL,
    user     TEXT NOT NULL,
    user_key TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state = 'free' OR state = 'used' OR state = 'quarantine'),
    session  INTEGER,
    since    INTEGER NOT NULL,
    until    INTEGER,                           -- end of the quarantine
    server   INTEGER NOT NULL,
    PRIMARY KEY (pool, number),
    CHECK ((state = 'used') = (session IS NOT NULL)),
    CHECK ((state = 'quarantine') = (until IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO new_leases (pool, number, address, user, user_key, state, session, since, until, server)
    SELECT pool, number, address, user, user_key, state, session, since, until, server FROM leases;
DROP TABLE leases;
ALTER TABLE new_leases RENAME TO leases;

-- For the choice of an address: who has one, which one a user had last, and which one is free longest.
CREATE INDEX leases_by_number ON leases (number);
CREATE INDEX leases_by_user ON leases (user_key, pool, since) WHERE state = 'free';
CREATE INDEX leases_by_age ON leases (pool, since) WHERE state = 'free';
