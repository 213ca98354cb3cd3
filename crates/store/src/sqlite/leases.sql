-- For the choice of an address: which one is in use, and which one is free longest.

CREATE INDEX leases_in_use ON leases (number) WHERE state = 'used';
CREATE INDEX leases_by_age ON leases (pool, since) WHERE state = 'free';
