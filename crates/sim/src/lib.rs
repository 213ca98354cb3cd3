//! A deterministic world: virtual clock, links, NATs, firewalls and peers that misbehave.
