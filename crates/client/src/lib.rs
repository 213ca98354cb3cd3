//! The client: dial, interface, routes, DNS, reconnect, undo.
