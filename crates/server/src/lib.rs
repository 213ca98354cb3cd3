//! The server daemon: listener, registry, accounting, control socket.
