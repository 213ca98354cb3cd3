//! Workers that move packets: GRE <-> PPP/MPPE <-> TUN.
