-- The second factor of an account: columns of the account, so that they are removed with it.
ALTER TABLE accounts ADD COLUMN factor BLOB;              -- sealed; NULL: none is enrolled
ALTER TABLE accounts ADD COLUMN factor_step INTEGER;      -- time step of the last code that was used
ALTER TABLE accounts ADD COLUMN factor_enrolled INTEGER;
ALTER TABLE accounts ADD COLUMN factor_by TEXT;           -- who enrolled it
