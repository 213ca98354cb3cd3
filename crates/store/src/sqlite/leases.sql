-- For the choice of an address: who has one, which one a user had last, and which one is free longest.

CREATE INDEX leases_by_number ON leases (number);
CREATE INDEX leases_by_age ON leases (pool, since) WHERE state = 'free';
DROP INDEX leases_by_user;
CREATE INDEX leases_by_user ON leases (user_key, pool, since) WHERE state = 'free';
