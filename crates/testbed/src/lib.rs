//! Real network namespaces, NAT and foreign peers for tests.
