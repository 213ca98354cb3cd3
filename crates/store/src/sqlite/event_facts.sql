-- What an event is about, typed: JSON of EventFacts (crate adit-diag). NULL in the rows of older versions, whose only form is text.
ALTER TABLE events ADD COLUMN facts TEXT;
