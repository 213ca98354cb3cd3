-- What a step says, typed: JSON of adit_diag::Note. NULL where an older version wrote the step.
ALTER TABLE steps ADD COLUMN note TEXT;

-- Why the login was refused that ended the session: JSON of adit_diag::LoginRefusal.
ALTER TABLE sessions ADD COLUMN refusal TEXT;
