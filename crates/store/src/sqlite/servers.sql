-- Which server has a session or a lease. Whatever is there already is of the server with number 1, which gets its key
-- when the first server registers.

CREATE TABLE servers (
    id   INTEGER PRIMARY KEY,
    key  TEXT UNIQUE,                           -- what is in the server's identity file
    name TEXT NOT NULL                          -- its host name
) STRICT;
INSERT INTO servers (id, key, name) VALUES (1, NULL, '');

ALTER TABLE sessions ADD COLUMN server INTEGER NOT NULL DEFAULT 1;
ALTER TABLE leases ADD COLUMN server INTEGER NOT NULL DEFAULT 1;
